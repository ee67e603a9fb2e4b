"""A render process without a model, for tests of its supervisor: the first word of the prompt says what it does."""

import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bridge.host.job_log import mark_job
from bridge.rendering.pipe import HEARTBEAT, requests_from_line, to_line
from bridge.wire.messages import (
    Cancel,
    Done,
    Fail,
    Models,
    ModelsReply,
    Notice,
    Progress,
    RenderRequest,
    StatusReply,
    UseModel,
)

orders: queue.SimpleQueue = queue.SimpleQueue()
cancelled: set[str] = set()
is_mute = threading.Event()
"""From now on it does not answer which models there are."""


def tell(reply: Any) -> None:
    sys.stdout.buffer.write(to_line(reply))
    sys.stdout.buffer.flush()


def listen() -> None:
    for line in sys.stdin.buffer:
        request, *others = requests_from_line(line)
        if isinstance(request, Cancel):
            cancelled.add(request.job)
        elif isinstance(request, Models):
            if is_mute.is_set():
                continue
            tell(ModelsReply(("nano", "stand-in")))
        else:
            for order in (request, *others):
                orders.put(order)
    os._exit(0)


def load(request: UseModel) -> None:
    if request.model == "missing":
        tell(Fail(request.address, "", "model_missing", "there is no such model", "look again"))
        return
    time.sleep(0.3)
    tell(StatusReply("0", "idle", request.model, "cpu", 0))
    tell(Done(request.address, ""))


def hang(word: str, rest: list[str]) -> None:
    if word == "spins":
        while True:
            sys.stdout.buffer.write(HEARTBEAT)
            sys.stdout.buffer.flush()
            time.sleep(0.05)
    if word == "freezes" or (word == "freezes-once" and not Path(rest[0]).exists()):
        if rest:
            Path(rest[0]).touch()
        os.kill(os.getpid(), signal.SIGSTOP)


def render(request: RenderRequest) -> None:
    word, *rest = request.prompt.split()
    if word == "loads":
        time.sleep(60)
    tell(StatusReply("0", "idle", request.model or "stand-in", "cpu", 0))
    if word == "dies" or (word == "dies-once" and not Path(rest[0]).exists()):
        if rest:
            Path(rest[0]).touch()
        os._exit(9)
    hang(word, rest)
    if word == "babbles":
        sys.stdout.buffer.write(b"not json\n")
        sys.stdout.buffer.flush()
        time.sleep(60)
    if word == "refuses":
        tell(Fail(request.address, request.job, "bad_value", "no", "other"))
        return
    if word == "chatters":
        for number in range(3):
            sys.stderr.write(f"line {number} says {request.job}\n")
            sys.stderr.flush()
    if word == "warns":
        tell(Notice(request.job, "an unknown sound"))
    if word == "mute":
        is_mute.set()
    steps = {"slow": 2000, "deaf": 2000, "mute": 300}.get(word, 20)
    for step in range(steps):
        if request.job in cancelled and word != "deaf":
            tell(Fail(request.address, request.job, "cancelled", "stopped", "none"))
            return
        tell(Progress(request.job, step / steps, f"step {step}/{steps}"))
        time.sleep(0.01)
    tell(Done(request.address, request.job, (f"/results/{request.job}.wav",)))


threading.Thread(target=listen, daemon=True).start()
while True:
    order = orders.get()
    if isinstance(order, UseModel):
        load(order)
    else:
        mark_job(order.job)
        render(order)
        mark_job("")
