"""What happens when something new is known about a job: journal, reply file, subscribers, in this order.

The journal comes first, so that no client learns of an end that a power cut could undo.
"""

import asyncio
import contextlib
import logging

from bridge.daemon.subscribers import Subscribers
from bridge.errors import BridgeError
from bridge.host.job_log import about_job
from bridge.jobs.job import Job
from bridge.jobs.journal import Journal
from bridge.jobs.reply_files import ReplyFiles
from bridge.wire.messages import Reply

_CATCH_UP_S = 0.5

log = logging.getLogger(__name__)


class JobPublisher:
    """Brings jobs up to date everywhere."""

    def __init__(self, journal: Journal, reply_files: ReplyFiles, subscribers: Subscribers) -> None:
        self._journal, self._reply_files, self._subscribers = journal, reply_files, subscribers

    def publish(self, job: Job, reply: Reply) -> Job:
        """Bring a job up to date, on disk too, and send the reply to all who follow it; return the job as it is now."""
        with about_job(job.id):
            job = job.after(reply)
            self.keep(job)
            if self._subscribers.wants(reply):
                self._reply_files.write(job)
                self._subscribers.send(job.id, reply)
            if job.state.is_final:
                log.info("job %s: %s %s", job.id, job.state, job.error.text if job.error else ", ".join(job.paths))
                self._subscribers.end_job(job.id)
        return job

    def keep(self, job: Job) -> None:
        """Write a job's state into the journal.

        A disk that refuses does not stop the job: its sound may still be saved, and `catch_up` tries again.
        """
        try:
            self._journal.update(job)
        except BridgeError as error:
            log.warning("job %s: %s", job.id, error)

    async def catch_up(self) -> None:
        """Write into the journal, as soon as it can be, what could not be written when it happened. Never returns."""
        while True:
            await asyncio.sleep(_CATCH_UP_S)
            if self._journal.is_behind:
                with contextlib.suppress(BridgeError):
                    self._journal.catch_up()
