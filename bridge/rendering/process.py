"""The render process: orders come in by stdin, news go out by stdout, and in between `render` does the work.

It lives as long as its daemon: the end of stdin, for whatever reason, is its end too. The ear is open before torch is
imported, so that this also holds during the seconds which that takes.
"""

import importlib
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from bridge.errors import UnforeseenError
from bridge.host.child_pipes import claim_stdout
from bridge.host.discovery import InstanceLock
from bridge.host.job_log import mark_job, start_child_log
from bridge.rendering.pipe import (
    HEARTBEAT,
    HEARTBEAT_S,
    PROGRESS_PING,
    SLOTS,
    RenderSetup,
    requests_from_line,
    to_line,
)
from bridge.wire.messages import Cancel, Fail, Generate, Models, RenderRequest, Reply, Request, UseModel

_GRACE_S = 5.0
"""How long a job may take to notice that the daemon has gone."""
_TURN_S = 15.0
"""How long to wait for the render process of an earlier daemon, which leaves within _GRACE_S unless it is suspended."""
_QUOTED = 200  # bytes of a line that nobody understands, for the log

log = logging.getLogger(__name__)


class RequestReader:
    """What the daemon wants, heard by a thread of its own so that a cancel arrives while a job runs."""

    def __init__(self, stdin: BinaryIO, mouth: "ReplyWriter", setup: RenderSetup) -> None:
        self._stdin, self._mouth, self._setup = stdin, mouth, setup
        self._requests: queue.SimpleQueue[tuple[Request, ...] | None] = queue.SimpleQueue()
        self._cancelled: set[str] = set()
        self._has_ended = threading.Event()
        self._is_rendering = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def next(self) -> tuple[Request, ...] | None:
        """Wait for a request, or for several that are to be answered together; None when there will be no more."""
        self._is_rendering.clear()
        request = self._requests.get()
        self._is_rendering.set()
        return request

    def should_stop(self, request: RenderRequest) -> bool:
        self._mouth.step()
        return request.job in self._cancelled or self._has_ended.is_set()

    def _listen(self) -> None:
        try:
            for line in self._stdin:
                try:
                    self._obey(line)
                except Exception:
                    log.exception("not an order: %r", line[:_QUOTED])
        except (OSError, ValueError):
            log.exception("the daemon cannot be heard any more")
        finally:
            self._leave()

    def _obey(self, line: bytes) -> None:
        match requests := requests_from_line(line):
            case ((RenderRequest() | UseModel()), *_):
                self._requests.put(requests)
            case (Cancel(job=job),):
                self._cancelled.add(job)
            case (Models(),):  # the disk may be slow, and a cancel must not wait for it
                threading.Thread(target=self._tell_models, daemon=True).start()
            case _:
                log.warning("not an order: %r", line[:_QUOTED])

    def _tell_models(self) -> None:
        try:
            reply: Reply = importlib.import_module("bridge.rendering.renderer").installed_models(self._setup)
        except Exception as error:
            log.exception("the models cannot be listed")
            told = UnforeseenError(error)
            reply = Fail(Models.address, "", told.code, told.text, told.hint)
        self._mouth.tell(reply)

    def _leave(self) -> None:
        """End the process: soon if it renders, since the job asks `should_stop`, else at once."""
        self._has_ended.set()
        self._requests.put(None)
        if self._is_rendering.is_set():
            time.sleep(_GRACE_S)
        os._exit(0)


class ReplyWriter:
    """What goes out to the daemon: replies, and signs of life in between."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe, self._lock = pipe, threading.Lock()
        self._stepped_at = 0.0
        threading.Thread(target=self._beat, daemon=True).start()

    def tell(self, reply: Reply) -> None:
        self._write(to_line(reply))

    def step(self) -> None:
        """Say that the work gets on, at most once each HEARTBEAT_S."""
        if time.monotonic() - self._stepped_at >= HEARTBEAT_S:
            self._stepped_at = time.monotonic()
            self._write(PROGRESS_PING)

    def report_slots(self, number: int) -> None:
        """Say how many jobs can be rendered at a time."""
        self._write(SLOTS + b"%d\n" % number)

    def _beat(self) -> None:
        while True:
            self._write(HEARTBEAT)
            time.sleep(HEARTBEAT_S)

    def _write(self, line: bytes) -> None:
        with self._lock:
            try:
                self._pipe.write(line)
                self._pipe.flush()
            except (OSError, ValueError):  # the daemon has gone; the end of stdin says so, too
                return


def wait_for_turn(setup: RenderSetup, lock_file: str = "worker.lock") -> InstanceLock | None:
    """Wait until the render process of a killed daemon has left: two might write the same takes."""
    if setup.state_dir is None:
        return None
    lock = InstanceLock(Path(setup.state_dir), lock_file)
    deadline = time.monotonic() + _TURN_S
    while not lock.acquire():
        if time.monotonic() > deadline:
            log.warning("an earlier render process does not leave")
            return None
        time.sleep(0.05)
    return lock


def main(argv: Sequence[str]) -> int:
    """Run the render process: `retake worker <RenderSetup as JSON>`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches us, too; the daemon decides
    start_child_log()
    setup = RenderSetup.given(argv[0], os.environ)
    mouth = ReplyWriter(claim_stdout())
    orders = RequestReader(sys.stdin.buffer, mouth, setup)
    turn = wait_for_turn(setup)  # held as long as we live
    renderer = importlib.import_module("bridge.rendering.renderer").Renderer(
        setup, mouth.tell
    )  # late, because it imports torch
    renderer.tidy()
    while (requests := orders.next()) is not None:
        match requests:
            case (UseModel() as request,):
                renderer.load(request)
            case (RenderRequest() as request,):
                mark_job(request.job)
                renderer.render(request, orders.should_stop)
                mark_job("")
            case _:
                renderer.render_together([one for one in requests if isinstance(one, Generate)], orders.should_stop)
    del turn
    return 0
