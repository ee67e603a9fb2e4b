"""A player without a device, for tests of its supervisor: the name of the file says what it does."""

import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bridge.rendering.pipe import requests_from_line, to_line
from bridge.wire.messages import Done, Fail, Preview, PreviewReply

orders: queue.SimpleQueue = queue.SimpleQueue()


def tell(reply: Any) -> None:
    sys.stdout.buffer.write(to_line(reply))
    sys.stdout.buffer.flush()


def listen() -> None:
    for line in sys.stdin.buffer:
        orders.put(requests_from_line(line)[0])
    os._exit(0)


def play(request: Preview) -> None:
    word = Path(request.path).name
    if word == "dies":
        os._exit(9)
    if word == "babbles":
        sys.stdout.buffer.write(b"not json\n")
        sys.stdout.buffer.flush()
    if word in {"hangs", "babbles"}:
        time.sleep(600)
    if word == "refuses":
        tell(Fail(request.address, "", "device_unknown", "no", "other"))
        tell(PreviewReply("failed", request.path))
        return
    tell(Done(request.address, "", (f"{request.path} on {request.device} at {request.level_db:g}",)))
    if word == "freezes":
        time.sleep(600)
    if word == "short":
        tell(PreviewReply("ended", request.path, 1.0, 1.0))
        return
    while orders.empty():
        tell(PreviewReply("playing", request.path, 0.5, 1.0, -6.0))
        time.sleep(0.05)
    tell(PreviewReply("stopped", request.path, 0.5, 1.0))


threading.Thread(target=listen, daemon=True).start()
while True:
    order = orders.get()
    if isinstance(order, Preview):
        play(order)
