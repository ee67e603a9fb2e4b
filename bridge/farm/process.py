"""The farm's process: orders by stdin, news by stdout, as of the render process, but for many jobs at a time.

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
    mouth = ReplyWriter(claim_stdout())
    orders = RequestReader(sys.stdin.buffer, mouth, setup)
    turn = wait_for_turn(setup, _LOCK_FILE)  # held as long as we live
    while (farm := _open_farm(plan, setup, mouth, orders)) is None:
        pass
    while (requests := orders.next()) is not None:
        farm.hand_over(requests)
    del turn
    return 0


def _open_farm(plan: FarmPlan, setup: RenderSetup, mouth: ReplyWriter, orders: RequestReader) -> Any:
    """Join the farm; where that cannot be, say so to whoever wants something of it, and give None."""
    try:
        try:
            importlib.import_module("ray")
        except ImportError as error:
            raise FarmLostError("the package ray is not installed; `pip install 'retake[farm]'` brings it") from error
        importlib.import_module("bridge.rendering.renderer").Renderer(setup, mouth.tell).tidy()
        return importlib.import_module("bridge.farm.cluster").Farm(plan, setup, mouth, orders.should_stop)
    except FarmLostError as error:
        log.warning("%s", error)
        _refuse(orders.next() or (), error, mouth)
        return None


def _refuse(requests: Sequence[Request], error: BridgeError, mouth: ReplyWriter) -> None:
    for request in requests:
        job = request.job if isinstance(request, RenderRequest) else ""
        mouth.tell(Fail(request.address, job, error.code, error.text, error.hint))
