"""The front desk: answers every request, and spreads the news of every job to those who want to hear it.

The only room that sees the journal, the queue, the worker and the socket together. Requests come in at `receive`, one
by one; jobs go out at `work`, one by one; both run until they are cancelled.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge import __version__
from bridge.errors import (
    BridgeError,
    JobCancelledError,
    JobFinishedError,
    JobIdReusedError,
    JobInterruptedError,
    TokenError,
    UnforeseenError,
    UnknownJobError,
)
from bridge.job_queue import JobQueue
from bridge.jobs import Job, JobState
from bridge.journal import Journal
from bridge.messages import (
    PROTOCOL_VERSION,
    Ack,
    Cancel,
    Done,
    Fail,
    JobQuery,
    Models,
    Notify,
    Preview,
    PreviewReply,
    Quit,
    RenderRequest,
    Reply,
    Request,
    Status,
    StatusReply,
    Stop,
    Sync,
    Synced,
    Version,
    VersionReply,
)
from bridge.osc_server import Address, Letter, OscServer, ProgressGate
from bridge.preview import Previewer, PreviewRules
from bridge.protocol import job_of, parse_request, to_message
from bridge.reply_file import check_reply_file, write_reply_file
from bridge.worker import Worker

_MAX_LISTENERS = 64
"""Clients that hear of every job, or of one job; the oldest make room."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class DeskRules:
    """What the desk has to know of the settings. `token` is None when commands need none."""

    token: str | None
    runtime_file: Path
    model: str
    device: str
    idle_unload_s: float
    player_command: Sequence[str]
    previews: PreviewRules


class Desk:
    """Takes requests, keeps jobs moving, tells the news."""

    def __init__(self, server: OscServer, journal: Journal, jobs: JobQueue, worker: Worker, rules: DeskRules) -> None:
        self.closing = asyncio.Event()
        self.previewer = Previewer(rules.player_command, rules.previews, self._tell_preview)
        self._server = server
        self._journal = journal
        self._queue = jobs
        self._worker = worker
        self._rules = rules
        self._gate = ProgressGate()
        self._listeners: dict[str, list[Address]] = {}
        self._subscribers: list[Address] = []
        self._syncs: list[tuple[int, Address, set[str]]] = []
        self._errands: set[asyncio.Task[None]] = set()

    # -------------------------------------------------------------------------------------------- requests

    async def receive(self) -> None:
        """Answer the letters that arrive."""
        while True:
            self._open(await self._server.inbox.get())
            await asyncio.sleep(0)  # a flood of letters must not keep the news of jobs from going out

    def _open(self, letter: Letter) -> None:
        (address, args), sender = letter
        try:
            request = parse_request(address, args)
            self._check_token(request)
            self._answer(request, sender)
        except Exception as error:  # noqa: BLE001 - no message may ever stop the desk
            self._refuse(letter, _explained(error))

    def _refuse(self, letter: Letter, error: BridgeError) -> None:
        (address, args), sender = letter
        job = job_of(address, args)
        log.info("job %s: refused %s: %s", job, address, error)
        self._server.send(Fail(address, job, error.code, error.text, error.hint), sender)

    def _check_token(self, request: Request) -> None:
        token = self._rules.token
        if token is None or not request.needs_token:
            return
        if not secrets.compare_digest(request.token.encode(), token.encode()):
            raise TokenError(request.address, self._rules.runtime_file, given=bool(request.token))

    def _answer(self, request: Request, sender: Address) -> None:  # noqa: C901 - one row a request
        match request:
            case RenderRequest():
                self._take(request, sender)
            case Cancel(job=job_id):
                self._cancel(job_id, sender)
            case JobQuery(job=job_id):
                self._tell_how(job_id, sender)
            case Sync(number=number):
                self._syncs.append((number, sender, self._jobs_of(sender)))
                self._answer_syncs()
            case Notify(on=on):
                self._subscribe(sender, on=on)
            case Status():
                self._server.send(self._status(), sender)
            case Version():
                self._server.send(VersionReply(__version__, PROTOCOL_VERSION), sender)
            case Models():
                self._run_errand(self._answer_models(sender))
            case Preview() | Stop():
                self.previewer.obey(request, sender)
            case Quit():
                self._server.send(Done(request.address, ""), sender)
                self.closing.set()

    def _take(self, request: RenderRequest, sender: Address) -> None:
        """Accept a job: into the journal first, then the acknowledgement. A job sent again gets its answer again."""
        job = self._journal.find(request.job)
        if job is None:
            self._queue.check_room()
            if request.reply is not None:
                check_reply_file(request.reply)
            job = Job(request=request)
            self._journal.add(job)
            self._queue.add(job.id)
            write_reply_file(job)
            log.info("job %s: accepted %s", job.id, request.address)
        elif job.request != request:
            raise JobIdReusedError(request.job)
        self._listen(job, sender)
        self._server.send(Ack(job.id, self._position(job)), sender)
        if (outcome := job.outcome()) is not None:
            self._server.send(outcome, sender)

    def _position(self, job: Job) -> int:
        """Count the jobs that come before this one; 0 for one that runs or is over."""
        waiting = self._queue.position(job.id)
        return 0 if waiting is None else waiting + (self._worker.state != "idle")

    def _cancel(self, job_id: str, sender: Address) -> None:
        job = self._require(job_id)
        if job.state is JobState.QUEUED and self._queue.position(job_id) is not None:
            self._queue.remove(job_id)
            self._spread(job, job.failure(JobCancelledError()))
        elif not job.state.is_final:
            self._worker.cancel(job_id)
        elif job.state is not JobState.CANCELLED:
            raise JobFinishedError(job_id, job.state)
        self._server.send(Done(Cancel.address, job_id), sender)

    def _tell_how(self, job_id: str, sender: Address) -> None:
        job = self._require(job_id)
        self._listen(job, sender)
        self._server.send(job.describe(), sender)
        if (outcome := job.outcome()) is not None:
            self._server.send(outcome, sender)

    def _require(self, job_id: str) -> Job:
        job = self._journal.find(job_id)
        if job is None:
            raise UnknownJobError(job_id)
        return job

    def _subscribe(self, sender: Address, *, on: bool) -> None:
        if sender in self._subscribers:
            self._subscribers.remove(sender)
        if on:
            self._subscribers = [*self._subscribers[1 - _MAX_LISTENERS :], sender]
        self._server.send(Done(Notify.address, ""), sender)

    def _status(self) -> StatusReply:
        loaded, rules = self._worker.loaded, self._rules
        model, device = (loaded.model, loaded.device) if loaded is not None else (rules.model, rules.device)
        return StatusReply(__version__, self._worker.state, model, device, len(self._journal.unfinished()))

    async def _answer_models(self, sender: Address) -> None:
        try:
            self._server.send(await self._worker.models(), sender)
        except Exception as error:  # noqa: BLE001 - the client gets a sentence, whatever it was
            self._refuse(Letter(to_message(Models()), sender), _explained(error))

    def _tell_preview(self, news: Reply, sender: Address) -> None:
        """Tell the client that asked, and of where a preview is everybody who listens."""
        for listener in {sender, *(self._subscribers if isinstance(news, PreviewReply) else ())}:
            self._server.send(news, listener)

    def _run_errand(self, errand: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    # ------------------------------------------------------------------------------------------------ jobs

    async def work(self) -> None:
        """Render the waiting jobs; let the model go when nothing has waited for long."""
        while True:
            try:
                async with asyncio.timeout(self._rules.idle_unload_s):  # wait_for may swallow our own cancellation
                    await self._queue.wait()
            except TimeoutError:
                await self._worker.stop()
                continue
            await self._render(self._queue.take())

    async def _render(self, job_id: str) -> None:
        job = self._require(job_id)
        try:
            async with contextlib.aclosing(self._worker.render(job.request)) as news_of_job:
                async for news in news_of_job:
                    job = self._spread(job, news)
        except Exception as error:  # noqa: BLE001 - a job may fail, the desk may not
            self._spread(job, job.failure(_explained(error)))

    def _spread(self, job: Job, news: Reply) -> Job:
        """Bring a job up to date, on disk too, and tell everybody who listens."""
        job = job.after(news)
        try:
            self._journal.update(job)
        except BridgeError:
            log.exception("job %s", job.id)
        if self._gate.passes(news):
            write_reply_file(job)
            for listener in {*self._listeners.get(job.id, ()), *self._subscribers}:
                self._server.send(news, listener)
        if job.state.is_final:
            self._finish(job)
        return job

    def _finish(self, job: Job) -> None:
        log.info("job %s: %s %s", job.id, job.state, job.error.text if job.error else ", ".join(job.paths))
        self._listeners.pop(job.id, None)
        self._gate.forget(job.id)
        self._answer_syncs()

    def _listen(self, job: Job, sender: Address) -> None:
        listeners = self._listeners.setdefault(job.id, [])
        if job.state.is_final:
            self._listeners.pop(job.id)
        elif sender not in listeners:
            self._listeners[job.id] = [*listeners[1 - _MAX_LISTENERS :], sender]

    def _jobs_of(self, sender: Address) -> set[str]:
        return {job_id for job_id, listeners in self._listeners.items() if sender in listeners}

    def _answer_syncs(self) -> None:
        unfinished = {job.id for job in self._journal.unfinished()}
        for entry in list(self._syncs):
            number, sender, jobs = entry
            if not jobs & unfinished:
                self._syncs.remove(entry)
                self._server.send(Synced(number), sender)

    def reopen(self) -> None:
        """Say of every job that an earlier daemon left unfinished that it was interrupted."""
        for job in self._journal.close_unfinished():
            log.info("job %s: interrupted by the end of an earlier daemon", job.id)
            write_reply_file(job)

    def close(self) -> None:
        """Say of every unfinished job that it was interrupted."""
        for errand in self._errands:
            errand.cancel()
        self._queue.clear()
        for job in self._journal.unfinished():
            self._spread(job, job.failure(JobInterruptedError()))


def _explained(error: Exception) -> BridgeError:
    """Give an error that can be told to a client; what nobody foresaw goes into the log with all its details."""
    if isinstance(error, BridgeError):
        return error
    log.error("unforeseen", exc_info=error)
    return UnforeseenError(error)
