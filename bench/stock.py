"""What we are measured against: a broadcast by Flask-SocketIO as its documentation sets it up, without our code.

POST /push sends its body, a text, to everybody in the room; whoever connects gets the last one. It takes PORT.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import os
from typing import Any

from flask import Flask, request
from flask_socketio import SocketIO, emit, join_room

app = Flask(__name__)
socketio = SocketIO(app, async_mode="gevent")
last = {"order": [0, 0], "html": ""}


@socketio.on("connect")
def connect(auth: Any = None) -> None:
    """Everybody is in one room and is told what there is."""
    join_room("phones")
    emit("now", last)


@app.post("/push")
def push() -> str:
    """Tell everybody."""
    last["html"] = request.get_data(as_text=True)
    socketio.emit("now", last, to="phones")
    return ""


if __name__ == "__main__":
    print("It listens.", flush=True)
    socketio.run(app, "127.0.0.1", int(os.environ["PORT"]), log_output=False)
