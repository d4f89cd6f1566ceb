"""What the program writes down: what happened and where in the code, never who did it or what anybody typed.

No line holds an address, a cookie, a join code, a browser's name, a choice, or the words of an error, which may repeat
any of these. A fault of ours is logged with its kind and the places in the code that led there.
"""

from __future__ import annotations

import logging
import threading
import traceback
from pathlib import Path
from types import TracebackType

log = logging.getLogger("facilitation")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MOST_PLACES = 12


class Places(logging.Formatter):
    """Formats an exception as its kind and its places in the code, without its words."""

    def formatException(self, ei: object) -> str:
        """Called by `logging` for a record that carries an exception."""
        kind, _, trace = ei if isinstance(ei, tuple) else (None, None, None)
        return places(kind, trace)


def places(kind: type[BaseException] | None, trace: TracebackType | None) -> str:
    """What kind of error it was and where, the innermost place first: "KeyError at store.py:12 < live.py:34"."""
    frames = traceback.extract_tb(trace)[-_MOST_PLACES:]
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"{kind.__name__ if kind else 'error'} at {where or '?'}"


def set_up(requests: bool) -> None:
    """Send what is logged to the standard error stream: faults and warnings, and a line for each request if wanted."""
    handler = logging.StreamHandler()
    handler.setFormatter(Places("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log.setLevel(logging.INFO if requests else logging.WARNING)
    threading.excepthook = _in_thread


def request_line(method: str, route: str, status: str, seconds: float) -> None:
    """One request: the method, the route's template, the status and how long it took. Nothing that the sender chose."""
    log.info("%s %s %s %.0f ms", method if method in METHODS else "?", route, status, 1000 * seconds)


def fault(error: BaseException, route: str) -> None:
    """A fault of ours, met in a request or in the background."""
    log.error("fault in %s: %s", route, places(type(error), error.__traceback__))


def _in_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None:
        fault(failed.exc_value, "the background")


def line_logger() -> logging.Logger:
    """The logger of the live libraries. They write down ids and what senders said, with a traceback for each malformed
    packet, so only what they say of the message queue between workers passes."""
    logger = logging.getLogger("facilitation.line")
    logger.filters.clear()
    logger.addFilter(lambda record: "manager" in record.module)
    return logger
