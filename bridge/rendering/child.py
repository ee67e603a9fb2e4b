"""The render process, or the farm's, as the daemon sees it, and the one of them that is in use.

Both speak the same lines (`pipe`), so both are a RenderProcess. CurrentProcess starts one when it is needed and
replaces one that has died; what becomes of the jobs of a dead one is for its supervisor to decide.
"""

import asyncio
import contextlib
import logging
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bridge.errors import BusyError, WorkerDiedError, WorkerHungError
from bridge.host.child_process import ChildProcess, start_process
from bridge.rendering.pipe import HEARTBEAT, PROGRESS_PING, SLOTS, reply_from_line, to_line, to_shared_line
from bridge.rendering.watchdog import Timeouts, Watchdog
from bridge.wire.messages import Done, Fail, Models, ModelsReply, RenderRequest, Reply, StatusReply

_CHECK_S = 0.5
"""How often to check that the process still gives signs of life."""

log = logging.getLogger(__name__)

ReplyQueue = asyncio.Queue[Reply | None]
"""What a process says; None stands for its end."""


class RenderProcess(ChildProcess):
    """One process that renders. `replies` receives what it says about its jobs, and None at its end.

    `loaded` is what it said when it had loaded its model; `slots` is how many jobs it renders at a time.
    """

    def __init__(self, process: Process, name: str, timeouts: Timeouts) -> None:
        # Queues without a limit: reading must never wait, or the process would block at a full pipe in mid-job.
        self.replies: ReplyQueue = asyncio.Queue()
        self.loaded: StatusReply | None = None
        self.slots = 1
        self.watchdog = Watchdog(timeouts)
        self._model_lists: ReplyQueue = asyncio.Queue()
        super().__init__(process, name)

    def render(self, requests: Sequence[RenderRequest]) -> None:
        """Hand over a job, or several that are to be rendered together."""
        self.job = requests[0].job if len(requests) == 1 else ""
        self.watchdog.restart()  # an idle process sends heartbeats only: its rest is no lack of progress
        self.send(to_line(requests[0]) if len(requests) == 1 else to_shared_line(requests))

    async def next_reply(self, replies: ReplyQueue) -> Reply:
        """Wait for the next reply in a queue that this process fills.

        Raises:
            WorkerDiedError: the process has ended, and the queue holds nothing more.
            WorkerHungError: it gave no sign of life, or made no progress, for too long, and was killed.
        """
        while True:
            with contextlib.suppress(TimeoutError):
                # Not wait_for: when a reply and our own cancellation come together it may swallow the cancellation.
                async with asyncio.timeout(_CHECK_S):
                    reply = await replies.get()
                    if reply is None:
                        raise WorkerDiedError(self.exit_code)
                    return reply
            if not self.is_alive and replies.empty():
                raise WorkerDiedError(self.exit_code)
            if (silence_s := self.watchdog.overdue_s()) is not None:
                log.warning("%s %d gave no sign of life for %.0f s", self.name, self.pid, silence_s)
                await self.end(grace_s=0)  # it does not react, so asking it to leave first would only take time
                raise WorkerHungError(silence_s)

    async def list_models(self, timeout_s: float) -> ModelsReply | Fail:
        """Ask which models are installed. Raises WorkerDiedError when it dies, BusyError when no answer comes in time.

        A process that does not answer is left alone: every client may ask this, and a job has a watchdog of its own.
        """
        while not self._model_lists.empty():  # an answer that came after an earlier question had timed out
            self._model_lists.get_nowait()
        self.send(to_line(Models()))
        try:
            async with asyncio.timeout(timeout_s):
                reply = await self._model_lists.get()
        except TimeoutError:
            raise BusyError(Models.address) from None
        if not isinstance(reply, ModelsReply | Fail):
            raise WorkerDiedError(self.exit_code)
        return reply

    def read(self, line: bytes) -> None:
        self.watchdog.note(line)
        if line.startswith(SLOTS):
            self.slots = int(line.removeprefix(SLOTS))
        elif line not in {HEARTBEAT, PROGRESS_PING}:
            self._sort(reply_from_line(line))

    def note_end(self) -> None:
        self.replies.put_nowait(None)
        self._model_lists.put_nowait(None)

    def _sort(self, reply: Reply) -> None:
        match reply:
            case ModelsReply() | Fail(command=Models.address):
                # A queue of its own: the process lists models on another thread, so the answer may come in mid-job.
                self._model_lists.put_nowait(reply)
            case StatusReply():
                self.loaded = reply
            case _:
                self.replies.put_nowait(reply)
                if isinstance(reply, Done | Fail):
                    self.job = ""


class CurrentProcess:
    """The render process that is in use, started when it is needed and replaced when it has died.

    `model` is the one for requests that name none; None leaves it to the settings.
    """

    def __init__(self, command: Sequence[str], name: str, timeouts: Timeouts, environment: Mapping[str, str]) -> None:
        self.model: str | None = None
        self._command, self._name = command, name
        self._timeouts, self._environment = timeouts, environment
        self._process: RenderProcess | None = None
        self._starting = asyncio.Lock()
        self._asking = asyncio.Lock()

    @property
    def alive(self) -> RenderProcess | None:
        """The process, unless there is none or it has ended."""
        return self._process if self._process is not None and self._process.is_alive else None

    @property
    def pid(self) -> int | None:
        """The number of the process; None while there is none."""
        return None if self.alive is None else self.alive.pid

    @property
    def loaded(self) -> StatusReply | None:
        """What the process said when it had loaded its model; None while it has none."""
        return None if self.alive is None else self.alive.loaded

    async def get(self) -> RenderProcess:
        """Return the process, and start one where there is none to use. Raises OSError when the system refuses."""
        async with (
            self._starting
        ):  # starting takes several turns of the loop, and a job and a question may both need it
            if self._process is None or not self._process.is_usable:
                process = await start_process(self._command, self._environment)
                self._process = RenderProcess(process, self._name, self._timeouts)
            return self._process

    async def models(self) -> ModelsReply | Fail:
        """Ask which models are installed. Raises WorkerDiedError, BusyError."""
        async with self._asking:  # answers carry no id, so there is one question at a time
            process = await self.get()
            return await process.list_models(self._timeouts.silence_s)

    async def stop(self) -> None:
        """End the process, and with it unload the model."""
        # Taken out first, so that a request that arrives meanwhile starts a new one instead of writing to this one.
        process, self._process = self._process, None
        if process is not None:
            await process.end()

    def with_model(self, request: RenderRequest) -> RenderRequest:
        """Return a request with the chosen model, where it names none."""
        return request if request.model or self.model is None else replace(request, model=self.model)
