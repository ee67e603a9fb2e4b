"""A farm's process without a farm, to test its supervisor: two slots; the prompt's first word says what happens."""

import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bridge.errors import FarmLostError
from bridge.rendering.pipe import SLOTS, requests_from_line, to_line
from bridge.wire.messages import Cancel, Done, Fail, Models, ModelsReply, Progress, RenderRequest

cancelled: set[str] = set()
at_once = threading.Barrier(2)
lock = threading.Lock()


def tell(line: bytes) -> None:
    with lock:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


def render(request: RenderRequest) -> None:
    word, *rest = request.prompt.split()
    is_first = bool(rest) and not Path(rest[0]).exists()
    if is_first:
        Path(rest[0]).touch()
    if word == "dies-once" and is_first:
        os._exit(3)
    if word == "lost" or (word == "lost-once" and is_first):
        error = FarmLostError("node 7 was lost")
        tell(to_line(Fail(request.address, request.job, error.code, error.text, error.hint)))
        return
    if word == "pair":
        at_once.wait()
    for step in range(3000 if word == "slow" else 3):
        if request.job in cancelled:
            tell(to_line(Fail(request.address, request.job, "cancelled", "stopped", "none")))
            return
        tell(to_line(Progress(request.job, step / 3000, f"step {step}")))
        time.sleep(0.01)
    tell(to_line(Done(request.address, request.job, (f"/takes/farm-{request.job}.wav",))))


tell(SLOTS + b"2\n")
for line in sys.stdin.buffer:
    match requests_from_line(line):
        case (Cancel(job=job),):
            cancelled.add(job)
        case (Models(),):
            tell(to_line(ModelsReply(("nano",))))
        case requests:
            for one in requests:
                threading.Thread(target=render, args=(one,), daemon=True).start()
os._exit(0)
