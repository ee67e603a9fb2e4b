"""All jobs that the window knows, and what the tray icon says about them. Pure: news go in, entries come out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bridge.desktop.state.entries import JobItem
from bridge.jobs.job import JobState
from bridge.wire.messages import Ack, Done, Fail, JobReply, Notice, Progress, RenderRequest, Reply

MAX_ENTRIES = 500
PAUSED = "paused"
"""How a job that waits stands while no job begins."""


@dataclass(frozen=True)
class Summary:
    """What the tray icon shows: `mood` is idle, working or error; `fraction` is that of the running job."""

    mood: str
    fraction: float
    text: str


class JobStore:
    """Jobs by id, the newest last."""

    def __init__(self) -> None:
        self._entries: dict[str, JobItem] = {}
        self._failed: str | None = None
        self.is_paused = False
        self.trouble = ""
        """Why no daemon can be reached; empty while one can."""

    def __iter__(self) -> Iterator[JobItem]:
        return iter(self._entries.values())

    def find(self, job: str) -> JobItem | None:
        return self._entries.get(job)

    def add(self, request: RenderRequest) -> JobItem:
        """Note a job of our own, which the daemon has not heard of yet."""
        return self._put(JobItem(job=request.job, request=request, stage="sending"))

    def pause(self, *, on: bool) -> list[JobItem]:
        """Note that no job begins from now on, or that they go on; return those that wait."""
        self.is_paused = on
        stage = PAUSED if on else "waiting"
        return [self._put(replace(entry, stage=stage)) for entry in self._waiting()]

    def _waiting(self) -> list[JobItem]:
        return [entry for entry in self if entry.state is JobState.QUEUED]

    def count_waiting(self) -> int:
        return len(self._waiting())

    def apply(self, reply: Reply) -> JobItem | None:
        """Follow a piece of news; return the job that it is about, None if it is about none."""
        if not isinstance(reply, Ack | Progress | Notice | Done | Fail | JobReply) or not reply.job:
            return None
        if isinstance(reply, Done | Fail) and reply.command in {"/retake/cancel", "/retake/job"}:
            return None
        entry = self._entries.get(reply.job, JobItem(job=reply.job))
        before = entry
        if isinstance(reply, Ack):
            if entry.state is JobState.QUEUED:
                position = "next" if reply.position == 0 else f"{reply.position} before it"
                entry = replace(entry, stage=PAUSED if self.is_paused else position)
        else:
            entry = entry.after(reply)
        if entry.state is JobState.FAILED and before.state is not JobState.FAILED:
            self._failed = entry.job
        elif entry.state is JobState.DONE and before.state is not JobState.DONE:
            self._failed = None
        return self._put(entry)

    def fill(self, entries: Iterable[JobItem]) -> list[JobItem]:
        """Learn from the journal, the newest first; news that were heard since are fresher. Give what changed."""
        changed = []
        for told in reversed(list(entries)):
            known = self._entries.get(told.job)
            if known is None:
                changed.append(self._put(told))
            elif known.request is None or not known.created_at:
                request = known.request or told.request
                changed.append(self._put(replace(known, request=request, created_at=told.created_at)))
            elif told.state.is_final and not known.state.is_final:
                changed.append(self._put(told))
        self._entries = dict(sorted(self._entries.items(), key=lambda pair: pair[1].created_at or "9"))
        return changed

    def unfinished(self) -> list[JobItem]:
        return [entry for entry in self if not entry.state.is_final]

    def results(self) -> list[JobItem]:
        """Return the jobs that wrote something, the newest first."""
        return [entry for entry in reversed(list(self)) if entry.state is JobState.DONE and entry.paths]

    def acknowledge_failure(self) -> None:
        """The musician has seen the failure."""
        self._failed = None

    def summary(self) -> Summary:
        """Say in one glance how things stand."""
        unfinished = self.unfinished()
        running = next((entry for entry in unfinished if entry.state is JobState.RUNNING), None)
        if self.trouble:
            return Summary("error", 0.0, self.trouble)
        if unfinished:
            told = running or unfinished[0]
            others = len(unfinished) - 1
            more = f", {others} more waiting" if others else ""
            return Summary("working", told.fraction, f"{told.title}: {told.stage}{more}")
        if self._failed is not None:
            error = self._entries[self._failed].error
            return Summary("error", 0.0, error.text if error else "A job failed")
        return Summary("idle", 0.0, "Ready")

    def _put(self, entry: JobItem) -> JobItem:
        self._entries[entry.job] = entry
        if len(self._entries) > MAX_ENTRIES:
            oldest = next((job for job, it in self._entries.items() if it.state.is_final), None)
            if oldest is not None:  # what is not over is never forgotten
                del self._entries[oldest]
        return entry
