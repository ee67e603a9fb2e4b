"""The farm's process: requests by stdin, replies by stdout, like the render process, but for many jobs at a time.

It is Ray's client, reads the clips and writes the takes, so that the nodes need none of the artist's folders.
"""

import importlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from bridge.errors import BridgeError, FarmLostError
from bridge.farm.plan import FarmPlan
from bridge.farm.privacy import environment
from bridge.host.child_pipes import claim_stdout
from bridge.host.job_log import start_child_log
from bridge.rendering.pipe import RenderSetup
from bridge.rendering.process import ReplyWriter, RequestReader, wait_for_turn
from bridge.wire.messages import Fail, RenderRequest, Request

_LOCK_FILE = "farm.lock"
log = logging.getLogger(__name__)


def main(argv: Sequence[str]) -> int:
    """Run the farm's process: `retake farm-worker <RenderSetup> <FarmPlan>`, both as JSON."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches us, too; the daemon decides
    start_child_log()
    setup, plan = RenderSetup.given(argv[0], os.environ), FarmPlan.from_json(argv[1])
    os.environ.update(environment(plan))
    writer = ReplyWriter(claim_stdout())
    reader = RequestReader(sys.stdin.buffer, writer, setup)
    turn = wait_for_turn(setup, _LOCK_FILE)  # held as long as this process lives
    while (farm := _open_farm(plan, setup, writer, reader)) is None:
        pass
    while (requests := reader.next()) is not None:
        farm.hand_over(requests)
    del turn
    return 0


def _open_farm(plan: FarmPlan, setup: RenderSetup, writer: ReplyWriter, reader: RequestReader) -> Any:
    """Join the farm; where that fails, answer the next requests with the reason, and return None."""
    try:
        try:
            importlib.import_module("ray")
        except ImportError as error:
            raise FarmLostError("the package ray is not installed; `pip install 'retake[farm]'` brings it") from error
        importlib.import_module("bridge.rendering.renderer").Renderer(setup, writer.send).tidy()
        return importlib.import_module("bridge.farm.cluster").Farm(plan, setup, writer, reader.should_stop)
    except FarmLostError as error:
        log.warning("%s", error)
        _refuse(reader.next() or (), error, writer)
        return None


def _refuse(requests: Sequence[Request], error: BridgeError, writer: ReplyWriter) -> None:
    for request in requests:
        job = request.job if isinstance(request, RenderRequest) else ""
        writer.send(Fail(request.address, job, error.code, error.text, error.hint))
