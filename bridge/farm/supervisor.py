"""The keeper of the farm's process: what `worker` is for one job at a time, for as many as the farm has places.

Whether a job is tried again is the desk's decision; where the settings say so, a job that the farm lost is rendered on
this machine instead.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from bridge.errors import FarmLostError, JobCancelledError, WorkerDiedError, WorkerHungError
from bridge.rendering.pipe import to_line
from bridge.rendering.supervisor import LOOK_S, RenderProcess, RenderSupervisor, Timeouts, failure
from bridge.wire.messages import (
    Cancel,
    Done,
    Fail,
    ModelsReply,
    Notice,
    Progress,
    RenderRequest,
    Reply,
    StatusReply,
    UseModel,
)

log = logging.getLogger(__name__)


class _Lane:
    """The jobs of one call of `render`, and what is said about them."""

    def __init__(self, requests: Sequence[RenderRequest]) -> None:
        self.jobs = {request.job for request in requests}
        self.news: asyncio.Queue[Reply] = asyncio.Queue()
        self.is_loading = True


class FarmSupervisor:
    """Renders jobs on the farm, several calls of `render` at a time; `local` takes over what the farm loses."""

    def __init__(
        self,
        command: Sequence[str],
        patience: Timeouts,
        local: RenderSupervisor | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._environment = environment
        self._command, self._patience, self._local = command, patience, local
        self._child: RenderProcess | None = None
        self._sorting: asyncio.Task[None] | None = None
        self._lanes: dict[str, _Lane] = {}
        self._cancelled: set[str] = set()
        self._starting, self._asking = asyncio.Lock(), asyncio.Lock()
        self._model: str | None = None

    @property
    def places(self) -> int:
        """Calls of `render` that get on at a time."""
        return self._child.places if self._child is not None and self._child.is_alive else 1

    @property
    def loaded(self) -> StatusReply | None:
        return self._child.loaded if self._child is not None and self._child.is_alive else None

    @property
    def state(self) -> str:
        if not self._lanes:
            return "idle"
        return "loading" if all(lane.is_loading for lane in self._lanes.values()) else "rendering"

    async def render(self, requests: Sequence[RenderRequest]) -> AsyncGenerator[Reply, None]:
        """Give the news of a job, or of several that are rendered together; the last of each is a Done or a Fail.

        Raises:
            FarmLostError, WorkerDiedError, WorkerHungError: a node, or the farm, was lost before the jobs had ended.
        """
        lane = _Lane(requests)
        self._lanes |= dict.fromkeys(lane.jobs, lane)
        try:
            async with contextlib.aclosing(self._render_there(requests, lane)) as all_news:
                async for news in all_news:
                    yield news
        except (WorkerDiedError, WorkerHungError) as error:
            lost = [request for request in requests if request.job in lane.jobs]
            for request in lost:
                if request.job in self._cancelled:
                    lane.jobs.discard(request.job)
                    yield failure(request, JobCancelledError())
            left = [request for request in lost if request.job in lane.jobs]
            if left and self._local is None:
                raise
            if left and self._local is not None:
                log.warning("%s; this machine takes over", error)
                async with contextlib.aclosing(self._local.render(left)) as all_news:
                    async for news in all_news:
                        yield news
        finally:
            for request in requests:
                self._lanes.pop(request.job, None)
                self._cancelled.discard(request.job)

    async def _render_there(self, requests: Sequence[RenderRequest], lane: _Lane) -> AsyncGenerator[Reply, None]:
        for request in requests:
            yield Progress(request.job, 0.0, "loading")
        child = await self._ensure_child()
        for request in requests:
            if request.job in self._cancelled:
                lane.jobs.discard(request.job)
                yield failure(request, JobCancelledError())
        if wanted := [self._with_model(request) for request in requests if request.job in lane.jobs]:
            child.render(wanted)
        lost: FarmLostError | None = None
        waiting = set(lane.jobs)
        while waiting:
            news = await self._next(child, lane.news)
            match news:
                case Fail(_, job, FarmLostError.code, text):
                    lost = FarmLostError(text.removeprefix(FarmLostError("").text))
                    waiting.discard(job)
                    continue
                case Done(_, job) | Fail(_, job):
                    waiting.discard(job)
                    lane.jobs.discard(job)
                case Progress(_, _, stage):
                    lane.is_loading = stage == "loading"
            yield news
        if lost is not None:
            raise lost

    async def use_model(self, name: str) -> Reply:
        """Load a model, which is then that of all requests that name none; give the Done, or a Fail that says why not.

        Raises WorkerDiedError, WorkerHungError.
        """
        lane = self._lanes[""] = _Lane(())
        try:
            child = await self._ensure_child()
            child.tell(to_line(UseModel(model=name)))
            while not isinstance(end := await self._next(child, lane.news), Done | Fail):
                pass
        finally:
            self._lanes.pop("", None)
        if isinstance(end, Done):
            self._model = name
        return end

    def cancel(self, job_id: str) -> None:
        """Ask for an end of this job between two steps; a node that goes on for too long is left to Ray."""
        self._cancelled.add(job_id)
        if job_id in self._lanes and self._child is not None and self._child.is_usable:
            self._child.tell(to_line(Cancel(job=job_id)))
        if self._local is not None:
            self._local.cancel(job_id)

    async def models(self) -> ModelsReply | Fail:
        """Ask which models are installed here, which are those that the farm can have. Raises WorkerDiedError."""
        async with self._asking:
            child = await self._ensure_child()
            return await child.list_models(self._patience.silence_s)

    async def stop(self) -> None:
        """Leave the farm."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop()
        if self._sorting is not None:
            await self._sorting
        if self._local is not None:
            await self._local.stop()

    async def _next(self, child: RenderProcess, news: asyncio.Queue[Reply]) -> Reply:
        """Wait for news. Raises FarmLostError, WorkerHungError when none can come any more."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    return await news.get()
            if not child.is_alive and news.empty():
                raise FarmLostError(f"the cluster, or this end of it, was lost (exit code {child.exit_code})")
            if (silence_s := child.watch.overdue_s()) is not None:
                log.warning("the farm's process %d gave no sign of life for %.0f s", child.pid, silence_s)
                await child.end()
                raise WorkerHungError(silence_s)

    def _with_model(self, request: RenderRequest) -> RenderRequest:
        return request if request.model or self._model is None else replace(request, model=self._model)

    async def _ensure_child(self) -> RenderProcess:
        async with self._starting:
            if self._child is None or not self._child.is_usable:
                self._child = await RenderProcess.start(self._command, self._patience, self._environment)
                self._sorting = asyncio.create_task(self._sort(self._child))
            return self._child

    async def _sort(self, child: RenderProcess) -> None:
        """Give each lane its news."""
        while (news := await child.news.get()) is not None:
            if isinstance(news, Progress | Notice | Done | Fail) and news.job in self._lanes:
                self._lanes[news.job].news.put_nowait(news)
