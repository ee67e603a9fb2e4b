"""The keeper of the render process: starts it when there is work, talks to it in lines, and notices when it dies.

A crash costs the process and at most one repetition of the job; the daemon never feels it.
"""

import asyncio
import contextlib
import logging
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from bridge.errors import BridgeError, JobCancelledError, WorkerDiedError
from bridge.job_log import about_job, marked_job
from bridge.messages import (
    Cancel,
    Done,
    Fail,
    Models,
    ModelsReply,
    Progress,
    RenderRequest,
    Reply,
    Request,
    StatusReply,
)
from bridge.pipe import reply_from_line, to_line
from bridge.program import HOME

ATTEMPTS = 2
_MAX_LINE = 2**22
"""Bytes of one message from the render process."""
_FAREWELL_S = 2.0
"""How long a render process may take to leave when it is told to."""

log = logging.getLogger(__name__)


class _Child:
    """One render process. `news` gives what it says about its job, and None at its end."""

    def __init__(self, process: Process) -> None:
        self.news: asyncio.Queue[Reply | None] = asyncio.Queue()
        self.loaded: StatusReply | None = None
        self.models: asyncio.Queue[ModelsReply | None] = asyncio.Queue()
        self._process = process
        self._job = ""  # what it works on, for the log: these tasks outlive the job that started them
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._read_log())]

    @classmethod
    async def start(cls, command: Sequence[str]) -> "_Child":
        """Start the process. Raises OSError when the system refuses."""
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=HOME, limit=_MAX_LINE
        )
        log.info("render process %d started", process.pid)
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return not self._tasks[0].done()

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    def tell(self, request: Request) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(to_line(request))
        if isinstance(request, RenderRequest):
            self._job = request.job

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

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
            case ModelsReply():
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


class Worker:
    """Renders one job at a time in a process of its own, which stays for the next job."""

    def __init__(self, command: Sequence[str], cancel_grace_s: float) -> None:
        self._command = command
        self._cancel_grace_s = cancel_grace_s
        self._child: _Child | None = None
        self._starting = asyncio.Lock()
        self._asking = asyncio.Lock()
        self._job: str | None = None
        self._is_loading = False
        self._is_cancelled = False

    @property
    def loaded(self) -> StatusReply | None:
        """What the render process said when it had loaded its model; None while it has none."""
        return self._child.loaded if self._child is not None and self._child.is_alive else None

    @property
    def state(self) -> str:
        if self._job is None:
            return "idle"
        return "loading" if self._is_loading else "rendering"

    async def render(self, request: RenderRequest) -> AsyncGenerator[Reply, None]:
        """Give the news of a job; the last is a Done or a Fail. A process that dies is replaced once."""
        self._job, self._is_cancelled = request.job, False
        try:
            async for news in self._attempts(request):
                yield news
        finally:
            self._job = None

    def cancel(self, job_id: str) -> None:
        """Ask the process to stop this job; stop the process if it is loading, or goes on for too long."""
        if job_id != self._job or self._is_cancelled:
            return
        self._is_cancelled = True
        if self._child is not None:
            self._child.tell(Cancel(job=job_id))
            delay = 0.0 if self._is_loading else self._cancel_grace_s
            asyncio.get_running_loop().call_later(delay, self._insist, self._child, job_id)

    async def models(self) -> ModelsReply:
        """Ask which models are installed. Raises WorkerDiedError when nobody answers."""
        async with self._asking:
            child = await self._ensure_child()
            child.tell(Models())
            reply = await child.models.get()
            if reply is None:
                raise WorkerDiedError(child.exit_code)
            return reply

    async def stop(self) -> None:
        """Let the process go, and with it the model."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    async def _attempts(self, request: RenderRequest) -> AsyncIterator[Reply]:
        exit_code = None
        for _ in range(ATTEMPTS):
            yield self._note(Progress(request.job, 0.0, "loading"))
            child = await self._ensure_child()
            if not self._is_cancelled:
                child.tell(request)
                while (news := await child.news.get()) is not None:
                    yield self._note(news)
                    if isinstance(news, Done | Fail):
                        return
            exit_code = child.exit_code
            if self._is_cancelled:
                yield _failure(request, JobCancelledError())
                return
            log.warning("job %s: the render process died (exit code %s)", request.job, exit_code)
        yield _failure(request, WorkerDiedError(exit_code))

    def _note(self, news: Reply) -> Reply:
        if isinstance(news, Progress):
            self._is_loading = news.stage == "loading"
        return news

    async def _ensure_child(self) -> _Child:
        async with self._starting:
            if self._child is None or not self._child.is_alive:
                self._child = await _Child.start(self._command)
            return self._child

    def _insist(self, child: _Child, job_id: str) -> None:
        if self._job == job_id and child.is_alive:
            log.warning("job %s: stopped by force", job_id)
            child.kill()


def _failure(request: RenderRequest, error: BridgeError) -> Fail:
    return Fail(request.address, request.job, error.code, error.text, error.hint)
