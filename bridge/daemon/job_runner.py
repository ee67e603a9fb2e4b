"""Takes jobs from the queue and sees each through to its end; a crash costs an attempt, not the job."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from bridge.daemon.job_publisher import JobPublisher
from bridge.daemon.refusals import explained
from bridge.daemon.rules import DaemonRules
from bridge.errors import TooLateError, WorkerDiedError, WorkerHungError
from bridge.farm.supervisor import FarmSupervisor
from bridge.host.job_log import about_job
from bridge.jobs.deadline import require_in_time
from bridge.jobs.job import MAX_ATTEMPTS, Job, shape_of
from bridge.jobs.job_queue import JobQueue
from bridge.jobs.journal import Journal
from bridge.rendering.supervisor import RenderSupervisor
from bridge.wire.messages import Done, Fail, Notice, Progress

_GPU_BATCH = 8
"""Jobs of equal shape that a GPU renders together."""
_SLOW_DEVICES = frozenset({"cpu", "mps"})
"""Where rendering together gains nothing."""
_CHECK_S = 1.0
"""How often to check whether there are more slots by now."""

log = logging.getLogger(__name__)


class JobRunner:
    """Renders the waiting jobs, as many calls at a time as the supervisor has slots."""

    def __init__(
        self,
        supervisor: RenderSupervisor | FarmSupervisor,
        journal: Journal,
        queue: JobQueue,
        publisher: JobPublisher,
        rules: DaemonRules,
    ) -> None:
        self._supervisor, self._journal, self._queue = supervisor, journal, queue
        self._publisher, self._rules = publisher, rules
        self._rendering: set[asyncio.Task[None]] = set()

    async def work(self) -> None:
        """Render jobs for ever; unload the model after a long time without any. Runs until it is cancelled."""
        async with asyncio.TaskGroup() as group:  # our cancellation ends the renders, too
            while True:
                await self._wait_for_slot()
                try:
                    # Not wait_for: when a job and our own cancellation come together it may swallow the cancellation.
                    async with asyncio.timeout(self._rules.idle_unload_s):
                        await self._queue.wait()
                except TimeoutError:
                    if not self._rendering:  # a job that renders for longer than this is no rest
                        await self._supervisor.stop()
                    continue
                # No await between the queue's word and this: a job that is cancelled meanwhile would be gone.
                jobs = self._take_alike()
                with about_job(jobs[0].id if len(jobs) == 1 else ""):  # the task keeps this context
                    task = group.create_task(self._render(jobs))
                self._rendering.add(task)
                task.add_done_callback(self._rendering.discard)

    async def _wait_for_slot(self) -> None:
        """Return as soon as another job can be rendered. With a limit: the farm may get slots while all are taken."""
        while len(self._rendering) >= self._supervisor.slots:
            await asyncio.wait(self._rendering, timeout=_CHECK_S, return_when=asyncio.FIRST_COMPLETED)

    def _take_alike(self) -> list[Job]:
        """Take the next job, on a GPU with waiting jobs of the same shape, wherever they are in the queue."""
        first = self._journal.require(self._queue.take())
        jobs, shape = [first], shape_of(first.request)
        for job_id in self._queue.order() if shape is not None else ():
            if len(jobs) >= self._batch_size():
                break
            job = self._journal.require(job_id)
            if shape_of(job.request) == shape:
                self._queue.remove(job_id)
                jobs.append(job)
        return jobs

    def _batch_size(self) -> int:
        if self._rules.batch_jobs:
            return self._rules.batch_jobs
        loaded = self._supervisor.loaded
        return 1 if loaded is None or loaded.device in _SLOW_DEVICES else _GPU_BATCH

    async def _render(self, jobs: Sequence[Job]) -> None:
        """Bring jobs to their end: together at first; those that are tried again, each alone.

        Alone, because one of them may be what kills the process, and must not take the others with it twice.
        """
        in_time = [job for job in jobs if self._is_in_time(job)]
        left = await self._attempt(in_time) if in_time else []
        while left:
            job, *left = left
            left += await self._attempt([job])

    def _is_in_time(self, job: Job) -> bool:
        try:
            require_in_time(job.request)
        except TooLateError as error:
            self._publisher.publish(job, job.failure(error))
            return False
        return True

    async def _attempt(self, jobs: Sequence[Job]) -> list[Job]:
        """Render jobs once; return those over which the process died or hung, and which may be tried again."""
        live = {job.id: job.begun() for job in jobs}
        for job in live.values():
            # On disk before rendering: a daemon that is killed now must count this attempt when it starts again.
            self._publisher.keep(job)
        requests = [job.request for job in live.values()]
        try:
            # aclosing, so that the supervisor is free for the next job at once, whatever ends this loop.
            async with contextlib.aclosing(self._supervisor.render(requests)) as replies:
                async for reply in replies:
                    if isinstance(reply, Progress | Notice | Done | Fail) and reply.job in live:
                        live[reply.job] = self._publisher.publish(live[reply.job], reply)
        except Exception as error:  # noqa: BLE001 - a job may fail, but an error here would end all others of the group
            live |= {job.id: self._retry_or_fail(job, error) for job in live.values() if not job.state.is_final}
        return [job for job in live.values() if not job.state.is_final]

    def _retry_or_fail(self, job: Job, error: Exception) -> Job:
        """Return a job unfinished if it may be tried again after an error; end it otherwise."""
        with about_job(job.id):
            if isinstance(error, WorkerDiedError | WorkerHungError) and job.attempts < MAX_ATTEMPTS:
                log.warning("job %s: %s; it is tried again", job.id, error)
                return job
            return self._publisher.publish(job, job.failure(explained(error)))
