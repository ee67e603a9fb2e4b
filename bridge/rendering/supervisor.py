"""The keeper of the render process: starts it when there is work, talks to it in lines, notices when it dies or hangs.

A crash or a hang costs the process; the daemon never feels it. Whether a job is tried again is the desk's decision.
"""

import asyncio
import contextlib
import logging
import os
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from bridge.errors import BridgeError, BusyError, JobCancelledError, WorkerDiedError, WorkerHungError
from bridge.host.job_log import about_job, marked_job
from bridge.host.program import HOME, start_flags
from bridge.rendering.pipe import HEARTBEAT, PLACES, PROGRESS_PING, reply_from_line, to_line, to_shared_line
from bridge.wire.messages import (
    Cancel,
    Done,
    Fail,
    Models,
    ModelsReply,
    Progress,
    RenderRequest,
    Reply,
    StatusReply,
    UseModel,
)

LOOK_S = 0.5
"""How often we look whether the render process still gives signs of life."""
_ASLEEP_S = 5.0
"""Between two looks so much time passes only when we ourselves were suspended: then its silence means nothing."""
_MAX_LINE = 2**22
"""Bytes of one message from the render process."""
_FAREWELL_S = 2.0
"""How long a render process may take to leave when it is told to."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Timeouts:
    """How long the render process may go on after a cancel, give no sign of life, and not get on with its job."""

    cancel_s: float = 10.0
    silence_s: float = 60.0
    stuck_s: float = 1200.0


class Watchdog:
    """Notices that the render process hangs: it is silent (suspended, swapped out) or alive without getting on."""

    def __init__(self, patience: Timeouts) -> None:
        self._patience = patience
        self._looked_at = self._heard_at = self._stepped_at = time.monotonic()

    def start(self) -> None:
        self._looked_at = self._heard_at = self._stepped_at = time.monotonic()

    def hear(self, line: bytes) -> None:
        """Take note of a line; all but a heartbeat show that the work gets on."""
        self._heard_at = time.monotonic()
        if line != HEARTBEAT:
            self._stepped_at = self._heard_at

    def overdue_s(self) -> float | None:
        """Give the length of a silence that is too long; None while all is well."""
        now = time.monotonic()
        if now - self._looked_at > _ASLEEP_S:
            self.start()
        self._looked_at = now
        if now - self._heard_at > self._patience.silence_s:
            return now - self._heard_at
        return now - self._stepped_at if now - self._stepped_at > self._patience.stuck_s else None


class RenderProcess:
    """One render process. `news` gives what it says about its job, and None at its end."""

    def __init__(self, process: Process, patience: Timeouts) -> None:
        self.watch = Watchdog(patience)
        self.news: asyncio.Queue[Reply | None] = asyncio.Queue()
        self.loaded: StatusReply | None = None
        self.places = 1
        self.models: asyncio.Queue[ModelsReply | Fail | None] = asyncio.Queue()
        self._process = process
        self._is_ending = False
        self._job = ""  # what it works on, for the log: these tasks outlive the job that started them
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._read_log())]

    @classmethod
    async def start(cls, command: Sequence[str], patience: Timeouts, environment: Mapping[str, str]) -> "RenderProcess":
        """Start the process. Raises OSError when the system refuses."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=HOME,
            limit=_MAX_LINE,
            env=os.environ | dict(environment),
            creationflags=start_flags(),
        )
        log.info("render process %d started", process.pid)
        return cls(process, patience)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return not self._tasks[0].done()

    @property
    def is_usable(self) -> bool:
        """Whether it lives and was not told to end."""
        return self.is_alive and not self._is_ending

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    def tell(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)

    def render(self, requests: Sequence[RenderRequest]) -> None:
        """Hand over a job, or several that are to be rendered together."""
        self._job = requests[0].job if len(requests) == 1 else ""
        self.watch.start()
        self.tell(to_line(requests[0]) if len(requests) == 1 else to_shared_line(requests))

    async def list_models(self, patience_s: float) -> ModelsReply | Fail:
        """Ask which models are installed. Raises WorkerDiedError when it dies, BusyError when no answer comes in time.

        Nothing is done to a process that does not answer: everybody may ask this, and a job has watches of its own.
        """
        while not self.models.empty():  # what came too late for somebody else
            self.models.get_nowait()
        self.tell(to_line(Models()))
        try:
            async with asyncio.timeout(patience_s):
                reply = await self.models.get()
        except TimeoutError:
            raise BusyError(Models.address) from None
        if reply is None:
            raise WorkerDiedError(self.exit_code)
        return reply

    def kill(self) -> None:
        self._is_ending = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> None:
        """Stop it by force; a process that the system cannot stop at once is no longer waited for."""
        self.kill()
        await asyncio.wait(self._tasks, timeout=_FAREWELL_S)

    async def stop(self) -> None:
        """Let it leave (the end of its input tells it to), by force if it does not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(_FAREWELL_S):
                await self._process.wait()
        except TimeoutError:
            self.kill()
        await asyncio.gather(*self._tasks)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                self.watch.hear(line)
                if line.startswith(PLACES):
                    self.places = int(line.removeprefix(PLACES))
                elif line not in {HEARTBEAT, PROGRESS_PING}:
                    self._sort(reply_from_line(line))
        except (BridgeError, ValueError):
            with about_job(self._job):
                log.exception("render process %d is not understood", self.pid)
            self.kill()
        await self._process.wait()
        with about_job(self._job):
            log.info("render process %d ended with code %s", self.pid, self.exit_code)
        self.news.put_nowait(None)
        self.models.put_nowait(None)

    def _sort(self, reply: Reply) -> None:
        match reply:
            case ModelsReply() | Fail(command=Models.address):
                self.models.put_nowait(reply)
            case StatusReply():
                self.loaded = reply
            case _:
                self.news.put_nowait(reply)
                if isinstance(reply, Done | Fail):
                    self._job = ""

    async def _read_log(self) -> None:
        assert self._process.stderr is not None
        job = ""
        async for line in self._process.stderr:
            text = line.decode(errors="replace")
            if (marked := marked_job(text)) is not None:
                job = marked
                continue
            with about_job(job):
                log.info("render process %d: %s", self.pid, text.rstrip())


class RenderSupervisor:
    """Renders one job at a time, or several together, in a process of its own, which stays for the next job."""

    places = 1
    """Calls of `render` that get on at a time."""

    def __init__(
        self, command: Sequence[str], patience: Timeouts, environment: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._command, self._environment = command, environment
        self._patience = patience
        self._child: RenderProcess | None = None
        self._model: str | None = None
        self._turn = asyncio.Lock()  # one job, or one model to load, at a time
        self._starting = asyncio.Lock()
        self._asking = asyncio.Lock()
        self._jobs: set[str] = set()
        self._is_busy = False
        self._is_loading = False
        self._cancelled: set[str] = set()

    @property
    def loaded(self) -> StatusReply | None:
        """What the render process said when it had loaded its model; None while it has none."""
        return self._child.loaded if self._child is not None and self._child.is_alive else None

    @property
    def state(self) -> str:
        if not self._is_busy:
            return "idle"
        return "loading" if self._is_loading else "rendering"

    async def render(self, requests: Sequence[RenderRequest]) -> AsyncGenerator[Reply, None]:
        """Give the news of a job, or of several that are rendered together; the last of each is a Done or a Fail.

        Raises:
            WorkerDiedError, WorkerHungError: the process ended, or had to be ended, before the jobs did.
        """
        async with self._turn:
            self._is_busy, self._jobs = True, {request.job for request in requests}
            try:
                for request in requests:
                    yield self._note(Progress(request.job, 0.0, "loading"))
                child = await self._ensure_child()
                for request in requests:
                    if request.job in self._cancelled:
                        yield self._note(failure(request, JobCancelledError()))
                if wanted := [self._with_model(request) for request in requests if request.job in self._jobs]:
                    child.render(wanted)
                while self._jobs:
                    yield self._note(await self._next_news(child))
            except (WorkerDiedError, WorkerHungError):
                for request in requests:
                    if request.job in self._jobs & self._cancelled:
                        yield self._note(failure(request, JobCancelledError()))
                if self._jobs:
                    raise
            finally:
                self._is_busy, self._jobs = False, set()
                self._cancelled.difference_update(request.job for request in requests)

    async def use_model(self, name: str) -> Reply:
        """Load a model, which is then that of all requests that name none; give the Done, or a Fail that says why not.

        Raises WorkerDiedError, WorkerHungError.
        """
        async with self._turn:
            self._is_busy = self._is_loading = True
            try:
                child = await self._ensure_child()
                child.tell(to_line(UseModel(model=name)))
                child.watch.start()
                while not isinstance(end := await self._next_news(child), Done | Fail):
                    pass
            finally:
                self._is_busy = False
        if isinstance(end, Done):
            self._model = name
        return end

    def cancel(self, job_id: str) -> None:
        """Ask the process to stop this job; stop the process if it is loading, or goes on for too long.

        A job that was handed over but has to wait for its turn ends when the turn comes.
        """
        if job_id in self._cancelled:
            return
        self._cancelled.add(job_id)
        if job_id in self._jobs and self._child is not None:
            self._child.tell(to_line(Cancel(job=job_id)))
            delay = 0.0 if self._is_loading else self._patience.cancel_s
            asyncio.get_running_loop().call_later(delay, self._insist, self._child, job_id)

    async def models(self) -> ModelsReply | Fail:
        """Ask which models are installed. Raises WorkerDiedError when nobody answers."""
        async with self._asking:
            child = await self._ensure_child()
            return await child.list_models(self._patience.silence_s)

    async def stop(self) -> None:
        """Let the process go, and with it the model."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    async def _next_news(self, child: RenderProcess) -> Reply:
        """Wait for the process to say something. Raises WorkerDiedError, WorkerHungError."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    news = await child.news.get()
                    if news is None:
                        raise WorkerDiedError(child.exit_code)
                    return news
            silence_s = child.watch.overdue_s()
            if silence_s is not None:
                log.warning("render process %d gave no sign of life for %.0f s", child.pid, silence_s)
                await child.end()
                raise WorkerHungError(silence_s)

    def _note(self, news: Reply) -> Reply:
        match news:
            case Progress(_, _, stage):
                self._is_loading = stage == "loading"
            case Done(_, job) | Fail(_, job):
                self._jobs.discard(job)
        return news

    def _with_model(self, request: RenderRequest) -> RenderRequest:
        """Name the model that was chosen for requests that name none."""
        return request if request.model or self._model is None else replace(request, model=self._model)

    async def _ensure_child(self) -> RenderProcess:
        async with self._starting:
            if self._child is None or not self._child.is_usable:
                self._child = await RenderProcess.start(self._command, self._patience, self._environment)
            return self._child

    def _insist(self, child: RenderProcess, job_id: str) -> None:
        if job_id in self._jobs and child.is_alive:
            log.warning("job %s: stopped by force", job_id)
            child.kill()


def failure(request: RenderRequest, error: BridgeError) -> Fail:
    return Fail(request.address, request.job, error.code, error.text, error.hint)
