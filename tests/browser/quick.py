"""The program on a clock that runs five times as fast: so long as people think, a browser need not wait.

python -m tests.browser.quick
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import os
import sys
from collections.abc import Callable
from functools import partial

from app import create_app
from facilitation import logs, serving
from facilitation.config import Settings
from facilitation.live import ThreadClock

TIMES = 5.0


class QuickClock(ThreadClock):
    """See live.Clock: a minute takes twelve seconds."""

    def now(self) -> float:
        return super().now() * TIMES

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        super().later(seconds / TIMES, act)


if __name__ == "__main__":
    settings = Settings.from_environment(os.environ)
    logs.set_up(settings.log_requests)
    sys.exit(serving.run(settings, partial(create_app, clock=QuickClock())))
