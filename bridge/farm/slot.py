"""One slot of the farm: an actor on some node, and the backend that `rendering.renderer` sees in it.

Only this module and `cluster` import Ray, and only the farm's own process imports them.
"""

import itertools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from bridge import __version__
from bridge.errors import FarmLostError
from bridge.farm.actor import FarmActor, ModelManifest
from bridge.farm.models import ModelUploader
from bridge.farm.plan import FarmPlan
from bridge.rendering.pipe import RenderSetup
from bridge.rendering.renderer import folder_to_send, open_outcome

_LOOK_S = 0.25
"""How often to check whether a job that reports nothing was cancelled."""
_HELLO_S = 1.0
_PING_S = 20.0
_CALLS_AT_ONCE = 8
_TROUBLE = (RayError, ConnectionError, RuntimeError)
"""What Ray raises when an actor, its node or the cluster has gone."""

log = logging.getLogger(__name__)


class Actor:
    """An actor, and whether it is lost. Calling it calls a method of FarmActor; every loss raises FarmLostError."""

    def __init__(self, plan: FarmPlan, device: str, *, with_gpu: bool) -> None:
        self.is_lost = False
        self.node = "a node"
        options = {"num_cpus": plan.cpus, "num_gpus": plan.gpus if with_gpu else 0, "max_restarts": 0}
        with_options = ray.remote(FarmActor).options(
            **options, max_concurrency=_CALLS_AT_ONCE, scheduling_strategy="SPREAD"
        )
        self._handle = self._guarded(lambda: with_options.remote(device))

    def __call__(self, method: str, *args: Any, **keys: Any) -> Any:
        return self.get(self.start(method, *args, **keys))

    def start(self, method: str, *args: Any, **keys: Any) -> Any:
        return self._guarded(lambda: getattr(self._handle, method).remote(*args, **keys))

    def get(self, reference: Any, timeout_s: float | None = None) -> Any:
        return self._guarded(lambda: ray.get(reference, timeout=timeout_s))

    def wait(self, references: Sequence[Any], timeout_s: float) -> list[Any]:
        """Return those that are finished, after the first of them is or the time is over."""
        done, _ = self._guarded(lambda: ray.wait(list(references), num_returns=1, timeout=timeout_s))
        return list(done)

    def greet(self) -> None:
        """Wait, without limit, until a node has room for the actor; then require that it has our version of Retake."""
        hello = self.start("hello")
        while not self.wait([hello], _HELLO_S):
            pass
        self.node, version = self.get(hello)
        if version != __version__:
            raise FarmLostError(f"{self.node} has Retake {version}, and the daemon is Retake {__version__}")

    def ping(self) -> None:
        self.get(self.start("hello"), _PING_S)

    def kill(self) -> None:
        try:
            ray.kill(self._handle)
        except _TROUBLE:
            log.info("the actor on %s has gone already", self.node)

    def _guarded(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except RayTaskError:
            raise
        except _TROUBLE as error:
            self.is_lost = True
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise FarmLostError(f"{self.node} was lost ({reason[0][:200]})") from error


class RemoteBackend:
    """An engine on another machine, as `renderer.InferenceBackend` wants it."""

    _numbers = itertools.count(1)

    def __init__(self, actor: Actor, name: str, device_name: str, sample_rate: int) -> None:
        self.device_name, self.sample_rate = device_name, sample_rate
        self._actor, self._name = actor, name

    def run(self, request: Any, on_step: Callable[[Any], None], should_stop: Callable[[], bool]) -> list[Any]:
        """Answer a request, as `Engine.run` does. Raises FarmLostError, too."""
        (outcome,) = self.run_together([request], [on_step], [should_stop])
        return outcome  # type: ignore[no-any-return]

    def run_together(
        self,
        requests: Sequence[Any],
        on_step: Sequence[Callable[[Any], None]],
        should_stop: Sequence[Callable[[], bool]],
    ) -> list[Any]:
        """Answer several requests, as `Engine.run_together` does. Raises FarmLostError, too."""
        actor, number = self._actor, next(self._numbers)
        if actor.is_lost:
            raise FarmLostError(f"{actor.node} was lost")
        end = actor.start("render", number, list(requests))
        # Ray cannot call back, so progress is asked for in calls of its own, which run beside `render` on the node.
        seen, cancelled = 0, set()
        progress = actor.start("progress", number, seen)
        while end not in (there := actor.wait([end, progress], _LOOK_S)):
            for index, wants_stop in enumerate(should_stop):
                if wants_stop() and index not in cancelled:
                    cancelled.add(index)
                    actor.start("cancel", number, index)
            if progress in there:
                for step in actor.get(progress):
                    on_step[step.index](step)
                    seen += 1
                progress = actor.start("progress", number, seen)
        return open_outcome(actor.get(end))

    def unload(self) -> None:
        """Do nothing: the actor unloads a model when it loads the next."""


def load_remotely(actor: Actor, uploader: ModelUploader, setup: RenderSetup, name: str) -> RemoteBackend:
    """Load a model on a node, and upload it first where the node lacks it. Raises FarmLostError, EngineError."""
    folder: Path | None = folder_to_send(name, setup)
    manifest: ModelManifest | None = None if folder is None else uploader.upload(folder, actor.node, actor)
    answer = actor("load", name if folder is None else folder.name, manifest)
    if isinstance(answer, BaseException):
        raise answer
    device_name, sample_rate = answer
    log.info("%s has loaded %s on %s", actor.node, name, device_name)
    return RemoteBackend(actor, name, device_name, sample_rate)
