"""Renders jobs in a process of its own: one at a time, or several together; notices when that process dies or hangs.

A crash or a hang costs the process; the daemon goes on. Whether a job is tried again is decided in `daemon.job_runner`.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from types import MappingProxyType

from bridge.errors import BridgeError, JobCancelledError, WorkerDiedError, WorkerHungError
from bridge.rendering.child import CurrentProcess, RenderProcess
from bridge.rendering.pipe import to_line
from bridge.rendering.watchdog import Timeouts
from bridge.wire.messages import (
    Cancel,
    Done,
    Fail,
    ModelsReply,
    Progress,
    RenderRequest,
    Reply,
    StatusReply,
    UseModel,
)

log = logging.getLogger(__name__)


class RenderSupervisor:
    """Renders one job at a time, or several together, in a process of its own, which stays for the next job."""

    slots = 1
    """Calls of `render` that make progress at a time."""

    def __init__(
        self, command: Sequence[str], timeouts: Timeouts, environment: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._current = CurrentProcess(command, "render process", timeouts, environment)
        self._cancel_s = timeouts.cancel_s
        self._turn = asyncio.Lock()  # one job, or one model to load, at a time: replies are not told apart otherwise
        self._jobs: set[str] = set()
        self._is_busy = False
        self._is_loading = False
        self._cancelled: set[str] = set()

    @property
    def loaded(self) -> StatusReply | None:
        """What the render process said when it had loaded its model; None while it has none."""
        return self._current.loaded

    @property
    def pid(self) -> int | None:
        """The render process; None while there is none."""
        return self._current.pid

    @property
    def state(self) -> str:
        """`idle`, `loading` or `rendering`."""
        if not self._is_busy:
            return "idle"
        return "loading" if self._is_loading else "rendering"

    async def render(self, requests: Sequence[RenderRequest]) -> AsyncGenerator[Reply, None]:
        """Yield the replies about a job, or about several rendered together; each job's last is a Done or a Fail.

        Raises:
            WorkerDiedError, WorkerHungError: the process ended, or had to be ended, before the jobs did.
        """
        async with self._turn:
            self._is_busy, self._jobs = True, {request.job for request in requests}
            try:
                for request in requests:
                    yield self._note(Progress(request.job, 0.0, "loading"))
                process = await self._current.get()
                # A cancel may have come while we waited for our turn or for the start: there was no process then to
                # send it to, so it was only noted. From now on `cancel` sends it, and the process remembers it.
                for request in requests:
                    if request.job in self._cancelled:
                        yield self._note(failure(request, JobCancelledError()))
                if wanted := [self._current.with_model(request) for request in requests if request.job in self._jobs]:
                    process.render(wanted)
                while self._jobs:
                    yield self._note(await process.next_reply(process.replies))
            except (WorkerDiedError, WorkerHungError):
                # `_kill_if_running` ends the process to enforce a cancel: that job was cancelled, it did not fail.
                for request in requests:
                    if request.job in self._jobs & self._cancelled:
                        yield self._note(failure(request, JobCancelledError()))
                if self._jobs:
                    raise
            finally:
                # Also when the consumer closes this generator: the next job must not inherit our state.
                self._is_busy, self._jobs = False, set()
                self._cancelled.difference_update(request.job for request in requests)

    async def use_model(self, name: str) -> Reply:
        """Load a model for all requests that name none; return the Done, or a Fail with the reason.

        Raises WorkerDiedError, WorkerHungError.
        """
        async with self._turn:
            self._is_busy = self._is_loading = True
            try:
                process = await self._current.get()
                process.send(to_line(UseModel(model=name)))
                process.watchdog.restart()
                while not isinstance(end := await process.next_reply(process.replies), Done | Fail):
                    pass
            finally:
                self._is_busy = False
        if isinstance(end, Done):
            self._current.model = name
        return end

    def cancel(self, job_id: str) -> None:
        """Ask the process to stop this job; kill the process if it is loading, or goes on for too long.

        A job that was handed over but waits for its turn ends when the turn comes.
        """
        if job_id in self._cancelled:
            return
        self._cancelled.add(job_id)
        process = self._current.alive
        if job_id in self._jobs and process is not None:
            process.send(to_line(Cancel(job=job_id)))
            # Loading cannot be interrupted, so there is nothing to wait for. call_later instead of a task: the
            # job may end, and another begin, before it is due, and `_kill_if_running` looks again by itself.
            delay = 0.0 if self._is_loading else self._cancel_s
            asyncio.get_running_loop().call_later(delay, self._kill_if_running, process, job_id)

    async def models(self) -> ModelsReply | Fail:
        """Ask which models are installed. Raises WorkerDiedError, BusyError."""
        return await self._current.models()

    async def stop(self) -> None:
        """End the process, and with it unload the model."""
        await self._current.stop()

    def _note(self, reply: Reply) -> Reply:
        match reply:
            case Progress(_, _, stage):
                self._is_loading = stage == "loading"
            case Done(_, job) | Fail(_, job):
                self._jobs.discard(job)
        return reply

    def _kill_if_running(self, process: RenderProcess, job_id: str) -> None:
        if job_id in self._jobs and process.is_alive:
            log.warning("job %s: stopped by force", job_id)
            process.kill()


def failure(request: RenderRequest, error: BridgeError) -> Fail:
    """Return the reply that says that `error` ended a request's job."""
    return Fail(request.address, request.job, error.code, error.text, error.hint)
