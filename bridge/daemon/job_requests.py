"""What clients ask about jobs: to render one, to cancel it, how it stands, and which there are."""

import logging
import time
from dataclasses import replace
from functools import partial

from bridge.daemon.file_threads import FileThreads
from bridge.daemon.job_publisher import JobPublisher
from bridge.daemon.osc_server import Address, OscServer
from bridge.daemon.subscribers import Subscribers
from bridge.errors import JobCancelledError, JobFinishedError, JobIdReusedError
from bridge.farm.supervisor import FarmSupervisor
from bridge.host.paths import PathRules
from bridge.jobs.deadline import require_in_time
from bridge.jobs.job import Job, JobState
from bridge.jobs.job_queue import JobQueue, urgency_of
from bridge.jobs.journal import Journal
from bridge.jobs.reply_file import check_reply_file
from bridge.jobs.reply_files import ReplyFiles
from bridge.rendering.supervisor import RenderSupervisor
from bridge.wire.messages import Ack, Cancel, Done, JobQuery, Jobs, Notify, RenderRequest, Sync

_MAX_LISTED = 100
"""Jobs in the answer to one /retake/jobs."""

log = logging.getLogger(__name__)


class JobRequests:
    """Handles the requests about jobs. Each method raises the error that its sender gets as /retake/fail."""

    def __init__(
        self,
        server: OscServer,
        journal: Journal,
        queue: JobQueue,
        supervisor: RenderSupervisor | FarmSupervisor,
        publisher: JobPublisher,
        reply_files: ReplyFiles,
        subscribers: Subscribers,
        files: FileThreads,
        paths: PathRules,
    ) -> None:
        self._server = server
        self._journal, self._queue, self._supervisor = journal, queue, supervisor
        self._publisher, self._reply_files, self._subscribers = publisher, reply_files, subscribers
        self._files, self._paths = files, paths

    def render(self, request: RenderRequest, sender: Address) -> None:
        """Accept a job; one that is sent again is only answered again.

        A client repeats a request until it is acknowledged, because a datagram may get lost either way. Therefore the
        id decides what is new, and the job is in the journal before the acknowledgement goes out.
        """
        request = self._files.run(request, partial(self._paths.pinned, request))
        job = self._journal.find(request.job)
        is_new = job is None
        if job is None:
            job = self._accept(request, sender)
        elif job.request != request:
            raise JobIdReusedError(request.job)
        if not job.state.is_final:
            self._subscribers.follow(job.id, sender)
        ack = Ack(job.id, self._position(job))
        if is_new:
            self._subscribers.announce(ack, sender)
        else:
            self._server.send(ack, sender)
        if (outcome := job.outcome()) is not None:
            self._server.send(outcome, sender)

    def cancel(self, request: Cancel, sender: Address) -> None:
        """Take a job out of the queue, or have it stopped."""
        job = self._journal.require(request.job)
        # Both questions: a job that `JobRunner` has just taken is still QUEUED in the journal, and no longer waits.
        if job.state is JobState.QUEUED and self._queue.position(job.id) is not None:
            self._queue.remove(job.id)
            self._publisher.publish(job, job.failure(JobCancelledError()))
        elif not job.state.is_final:
            self._supervisor.cancel(job.id)
        elif job.state is not JobState.CANCELLED:
            raise JobFinishedError(job.id, job.state)
        self._server.send(Done(request.address, job.id), sender)

    def describe(self, request: JobQuery, sender: Address) -> None:
        """Answer how a job stands, and let the sender follow it."""
        job = self._journal.require(request.job)
        if not job.state.is_final:
            self._subscribers.follow(job.id, sender)
        is_held = self._queue.is_held and job.state is JobState.QUEUED
        self._server.send(replace(job.describe(), stage="paused") if is_held else job.describe(), sender)
        if (outcome := job.outcome()) is not None:
            self._server.send(outcome, sender)

    def list_jobs(self, request: Jobs, sender: Address) -> None:
        """Send the jobs that a search finds, the newest first, and an end."""
        limit = min(max(request.limit, 1), _MAX_LISTED)
        for job in self._journal.search(request.text, request.state, limit):
            self._server.send(job.listed(), sender)
        self._server.send(Done(request.address, ""), sender)

    def sync(self, request: Sync, sender: Address) -> None:
        """Answer when all jobs that the sender follows have ended."""
        self._subscribers.sync(request.number, sender)

    def notify(self, request: Notify, sender: Address) -> None:
        """Send the sender the replies about all jobs from now on, or no longer."""
        self._subscribers.follow_all(sender, on=request.on)
        self._server.send(Done(request.address, ""), sender)

    def _accept(self, request: RenderRequest, sender: Address) -> Job:
        require_in_time(request)
        self._queue.check_room()
        # The key differs from that of `render`: the same request has both looks, and each keeps its own result.
        self._files.run(("files of", request), partial(self._check_files, request))
        job = Job(request=request, accepted_at=time.time())
        self._journal.add(job)
        self._queue.add(job.id, urgency_of(request), request.client or f"{sender[0]}:{sender[1]}")
        self._reply_files.write(job)
        log.info("job %s: accepted %s", job.id, request.address)
        return job

    def _check_files(self, request: RenderRequest) -> None:
        """Check what a request names on disk; runs on a thread, because a network drive may not answer."""
        self._paths.check(request)
        if request.reply is not None:
            check_reply_file(request.reply)

    def _position(self, job: Job) -> int:
        """Count the jobs that come before this one; 0 for one that runs or is over."""
        waiting = self._queue.position(job.id)
        return 0 if waiting is None else waiting + (self._supervisor.state != "idle")
