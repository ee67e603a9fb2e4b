"""The unfinished jobs of a daemon that ends, and of an earlier one that was killed."""

import logging
import time

from bridge.daemon.job_publisher import JobPublisher
from bridge.daemon.rules import DaemonRules
from bridge.errors import JobInterruptedError
from bridge.host.job_log import about_job
from bridge.jobs.existing_takes import find_takes
from bridge.jobs.job import MAX_ATTEMPTS, Job, JobState
from bridge.jobs.job_queue import JobQueue, urgency_of
from bridge.jobs.journal import Journal
from bridge.jobs.reply_files import ReplyFiles
from bridge.wire.messages import Done

log = logging.getLogger(__name__)


class JobRecovery:
    """Requeues the unfinished jobs of a killed daemon, and ends those of one that leaves in order."""

    def __init__(
        self, journal: Journal, queue: JobQueue, publisher: JobPublisher, reply_files: ReplyFiles, rules: DaemonRules
    ) -> None:
        self._journal, self._queue = journal, queue
        self._publisher, self._reply_files, self._rules = publisher, reply_files, rules

    def requeue(self) -> None:
        """Requeue the unfinished jobs of a killed daemon: those that waited, and once more those that ran."""
        for job in self._journal.left_behind():
            with about_job(job.id):
                self._requeue(job)

    def _requeue(self, job: Job) -> None:
        if (written := self._written(job)) is not None:
            self._publisher.publish(job if job.state is JobState.RUNNING else job.begun(), written)
        elif job.attempts < MAX_ATTEMPTS and time.time() - job.accepted_at < self._rules.resume_within_s:
            waiting = job.requeued()
            self._publisher.keep(waiting)
            self._queue.add(waiting.id, urgency_of(waiting.request), waiting.request.client or "")
            self._reply_files.write(waiting)
            log.info("job %s: requeued after the end of an earlier daemon", job.id)
        else:
            self._publisher.publish(job, job.failure(JobInterruptedError()))

    def interrupt(self) -> None:
        """End every unfinished job as interrupted, unless its takes are complete."""
        self._queue.clear()
        for job in self._journal.unfinished():
            with about_job(job.id):
                written = self._written(job) if job.state is JobState.RUNNING else None
                self._publisher.publish(job, written or job.failure(JobInterruptedError()))

    def _written(self, job: Job) -> Done | None:
        """Return the end of a job whose takes are all on disk although the journal does not know it yet.

        Between the last file and the word of it a daemon can be killed; to render again would double the takes.
        """
        if not job.attempts:
            return None
        folder = self._rules.paths.chosen_folder(job.request)
        takes = find_takes(folder, lambda name: name == job.id, job.accepted_at)
        return Done(job.request.address, job.id, takes[job.id]) if job.id in takes else None
