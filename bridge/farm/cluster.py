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
"""A cluster that does not answer for this long is lost."""
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
    """Renders as many jobs at a time as it has slots; the replies about them go out by `replies`.

    Each slot has a thread of its own, because Ray's calls wait; another thread watches the cluster. What they share,
    the waiting requests and the count of open slots, is guarded by `_changed`, never held while Ray is called.
    """

    def __init__(
        self, plan: FarmPlan, setup: RenderSetup, replies: ReplyWriter, should_stop: Callable[[RenderRequest], bool]
    ) -> None:
        connect(plan, Path(setup.state_dir) if setup.state_dir else None)
        self._plan, self._setup, self._replies, self._should_stop = plan, setup, replies, should_stop
        self._uploader = ModelUploader()
        self._waiting: deque[tuple[float, QueuedRequests]] = deque()
        self._changed = threading.Condition()
        self._num_slots = self._num_open = 0
        self._open_since = time.monotonic()
        threading.Thread(target=self._watch_cluster, daemon=True).start()

    def hand_over(self, requests: QueuedRequests) -> None:
        """Let a job, or several that are rendered together, wait for a slot."""
        with self._changed:
            self._waiting.append((time.monotonic(), requests))
            self._changed.notify()

    # ---------------------------------------------------------------------------------------- the cluster

    def _watch_cluster(self) -> None:
        """Watch the cluster: add slots where there is room; end the process when the cluster is lost.

        The question runs on a thread of its own, because Ray waits without limit for a cluster that has gone.
        """
        with ThreadPoolExecutor(1) as pool:
            while True:
                try:
                    resources = pool.submit(ray.cluster_resources).result(_PROBE_S)
                except Exception:
                    log.exception("the farm %s is lost", self._plan.address)
                    os._exit(_LOST)  # at once: threads that wait for Ray could not be ended in any other way
                room = self._plan.room(resources.get("CPU", 0.0), resources.get("GPU", 0.0))
                while self._num_slots < room:
                    self._num_slots += 1
                    with_gpu = bool(resources.get("GPU") and self._plan.gpus)
                    threading.Thread(target=self._keep_slot, args=(with_gpu,), daemon=True).start()
                self._answer_in_vain()
                time.sleep(_LOOK_S)

    def _answer_in_vain(self) -> None:
        """Fail the jobs that wait for too long, and those that were cancelled meanwhile."""
        now = time.monotonic()
        failed: list[tuple[Request, BridgeError]] = []
        with self._changed:
            is_closed = not self._num_open and now - self._open_since > self._plan.wait_s
            for entry in list(self._waiting):
                since, requests = entry
                if is_closed and now - since > self._plan.wait_s:
                    self._waiting.remove(entry)
                    failed += [(request, FarmLostError("no node has room for an actor")) for request in requests]
                elif all(isinstance(request, RenderRequest) and self._should_stop(request) for request in requests):
                    self._waiting.remove(entry)
                    failed += [(request, JobCancelledError()) for request in requests]
        for request, error in failed:  # outside the lock: writing to a full pipe waits
            self._send(_failure(request, error))

    # -------------------------------------------------------------------------------------------- a slot

    def _keep_slot(self, with_gpu: bool) -> None:
        """Serve from one actor after another, for ever: the thread of a slot outlives the nodes that it works on."""
        while True:
            try:
                self._serve(Actor(self._plan, self._setup.device, with_gpu=with_gpu))
            except FarmLostError as error:
                log.warning("%s", error)
            except Exception:
                log.exception("a slot of the farm failed")
            time.sleep(_LOOK_S)

    def _serve(self, actor: Actor) -> None:
        try:
            actor.greet()
            log.info("an actor on %s is ready", actor.node)
            renderer = Renderer(
                self._setup, self._send, lambda name, *_: load_remotely(actor, self._uploader, self._setup, name)
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
        requests = self._take()
        match requests:
            case None:
                actor.ping()
            case (UseModel() as request,):
                renderer.load(request)
            case (RenderRequest() as request,):
                renderer.render(request, self._should_stop)
            case _:
                renderer.render_together([one for one in requests if isinstance(one, Generate)], self._should_stop)

    def _take(self) -> QueuedRequests | None:
        """Return the requests that have waited longest; None when there are none for a moment."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting), _LOOK_S)
            return self._waiting.popleft()[1] if self._waiting else None

    def _open(self, change: int) -> None:
        with self._changed:
            self._num_open += change
            self._open_since = time.monotonic()
            self._replies.report_slots(max(self._num_open, 1))

    def _send(self, reply: Reply) -> None:
        self._replies.send(reply)


def _failure(request: Request, error: BridgeError) -> Fail:
    job = request.job if isinstance(request, RenderRequest) else ""
    return Fail(request.address, job, error.code, error.text, error.hint)
