"""The render process: requests by stdin, replies by stdout, and in between `renderer` does the work.

It lives as long as its daemon: the end of stdin, for whatever reason, is its end too. Stdin is read before torch is
imported, so that this also holds during the seconds which that takes. Three threads: the main one renders, one reads
stdin, so that a cancel arrives while a job runs, and one sends heartbeats, so that a long step is not taken for a hang.
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
"""How long a job may take to stop once the daemon has gone."""
_TURN_S = 15.0
"""How long to wait for the render process of an earlier daemon, which leaves within _GRACE_S unless it is suspended."""
_QUOTED = 200  # bytes of an unreadable line, for the log

log = logging.getLogger(__name__)


class RequestReader:
    """Reads what the daemon sends, on a thread of its own, so that a cancel arrives while a job runs.

    The two threads share a queue, a set of job ids that only grows, and events: none of them needs a lock.
    """

    def __init__(self, stdin: BinaryIO, writer: "ReplyWriter", setup: RenderSetup) -> None:
        self._stdin, self._writer, self._setup = stdin, writer, setup
        self._requests: queue.SimpleQueue[tuple[Request, ...] | None] = queue.SimpleQueue()
        self._cancelled: set[str] = set()
        self._has_ended = threading.Event()
        self._is_rendering = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def next(self) -> tuple[Request, ...] | None:
        """Wait for a request, or for several that are to be rendered together; None when there will be no more."""
        self._is_rendering.clear()  # `_leave` then need not wait for this thread
        request = self._requests.get()
        self._is_rendering.set()
        return request

    def should_stop(self, request: RenderRequest) -> bool:
        self._writer.step()
        return request.job in self._cancelled or self._has_ended.is_set()

    def _listen(self) -> None:
        try:
            for line in self._stdin:
                try:
                    self._take(line)
                except Exception:
                    log.exception("not a request: %r", line[:_QUOTED])
        except (OSError, ValueError):
            log.exception("stdin cannot be read any more")
        finally:
            self._leave()

    def _take(self, line: bytes) -> None:
        match requests := requests_from_line(line):
            case ((RenderRequest() | UseModel()), *_):
                self._requests.put(requests)
            case (Cancel(job=job),):
                self._cancelled.add(job)
            case (Models(),):  # the disk may be slow, and a cancel must not wait for it
                threading.Thread(target=self._send_models, daemon=True).start()
            case _:
                log.warning("not a request: %r", line[:_QUOTED])

    def _send_models(self) -> None:
        try:
            reply: Reply = importlib.import_module("bridge.rendering.renderer").installed_models(self._setup)
        except Exception as error:
            log.exception("the models cannot be listed")
            failure = UnforeseenError(error)
            reply = Fail(Models.address, "", failure.code, failure.text, failure.hint)
        self._writer.send(reply)

    def _leave(self) -> None:
        """End the process: after a moment if it renders, since the job asks `should_stop`, else at once.

        By _exit, because the main thread may be deep inside torch, or in an import, and cannot be ended otherwise.
        """
        self._has_ended.set()
        self._requests.put(None)
        if self._is_rendering.is_set():
            time.sleep(_GRACE_S)
        os._exit(0)


class ReplyWriter:
    """Writes to the daemon: replies, and signs of life in between.

    Several threads write, so a lock keeps each line whole.
    """

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe, self._lock = pipe, threading.Lock()
        self._stepped_at = 0.0
        threading.Thread(target=self._beat, daemon=True).start()

    def send(self, reply: Reply) -> None:
        self._write(to_line(reply))

    def step(self) -> None:
        """Report progress, at most once each HEARTBEAT_S."""
        if time.monotonic() - self._stepped_at >= HEARTBEAT_S:
            self._stepped_at = time.monotonic()
            self._write(PROGRESS_PING)

    def report_slots(self, number: int) -> None:
        """Report how many jobs can be rendered at a time."""
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
            except (OSError, ValueError):  # the daemon has gone; stdin ends as well, and with it this process
                return


def wait_for_turn(setup: RenderSetup, lock_file: str = "worker.lock") -> InstanceLock | None:
    """Wait until the render process of a killed daemon has ended: two might write the same takes."""
    if setup.state_dir is None:
        return None
    lock = InstanceLock(Path(setup.state_dir), lock_file)
    deadline = time.monotonic() + _TURN_S
    while not lock.acquire():
        if time.monotonic() > deadline:
            log.warning("an earlier render process does not end")
            return None
        time.sleep(0.05)
    return lock


def main(argv: Sequence[str]) -> int:
    """Run the render process: `retake worker <RenderSetup as JSON>`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches us, too; the daemon decides
    start_child_log()
    setup = RenderSetup.given(argv[0], os.environ)
    writer = ReplyWriter(claim_stdout())
    reader = RequestReader(sys.stdin.buffer, writer, setup)
    turn = wait_for_turn(setup)  # held as long as this process lives
    renderer = importlib.import_module("bridge.rendering.renderer").Renderer(
        setup, writer.send
    )  # late, because it imports torch
    renderer.tidy()
    while (requests := reader.next()) is not None:
        match requests:
            case (UseModel() as request,):
                renderer.load(request)
            case (RenderRequest() as request,):
                mark_job(request.job)
                renderer.render(request, reader.should_stop)
                mark_job("")
            case _:
                renderer.render_together([one for one in requests if isinstance(one, Generate)], reader.should_stop)
    del turn
    return 0
