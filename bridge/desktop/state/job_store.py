"""All jobs that the window knows, and the summary that the tray icon shows. Pure: replies go in, job items come out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bridge.desktop.state.job_item import JobItem
from bridge.jobs.job import JobState
from bridge.wire.messages import Ack, Done, Fail, JobReply, Notice, Progress, RenderRequest, Reply

MAX_ENTRIES = 500
PAUSED = "paused"
"""The stage of a waiting job while the queue is paused."""


@dataclass(frozen=True)
class Summary:
    """What the tray icon shows: `status` is idle, working or error; `fraction` is that of the running job."""

    status: str
    fraction: float
    text: str


class JobStore:
    """Jobs by id, the newest last."""

    def __init__(self) -> None:
        self._entries: dict[str, JobItem] = {}
        self._failed: str | None = None
        self.is_paused = False
        self.trouble = ""
        """Why the daemon cannot be reached; empty while it can."""

    def __iter__(self) -> Iterator[JobItem]:
        return iter(self._entries.values())

    def find(self, job: str) -> JobItem | None:
        return self._entries.get(job)

    def add(self, request: RenderRequest) -> JobItem:
        """Add a job of our own before the daemon has acknowledged it."""
        return self._put(JobItem(job=request.job, request=request, stage="sending"))

    def pause(self, *, on: bool) -> list[JobItem]:
        """Note that the queue is paused or resumed; return the waiting jobs."""
        self.is_paused = on
        stage = PAUSED if on else "waiting"
        return [self._put(replace(entry, stage=stage)) for entry in self._waiting()]

    def _waiting(self) -> list[JobItem]:
        return [entry for entry in self if entry.state is JobState.QUEUED]

    def count_waiting(self) -> int:
        return len(self._waiting())

    def apply(self, reply: Reply) -> JobItem | None:
        """Apply a reply; return the job that it is about, or None."""
        if not isinstance(reply, Ack | Progress | Notice | Done | Fail | JobReply) or not reply.job:
            return None
        if isinstance(reply, Done | Fail) and reply.command in {"/retake/cancel", "/retake/job"}:
            return None
        entry = self._entries.get(reply.job, JobItem(job=reply.job))
        before = entry
        if isinstance(reply, Ack):
            if entry.state is JobState.QUEUED:
                position = "next" if reply.position == 0 else _ahead(reply.position)
                entry = replace(entry, stage=PAUSED if self.is_paused else position)
        else:
            entry = entry.after(reply)
        if entry.state is JobState.FAILED and before.state is not JobState.FAILED:
            self._failed = entry.job
        elif entry.state is JobState.DONE and before.state is not JobState.DONE:
            self._failed = None
        return self._put(entry)

    def fill(self, entries: Iterable[JobItem]) -> list[JobItem]:
        """Merge jobs read from the journal, newest first, keeping replies that came since; return what changed."""
        changed = []
        for read in reversed(list(entries)):
            known = self._entries.get(read.job)
            if known is None:
                changed.append(self._put(read))
            elif known.request is None or not known.created_at:
                request = known.request or read.request
                changed.append(self._put(replace(known, request=request, created_at=read.created_at)))
            elif read.state.is_final and not known.state.is_final:
                changed.append(self._put(read))
        self._entries = dict(sorted(self._entries.items(), key=lambda pair: pair[1].created_at or "9"))
        return changed

    def unfinished(self) -> list[JobItem]:
        return [entry for entry in self if not entry.state.is_final]

    def results(self) -> list[JobItem]:
        """Return the jobs that wrote something, the newest first."""
        return [entry for entry in reversed(list(self)) if entry.state is JobState.DONE and entry.paths]

    def acknowledge_failure(self) -> None:
        """Clear the error state: the user has seen the failure."""
        self._failed = None

    def summary(self) -> Summary:
        """Return the state of all jobs in one line."""
        unfinished = self.unfinished()
        running = next((entry for entry in unfinished if entry.state is JobState.RUNNING), None)
        if self.trouble:
            return Summary("error", 0.0, self.trouble)
        if unfinished:
            shown = running or unfinished[0]
            others = len(unfinished) - 1
            more = f", {others} more waiting" if others else ""
            return Summary("working", shown.fraction, f"{shown.title}: {shown.stage}{more}")
        if self._failed is not None:
            error = self._entries[self._failed].error
            return Summary("error", 0.0, error.text if error else "A job failed")
        return Summary("idle", 0.0, "Ready")

    def _put(self, entry: JobItem) -> JobItem:
        self._entries[entry.job] = entry
        if len(self._entries) > MAX_ENTRIES:
            oldest = next((job for job, it in self._entries.items() if it.state.is_final), None)
            if oldest is not None:  # unfinished jobs are never dropped
                del self._entries[oldest]
        return entry


def _ahead(num_jobs: int) -> str:
    return "1 job ahead" if num_jobs == 1 else f"{num_jobs} jobs ahead"
