"""The front desk: answers every request, and keeps every job moving.

The only room that sees journal, queue, worker and socket together. Requests come in at `receive`, one by one; jobs go
out at `work`, one by one or as many as the worker has places; both run until they are cancelled.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePath

from bridge import __version__
from bridge.daemon.file_threads import FileThreads
from bridge.daemon.osc_server import Address, IncomingMessage, OscServer
from bridge.daemon.postponement import NOT_YET, Postponement
from bridge.daemon.rules import DispatcherRules
from bridge.daemon.subscribers import Subscribers
from bridge.errors import (
    BridgeError,
    BusyError,
    JobCancelledError,
    JobFinishedError,
    JobIdReusedError,
    JobInterruptedError,
    TokenError,
    TooLateError,
    UnforeseenError,
    UnknownJobError,
    WorkerDiedError,
    WorkerHungError,
)
from bridge.farm.supervisor import FarmSupervisor
from bridge.host.entry import limit_of
from bridge.host.job_log import about_job
from bridge.jobs.existing_takes import find_takes
from bridge.jobs.job import MAX_ATTEMPTS, Job, JobState, shape_of
from bridge.jobs.job_queue import JobQueue, urgency_of
from bridge.jobs.journal import Journal
from bridge.jobs.reply_file import check_reply_file
from bridge.jobs.reply_files import ReplyFiles
from bridge.preview.supervisor import Previewer
from bridge.rendering.supervisor import RenderSupervisor
from bridge.wire.messages import (
    PROTOCOL_VERSION,
    REQUESTS,
    Ack,
    Cancel,
    Done,
    Fail,
    JobQuery,
    Jobs,
    Models,
    ModelsReply,
    Notice,
    Notify,
    Pause,
    Preview,
    PreviewReply,
    Progress,
    Quit,
    RenderRequest,
    Reply,
    Request,
    Status,
    StatusReply,
    Stop,
    Sync,
    Unload,
    UseModel,
    Version,
    VersionReply,
)
from bridge.wire.parsing import job_of, parse_request, to_message

_GPU_BATCH = 8
"""Jobs of equal shape that a GPU renders together."""
_SLOW_DEVICES = frozenset({"cpu", "mps"})
"""Where rendering together gains nothing."""
_LOOK_S = 1.0
"""How often we look whether the worker has more places by now."""
_MAX_LISTED = 100
"""Jobs in the answer to one /retake/jobs."""
_KEEP_UP_S = 0.5
PAUSE_MARK = "paused"
"""An empty file in the state folder that says that no job is to begin."""

log = logging.getLogger(__name__)
Supervisor = RenderSupervisor | FarmSupervisor


class Dispatcher:
    """Takes requests, keeps jobs moving, tells the news."""

    def __init__(
        self, server: OscServer, journal: Journal, jobs: JobQueue, worker: Supervisor, rules: DispatcherRules
    ) -> None:
        self.closing = asyncio.Event()
        self.previewer = Previewer(rules.player_command, rules.previews, self._tell_preview)
        self._server = server
        self._journal = journal
        self._queue = jobs
        self._worker = worker
        self._rules = rules
        self._audience = Subscribers(server)
        self._files, self._replies = FileThreads(), ReplyFiles()
        self._loading: set[tuple[str, Address]] = set()
        self._postponed = Postponement(self._read, self._refuse)
        self._listing: asyncio.Task[ModelsReply | Fail] | None = None
        self._errands: set[asyncio.Task[None]] = set()
        self._rendering: set[asyncio.Task[None]] = set()

    # -------------------------------------------------------------------------------------------- requests

    async def receive(self) -> None:
        """Answer the letters that arrive."""
        while True:
            letter = await self._server.inbox.get()
            with about_job(job_of(*letter.message)):
                self._open(letter)
            await asyncio.sleep(0)  # a flood of letters must not keep the news of jobs from going out

    def _open(self, letter: IncomingMessage) -> None:
        try:
            self._read(letter)
        except NOT_YET as error:
            self._postponed.take(letter, error)
        except Exception as error:  # noqa: BLE001 - no message may ever stop the desk
            self._refuse(letter, error)

    def _read(self, letter: IncomingMessage) -> None:
        """Answer a letter. Raises what its sender is to be told."""
        (address, args), sender = letter
        request = parse_request(address, args)
        self._check_token(request)
        self._answer(request, sender)

    def _refuse(self, letter: IncomingMessage, reason: Exception) -> None:
        (address, args), sender = letter
        job, error = job_of(address, args), _explained(reason)
        known = address if address in REQUESTS else "an unknown address"
        log.info("refused %s: %s", known, error.code)  # its sentence, and an id that is none, may be anybody's words
        self._server.send(Fail(address, job, error.code, error.text, error.hint), sender)

    def _check_token(self, request: Request) -> None:
        token = self._rules.token
        if token is None or not request.needs_token:
            return
        if not secrets.compare_digest(request.token.encode(), token.encode()):
            raise TokenError(request.address, given=bool(request.token))

    def _answer(self, request: Request, sender: Address) -> None:
        match request:
            case RenderRequest():
                self._take(request, sender)
            case Cancel(job=job_id):
                self._cancel(job_id, sender)
            case JobQuery(job=job_id):
                self._tell_how(job_id, sender)
            case Jobs():
                self._list_jobs(request, sender)
            case Sync(number=number):
                self._audience.sync(number, sender)
            case Notify(on=on):
                self._audience.subscribe(sender, on=on)
                self._server.send(Done(Notify.address, ""), sender)
            case _:
                self._answer_about_daemon(request, sender)

    def _answer_about_daemon(self, request: Request, sender: Address) -> None:
        match request:
            case Status():
                self._server.send(self._status(), sender)
            case Version():
                self._server.send(VersionReply(__version__, PROTOCOL_VERSION), sender)
            case Models():
                self._run_errand(self._answer_models(), request, sender)
            case UseModel(model=name):
                self._start_loading(name, sender)
            case Unload():
                self._run_errand(self._unload(), request, sender)
            case Preview() | Stop():
                self._files.run(request, partial(self._rules.paths.check_preview, request))
                self.previewer.obey(request, sender)
            case Pause(on=on):
                self._pause(on=on)
                self._server.send(Done(request.address, ""), sender)
                self._audience.announce(self._status(), sender)
            case Quit():
                self._server.send(Done(request.address, ""), sender)
                self.closing.set()
            case _:
                raise UnforeseenError(NotImplementedError(f"nobody answers {request.address}"))

    def _take(self, request: RenderRequest, sender: Address) -> None:
        """Accept a job: into the journal first, then the acknowledgement. A job sent again gets its answer again."""
        request = self._files.run(request, partial(self._rules.paths.pinned, request))
        job = self._journal.find(request.job)
        is_new = job is None
        if job is None:
            job = self._accept(request, sender)
        elif job.request != request:
            raise JobIdReusedError(request.job)
        if not job.state.is_final:
            self._audience.listen(job.id, sender)
        ack = Ack(job.id, self._position(job))
        if is_new:
            self._audience.announce(ack, sender)
        else:
            self._server.send(ack, sender)
        if (outcome := job.outcome()) is not None:
            self._server.send(outcome, sender)

    def _accept(self, request: RenderRequest, sender: Address) -> Job:
        _require_in_time(request)
        self._queue.check_room()
        self._files.run(("files of", request), partial(self._check_files, request))
        job = Job(request=request, accepted_at=time.time())
        self._journal.add(job)
        self._enqueue(job, request.client or f"{sender[0]}:{sender[1]}")
        self._replies.write(job)
        log.info("job %s: accepted %s", job.id, request.address)
        return job

    def _check_files(self, request: RenderRequest) -> None:
        self._rules.paths.check(request)
        if request.reply is not None:
            check_reply_file(request.reply)

    def _enqueue(self, job: Job, client: str) -> None:
        self._queue.add(job.id, urgency_of(job.request), client)

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
        if not job.state.is_final:
            self._audience.listen(job_id, sender)
        is_held = self._queue.is_held and job.state is JobState.QUEUED
        self._server.send(replace(job.describe(), stage="paused") if is_held else job.describe(), sender)
        if (outcome := job.outcome()) is not None:
            self._server.send(outcome, sender)

    def _require(self, job_id: str) -> Job:
        job = self._journal.find(job_id)
        if job is None:
            raise UnknownJobError(job_id)
        return job

    def _list_jobs(self, request: Jobs, sender: Address) -> None:
        limit = min(max(request.limit, 1), _MAX_LISTED)
        for job in self._journal.search(request.text, request.state, limit):
            self._server.send(job.listed(), sender)
        self._server.send(Done(Jobs.address, ""), sender)

    def _status(self) -> StatusReply:
        loaded, rules = self._worker.loaded, self._rules
        model, device = (loaded.model, loaded.device) if loaded is not None else (rules.model, rules.device)
        model = PurePath(model).name  # everybody may ask for this, and where a folder lies is nobody's business
        number, paused = len(self._journal.unfinished()), int(self._queue.is_held)
        return StatusReply(__version__, self._worker.state, model, device, number, paused, self._journal.notes)

    def _pause(self, *, on: bool) -> None:
        """Begin no job from now on, or go on; a daemon that is killed meanwhile leaves a mark for the next one."""
        self._queue.hold(on=on)
        mark = self._rules.state_folder / PAUSE_MARK
        try:
            mark.touch(0o600) if on else mark.unlink(missing_ok=True)
        except OSError as error:
            log.warning("that jobs are held, or not, is not on disk: %s", error)

    async def _answer_models(self) -> Reply:
        """Ask for all who want to know at the same time: everybody may, and as often as they like."""
        if self._listing is None or self._listing.done():
            self._listing = asyncio.create_task(self._worker.models())
        return await asyncio.shield(self._listing)

    def _start_loading(self, name: str, sender: Address) -> None:
        """Load a model; who asks again while it loads hears that it does, and gets one answer."""
        self._server.send(Progress("", 0.0, "loading"), sender)
        if (name, sender) not in self._loading:
            self._loading.add((name, sender))
            self._run_errand(self._load(name, sender), UseModel(model=name), sender)

    async def _load(self, name: str, sender: Address) -> Reply:
        try:
            return await self._worker.use_model(name)
        finally:
            self._loading.discard((name, sender))

    async def _unload(self) -> Reply:
        if self._worker.state != "idle":
            raise BusyError(Unload.address)
        await self._worker.stop()
        return Done(Unload.address, "")

    def _tell_preview(self, news: Reply, sender: Address) -> None:
        """Tell the client that asked, and of where a preview is everybody who listens."""
        if isinstance(news, PreviewReply):
            self._audience.announce(news, sender)
        else:
            self._server.send(news, sender)

    def _run_errand(self, errand: Coroutine[None, None, Reply], request: Request, sender: Address) -> None:
        """Find out in the background what the sender wants to know, and tell it, or why that failed."""

        async def run() -> None:
            try:
                self._server.send(await errand, sender)
            except Exception as error:  # noqa: BLE001 - the client gets a sentence, whatever it was
                self._refuse(IncomingMessage(to_message(request), sender), error)

        task = asyncio.create_task(run())
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
        task.add_done_callback(lambda _: errand.close())  # of a task that was cancelled before it began

    # ------------------------------------------------------------------------------------------------ jobs

    async def work(self) -> None:
        """Render the waiting jobs, as many at a time as there are places; let the model go after a long rest."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wait_for_place()
                try:
                    async with asyncio.timeout(self._rules.idle_unload_s):  # wait_for may swallow our own cancellation
                        await self._queue.wait()
                except TimeoutError:
                    if not self._rendering:
                        await self._worker.stop()
                    continue
                jobs = self._take_alike()
                with about_job(jobs[0].id if len(jobs) == 1 else ""):
                    task = group.create_task(self._render(jobs))
                self._rendering.add(task)
                task.add_done_callback(self._rendering.discard)

    async def _wait_for_place(self) -> None:
        """Return as soon as the worker can take another job; new places may come while all are taken."""
        while len(self._rendering) >= self._worker.places:
            await asyncio.wait(self._rendering, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)

    def _take_alike(self) -> list[Job]:
        """Give the next job, on a GPU with others of its shape that wait, wherever they stand."""
        first = self._require(self._queue.take())
        jobs, shape = [first], shape_of(first.request)
        for job_id in self._queue.order() if shape is not None else ():
            if len(jobs) >= self._batch_size():
                break
            job = self._require(job_id)
            if shape_of(job.request) == shape:
                self._queue.remove(job_id)
                jobs.append(job)
        return jobs

    def _batch_size(self) -> int:
        if self._rules.batch_jobs:
            return self._rules.batch_jobs
        loaded = self._worker.loaded
        return 1 if loaded is None or loaded.device in _SLOW_DEVICES else _GPU_BATCH

    async def _render(self, jobs: Sequence[Job]) -> None:
        """Bring jobs to their end: together at first; those that are tried again, each alone."""
        in_time = [job for job in jobs if self._is_in_time(job)]
        left = await self._attempt(in_time) if in_time else []
        while left:
            job, *left = left
            left += await self._attempt([job])

    def _is_in_time(self, job: Job) -> bool:
        try:
            _require_in_time(job.request)
        except TooLateError as error:
            self._spread(job, job.failure(error))
            return False
        return True

    async def _attempt(self, jobs: Sequence[Job]) -> list[Job]:
        """Render jobs once; give those over which the process died or hung, and which may be tried again."""
        live = {job.id: job.begun() for job in jobs}
        for job in live.values():
            self._keep(job)
        try:
            async with contextlib.aclosing(self._worker.render([job.request for job in live.values()])) as all_news:
                async for news in all_news:
                    if isinstance(news, Progress | Notice | Done | Fail) and news.job in live:
                        live[news.job] = self._spread(live[news.job], news)
        except Exception as error:  # noqa: BLE001 - a job may fail, the desk may not
            live |= {job.id: self._break_off(job, error) for job in live.values() if not job.state.is_final}
        return [job for job in live.values() if not job.state.is_final]

    def _break_off(self, job: Job, error: Exception) -> Job:
        """End a job over which something went wrong, unless it may be tried again."""
        with about_job(job.id):
            if isinstance(error, WorkerDiedError | WorkerHungError) and job.attempts < MAX_ATTEMPTS:
                log.warning("job %s: %s; it is tried again", job.id, error)
                return job
            return self._spread(job, job.failure(_explained(error)))

    def _keep(self, job: Job) -> None:
        """Write down how a job stands; a disk that refuses does not stop it, and is asked again by `keep_up`."""
        try:
            self._journal.update(job)
        except BridgeError as error:
            log.warning("job %s: %s", job.id, error)

    async def keep_up(self) -> None:
        """Write into the journal, as soon as it can be, what could not be written when it happened."""
        while True:
            await asyncio.sleep(_KEEP_UP_S)
            if self._journal.is_behind:
                with contextlib.suppress(BridgeError):
                    self._journal.catch_up()

    def _spread(self, job: Job, news: Reply) -> Job:
        """Bring a job up to date, on disk too, and tell everybody who listens."""
        with about_job(job.id):
            job = job.after(news)
            self._keep(job)
            if self._audience.wants(news):
                self._replies.write(job)
                self._audience.tell(job.id, news)
            if job.state.is_final:
                self._finish(job)
        return job

    def _finish(self, job: Job) -> None:
        log.info("job %s: %s %s", job.id, job.state, job.error.text if job.error else ", ".join(job.paths))
        self._audience.dismiss(job.id)

    def reopen(self) -> None:
        """Take up what an earlier daemon was killed over: what waited, and once more what ran, unless it is paused."""
        self._queue.hold(on=(self._rules.state_folder / PAUSE_MARK).exists())
        for job in self._journal.left_behind():
            with about_job(job.id):
                self._reopen(job)

    def _reopen(self, job: Job) -> None:
        if (written := self._written(job)) is not None:
            self._spread(job if job.state is JobState.RUNNING else job.begun(), written)
        elif job.attempts < MAX_ATTEMPTS and time.time() - job.accepted_at < self._rules.resume_within_s:
            waiting = job.requeued()
            self._keep(waiting)
            self._enqueue(waiting, job.request.client or "")
            self._replies.write(waiting)
            log.info("job %s: taken up again after the end of an earlier daemon", job.id)
        else:
            self._spread(job, job.failure(JobInterruptedError()))

    def close(self) -> None:
        """Say of every unfinished job that it was interrupted; the next daemon is not paused."""
        self._pause(on=False)
        self._postponed.close()
        for errand in (*self._errands, *([] if self._listing is None else [self._listing])):
            errand.cancel()
        self._queue.clear()
        for job in self._journal.unfinished():
            with about_job(job.id):
                written = self._written(job) if job.state is JobState.RUNNING else None
                self._spread(job, written or job.failure(JobInterruptedError()))

    def _written(self, job: Job) -> Done | None:
        """Give the end of a job whose takes are all there, though the word of it got lost between files and journal."""
        if not job.attempts:
            return None
        folder = self._rules.paths.chosen_folder(job.request)
        takes = find_takes(folder, lambda name: name == job.id, job.accepted_at)
        return Done(job.request.address, job.id, takes[job.id]) if job.id in takes else None


def _require_in_time(request: RenderRequest) -> None:
    """Raise TooLateError when the time has passed after which the client has no use for the result."""
    if request.deadline_unix is not None and (late_s := time.time() - request.deadline_unix) > 0:
        raise TooLateError(late_s)


def _explained(error: Exception) -> BridgeError:
    """Give an error that can be told to a client; what nobody foresaw goes into the log with all its details."""
    if isinstance(error, BridgeError):
        return error
    log.error("unforeseen", exc_info=error)
    return limit_of(error) or UnforeseenError(error)
