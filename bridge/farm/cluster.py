"""The farm as its own process sees it: a Ray cluster, slots in it, and the jobs that wait for a slot.

A slot whose actor is lost gets another one wherever there is room. When the cluster itself is lost the process ends,
and the daemon starts a fresh one.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ray

from bridge.errors import BridgeError, FarmLostError, JobCancelledError
from bridge.farm.models import ModelUploader
from bridge.farm.plan import FarmPlan
from bridge.farm.privacy import close_token, closed_to_others, private_folder
from bridge.farm.slot import Actor, load_remotely
from bridge.rendering.pipe import RenderSetup
from bridge.rendering.process import ReplyWriter
from bridge.rendering.renderer import Renderer
from bridge.wire.messages import Fail, Generate, RenderRequest, Reply, Request, UseModel

_LOOK_S = 1.0
_PROBE_S = 15.0
"""A cluster that says nothing for so long is lost."""
_RETRY_S = 2.0
_LOST = 3
"""Exit code of a process whose cluster is lost."""

log = logging.getLogger(__name__)

QueuedRequests = tuple[Request, ...]


def connect(plan: FarmPlan, state: Path | None = None) -> None:
    """Join the cluster, or start one on this machine, with its files below `state`.

    Raises FarmLostError after `plan.wait_s`.
    """
    deadline = time.monotonic() + plan.wait_s
    close_token(os.environ, Path.home())
    while True:
        try:
            with closed_to_others():
                ray.init(**_init_options(plan, state))
        except (ConnectionError, RuntimeError, OSError, ValueError) as error:
            if time.monotonic() > deadline:
                raise FarmLostError(f"{plan.address} cannot be reached ({error})") from error
            log.info("the farm %s cannot be reached yet: %s", plan.address, error)
            time.sleep(_RETRY_S)
        else:
            return


def _init_options(plan: FarmPlan, state: Path | None) -> dict[str, Any]:
    options: dict[str, Any] = {"address": plan.address, "log_to_driver": False, "namespace": "retake"}
    if plan.address == "local":  # on the loopback interface, as the environment says
        folder = private_folder(state) / "r"
        options |= {"include_dashboard": False, "configure_logging": False, "_temp_dir": str(folder)}
    return options


class Farm:
    """Renders as many jobs at a time as it has places; tells of each by `mouth`."""

    def __init__(
        self, plan: FarmPlan, setup: RenderSetup, mouth: ReplyWriter, should_stop: Callable[[RenderRequest], bool]
    ) -> None:
        connect(plan, Path(setup.state_dir) if setup.state_dir else None)
        self._plan, self._setup, self._mouth, self._should_stop = plan, setup, mouth, should_stop
        self._courier = ModelUploader()
        self._waiting: deque[tuple[float, QueuedRequests]] = deque()
        self._some = threading.Condition()
        self._num_slots = self._num_open = 0
        self._open_since = time.monotonic()
        threading.Thread(target=self._mind, daemon=True).start()

    def hand_over(self, orders: QueuedRequests) -> None:
        """Let a job, or several that are rendered together, wait for a place."""
        with self._some:
            self._waiting.append((time.monotonic(), orders))
            self._some.notify()

    # ---------------------------------------------------------------------------------------- the cluster

    def _mind(self) -> None:
        """Look after the cluster: new places where there is room, an end where it is lost."""
        with ThreadPoolExecutor(1) as pool:
            while True:
                try:
                    resources = pool.submit(ray.cluster_resources).result(_PROBE_S)
                except Exception:
                    log.exception("the farm %s is lost", self._plan.address)
                    os._exit(_LOST)
                room = self._plan.room(resources.get("CPU", 0.0), resources.get("GPU", 0.0))
                while self._num_slots < room:
                    self._num_slots += 1
                    with_gpu = bool(resources.get("GPU") and self._plan.gpus)
                    threading.Thread(target=self._keep_slot, args=(with_gpu,), daemon=True).start()
                self._dismiss()
                time.sleep(_LOOK_S)

    def _dismiss(self) -> None:
        """Answer for the jobs that wait in vain: no place for too long, or cancelled meanwhile."""
        now = time.monotonic()
        failed: list[tuple[Request, BridgeError]] = []
        with self._some:
            is_closed = not self._num_open and now - self._open_since > self._plan.wait_s
            for entry in list(self._waiting):
                since, orders = entry
                if is_closed and now - since > self._plan.wait_s:
                    self._waiting.remove(entry)
                    failed += [(order, FarmLostError("no node has room for an actor")) for order in orders]
                elif all(isinstance(order, RenderRequest) and self._should_stop(order) for order in orders):
                    self._waiting.remove(entry)
                    failed += [(order, JobCancelledError()) for order in orders]
        for order, error in failed:
            self._tell(_failure(order, error))

    # ------------------------------------------------------------------------------------------- a place

    def _keep_slot(self, with_gpu: bool) -> None:
        while True:
            try:
                self._serve(Actor(self._plan, self._setup.device, with_gpu=with_gpu))
            except FarmLostError as error:
                log.warning("%s", error)
            except Exception:
                log.exception("a place of the farm failed")
            time.sleep(_LOOK_S)

    def _serve(self, actor: Actor) -> None:
        try:
            actor.greet()
            log.info("an actor on %s is ready", actor.node)
            renderer = Renderer(
                self._setup, self._tell, lambda name, *_: load_remotely(actor, self._courier, self._setup, name)
            )
            renderer.warm()
            self._open(1)
            try:
                while not actor.is_lost:
                    self._work(renderer, actor)
            finally:
                self._open(-1)
        finally:
            actor.kill()

    def _work(self, renderer: Renderer, actor: Actor) -> None:
        orders = self._take()
        match orders:
            case None:
                actor.ping()
            case (UseModel() as request,):
                renderer.load(request)
            case (RenderRequest() as request,):
                renderer.render(request, self._should_stop)
            case _:
                renderer.render_together([one for one in orders if isinstance(one, Generate)], self._should_stop)

    def _take(self) -> QueuedRequests | None:
        """Give whoever has waited longest; None when nobody comes for a moment."""
        with self._some:
            self._some.wait_for(lambda: bool(self._waiting), _LOOK_S)
            return self._waiting.popleft()[1] if self._waiting else None

    def _open(self, change: int) -> None:
        with self._some:
            self._num_open += change
            self._open_since = time.monotonic()
            self._mouth.report_slots(max(self._num_open, 1))

    def _tell(self, reply: Reply) -> None:
        self._mouth.tell(reply)


def _failure(request: Request, error: BridgeError) -> Fail:
    job = request.job if isinstance(request, RenderRequest) else ""
    return Fail(request.address, job, error.code, error.text, error.hint)
