"""Renders jobs on the farm, through a process that is Ray's client: several calls of `render` at a time.

Like `rendering.supervisor`, but with one call for each slot of the farm. Whether a job is tried again is decided in
`daemon.job_runner`; where the settings say so, a job that the farm lost is rendered on this machine instead.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from types import MappingProxyType

from bridge.errors import FarmLostError, JobCancelledError, WorkerDiedError, WorkerHungError
from bridge.rendering.child import CurrentProcess, RenderProcess, ReplyQueue
from bridge.rendering.pipe import to_line
from bridge.rendering.supervisor import RenderSupervisor, failure
from bridge.rendering.watchdog import Timeouts
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
    """The unfinished jobs of one call of `render`, and a queue for the replies about them."""

    def __init__(self, requests: Sequence[RenderRequest]) -> None:
        self.jobs = {request.job for request in requests}
        self.replies: ReplyQueue = asyncio.Queue()
        self.is_loading = True


class FarmSupervisor:
    """Renders jobs on the farm, several calls of `render` at a time; `local` takes over what the farm loses."""

    def __init__(
        self,
        command: Sequence[str],
        timeouts: Timeouts,
        local: RenderSupervisor | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._current = CurrentProcess(command, "farm process", timeouts, environment)
        self._local = local
        self._sorted: RenderProcess | None = None
        self._sorting: asyncio.Task[None] | None = None
        self._lanes: dict[str, _Lane] = {}
        self._cancelled: set[str] = set()

    @property
    def slots(self) -> int:
        """Calls of `render` that make progress at a time."""
        return 1 if self._current.alive is None else self._current.alive.slots

    @property
    def loaded(self) -> StatusReply | None:
        """What the farm's process said when a node had loaded its model; None while none has."""
        return self._current.loaded

    @property
    def pid(self) -> int | None:
        """The farm's process; None while there is none."""
        return self._current.pid

    @property
    def state(self) -> str:
        """`idle`, `loading` (all that run are) or `rendering`."""
        if not self._lanes:
            return "idle"
        return "loading" if all(lane.is_loading for lane in self._lanes.values()) else "rendering"

    async def render(self, requests: Sequence[RenderRequest]) -> AsyncGenerator[Reply, None]:
        """Yield the replies about a job, or about several rendered together; each job's last is a Done or a Fail.

        Raises:
            FarmLostError, WorkerDiedError, WorkerHungError: a node, or the farm, was lost before the jobs had ended.
        """
        lane = _Lane(requests)
        # Before the first await: a cancel finds its job here, also while the process is still starting.
        self._lanes |= dict.fromkeys(lane.jobs, lane)
        try:
            # aclosing, because a generator that is dropped halfway would run its own `finally` at some later time.
            async with contextlib.aclosing(self._render_there(requests, lane)) as replies:
                async for reply in replies:
                    yield reply
        except (WorkerDiedError, WorkerHungError) as error:
            lost = [request for request in requests if request.job in lane.jobs]
            for request in lost:
                # The job was to end in any case, so its loss is no failure and nothing to repeat.
                if request.job in self._cancelled:
                    lane.jobs.discard(request.job)
                    yield failure(request, JobCancelledError())
            left = [request for request in lost if request.job in lane.jobs]
            if left and self._local is None:
                raise
            if left and self._local is not None:
                log.warning("%s; this machine takes over", error)
                async with contextlib.aclosing(self._local.render(left)) as replies:
                    async for reply in replies:
                        yield reply
        finally:
            for request in requests:
                self._lanes.pop(request.job, None)
                self._cancelled.discard(request.job)

    async def _render_there(self, requests: Sequence[RenderRequest], lane: _Lane) -> AsyncGenerator[Reply, None]:
        for request in requests:
            yield Progress(request.job, 0.0, "loading")
        process = await self._get_process()
        for request in requests:
            if request.job in self._cancelled:  # while the process started, when there was nothing to send it to
                lane.jobs.discard(request.job)
                yield failure(request, JobCancelledError())
        if wanted := [self._current.with_model(request) for request in requests if request.job in lane.jobs]:
            process.render(wanted)
        lost: FarmLostError | None = None
        waiting = set(lane.jobs)
        while waiting:
            reply = await self._next_reply(process, lane)
            match reply:
                case Fail(_, job, FarmLostError.code, text):
                    # Kept back until the others have ended: raising it now would lose their replies. The job stays in
                    # `lane.jobs`, from which `render` learns what was lost.
                    lost = FarmLostError(text.removeprefix(FarmLostError("").text))
                    waiting.discard(job)
                    continue
                case Done(_, job) | Fail(_, job):
                    waiting.discard(job)
                    lane.jobs.discard(job)
                case Progress(_, _, stage):
                    lane.is_loading = stage == "loading"
            yield reply
        if lost is not None:
            raise lost

    async def use_model(self, name: str) -> Reply:
        """Load a model for all requests that name none; return the Done, or a Fail with the reason.

        Raises FarmLostError, WorkerHungError.
        """
        lane = self._lanes[""] = _Lane(())  # replies about a model carry the empty id
        try:
            process = await self._get_process()
            process.send(to_line(UseModel(model=name)))
            while not isinstance(end := await self._next_reply(process, lane), Done | Fail):
                pass
        finally:
            self._lanes.pop("", None)
        if isinstance(end, Done):
            self._current.model = name
        return end

    def cancel(self, job_id: str) -> None:
        """Ask for an end of this job between two steps; a node that goes on for too long is left to Ray."""
        self._cancelled.add(job_id)
        process = self._current.alive
        if job_id in self._lanes and process is not None and process.is_usable:
            process.send(to_line(Cancel(job=job_id)))
        if self._local is not None:  # it may have taken the job over; an id that it does not know harms nothing
            self._local.cancel(job_id)

    async def models(self) -> ModelsReply | Fail:
        """Ask which models are installed here, which are those that the farm can have. Raises WorkerDiedError."""
        return await self._current.models()

    async def stop(self) -> None:
        """Leave the farm, and end its process."""
        await self._current.stop()
        if self._sorting is not None:
            self._sorting.cancel()  # not awaited to its end: a process that cannot even be killed never sends that
        if self._local is not None:
            await self._local.stop()

    async def _next_reply(self, process: RenderProcess, lane: _Lane) -> Reply:
        """Wait for a reply about a lane's jobs. Raises FarmLostError, WorkerHungError when none can come any more."""
        try:
            return await process.next_reply(lane.replies)
        except WorkerDiedError as error:
            reason = f"the cluster, or this end of it, was lost (exit code {process.exit_code})"
            raise FarmLostError(reason) from error

    async def _get_process(self) -> RenderProcess:
        process = await self._current.get()
        if process is not self._sorted:  # its queue has kept what it has said since it started
            self._sorted = process
            self._sorting = asyncio.create_task(self._sort(process))
        return process

    async def _sort(self, process: RenderProcess) -> None:
        """Put each reply into the queue of its lane: one process answers all calls of `render`, in any order."""
        while (reply := await process.replies.get()) is not None:
            if isinstance(reply, Progress | Notice | Done | Fail) and reply.job in self._lanes:
                self._lanes[reply.job].replies.put_nowait(reply)
