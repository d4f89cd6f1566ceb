"""The program with one address more, for measurements: `python -m bench.host` takes the settings that `app.py` takes.

POST /bench/empty passes the same server, gate, live layer and Flask as every other request and does nothing: what a
request costs before the program has done anything for it. The product has no such address.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import sys
from typing import Any

from flask import Flask, Response

import app
from facilitation import serving


def create_app(*args: Any, **options: Any) -> Flask:
    """The program's app with the empty address."""
    made = app.create_app(*args, **options)
    made.add_url_rule("/bench/empty", "bench_empty", lambda: Response(status=200), methods=["POST"])
    return made


if __name__ == "__main__":
    run = serving.run
    serving.run = lambda settings, _create_app: run(settings, create_app)
    sys.exit(app.main(sys.argv[1:]))
