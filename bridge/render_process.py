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
from collections.abc import Callable, Sequence
from typing import BinaryIO

from bridge.job_log import mark_job, start_child_log
from bridge.messages import Cancel, Models, RenderRequest, Reply
from bridge.pipe import RenderSetup, request_from_line, to_line

_GRACE_S = 5.0
"""How long a job may take to notice that the daemon has gone."""

log = logging.getLogger(__name__)

Tell = Callable[[Reply], None]


class Orders:
    """What the daemon wants, heard by a thread of its own so that a cancel arrives while a job runs."""

    def __init__(self, stdin: BinaryIO, tell: Tell, setup: RenderSetup) -> None:
        self._stdin, self._tell, self._setup = stdin, tell, setup
        self._requests: queue.SimpleQueue[RenderRequest | None] = queue.SimpleQueue()
        self._cancelled: set[str] = set()
        self._has_ended = threading.Event()
        self._is_rendering = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def next(self) -> RenderRequest | None:
        """Wait for a request; None when there will be no more."""
        self._is_rendering.clear()
        request = self._requests.get()
        self._is_rendering.set()
        return request

    def should_stop(self, request: RenderRequest) -> bool:
        return request.job in self._cancelled or self._has_ended.is_set()

    def _listen(self) -> None:
        for line in self._stdin:
            match request_from_line(line):
                case RenderRequest() as request:
                    self._requests.put(request)
                case Cancel(job=job):
                    self._cancelled.add(job)
                case Models():
                    self._tell(importlib.import_module("bridge.render").installed_models(self._setup))
                case _:
                    log.warning("not an order: %r", line)
        self._has_ended.set()
        self._requests.put(None)
        if self._is_rendering.is_set():
            time.sleep(_GRACE_S)
        os._exit(0)


def _claim_stdout() -> BinaryIO:
    """Keep stdout for the daemon alone; what libraries print goes to stderr, into the log."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def main(argv: Sequence[str]) -> int:
    """Run the render process: `retake worker <RenderSetup as JSON>`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches us, too; the daemon decides
    start_child_log()
    setup = RenderSetup.from_json(argv[0])
    pipe, lock = _claim_stdout(), threading.Lock()

    def tell(reply: Reply) -> None:
        with lock:
            pipe.write(to_line(reply))
            pipe.flush()

    orders = Orders(sys.stdin.buffer, tell, setup)
    renderer = importlib.import_module("bridge.render").Renderer(setup, tell)  # late, because it imports torch
    while (request := orders.next()) is not None:
        mark_job(request.job)
        renderer.render(request, orders.should_stop)
        mark_job("")
    return 0
