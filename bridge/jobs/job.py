"""What a job is and how it may move. Pure: a job is a frozen value, and `Job.after(reply)` is the only way onward.

Rules of the house:
1. Everything that affects a transition lives in this file, in TRANSITIONS.
2. A final state is final: replies that come late change nothing.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from bridge.errors import BridgeError, JobCancelledError
from bridge.wire.messages import Done, Fail, Generate, JobEntry, JobReply, Notice, Progress, RenderRequest, Reply


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return not TRANSITIONS[self]


TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.FAILED, JobState.CANCELLED}),
    JobState.RUNNING: frozenset(
        {JobState.QUEUED, JobState.RUNNING, JobState.DONE, JobState.FAILED, JobState.CANCELLED}
    ),
    JobState.DONE: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}


def shape_of(request: RenderRequest) -> Hashable | None:
    """Return a key that is equal for jobs that can be rendered together; None for those that cannot."""
    if not isinstance(request, Generate):
        return None
    return request.model, request.seconds, request.draft, request.steps, request.guidance, request.sampler


MAX_ATTEMPTS = 2
"""How often a job is begun: once more when a process died during it, never again after that."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A render request and how far it has come; `fraction` is 0..1, `paths` are the files written, best first.

    `accepted_at` is in seconds since 1970; `attempts` counts how often the job was begun.
    """

    request: RenderRequest
    state: JobState = JobState.QUEUED
    fraction: float = 0.0
    stage: str = "queued"
    warnings: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    error: Fail | None = None
    attempts: int = 0
    accepted_at: float = field(default=0.0, compare=False)

    @property
    def id(self) -> str:
        return self.request.job

    def after(self, reply: Reply) -> "Job":
        """Return the job as it is after a reply; the same object when that changes nothing."""
        state = _state_after(reply)
        if state is None or self.state.is_final:
            return self
        self._require_way_to(state)
        match reply:
            case Progress(_, fraction, stage):
                return replace(self, state=state, fraction=fraction, stage=stage)
            case Notice(_, text):
                return replace(self, state=state, warnings=(*self.warnings, text))
            case Done(_, _, paths):
                return replace(self, state=state, fraction=1.0, stage="done", paths=paths)
            case Fail():
                return replace(self, state=state, stage=str(state), error=reply)
            case _:
                return self

    def begun(self) -> "Job":
        """Return the job at the start of an attempt."""
        self._require_way_to(JobState.RUNNING)
        return replace(self, state=JobState.RUNNING, attempts=self.attempts + 1, fraction=0.0, stage="loading")

    def requeued(self) -> "Job":
        """Return the job as it waits again, after the daemon died during it."""
        if self.state is JobState.QUEUED:
            return self
        self._require_way_to(JobState.QUEUED)
        return replace(self, state=JobState.QUEUED, fraction=0.0, stage="queued", warnings=())

    def _require_way_to(self, state: JobState) -> None:
        if state not in TRANSITIONS[self.state]:
            raise ValueError(f"a job that is {self.state} cannot become {state}")

    def outcome(self) -> Done | Fail | None:
        """Return the reply that ended the job; None while it has not ended."""
        if self.state is JobState.DONE:
            return Done(self.request.address, self.id, self.paths)
        return self.error

    def describe(self) -> JobReply:
        return JobReply(self.id, str(self.state), self.fraction, self.stage)

    def listed(self) -> JobEntry:
        """Return the job as an entry of a list."""
        accepted_at = datetime.fromtimestamp(self.accepted_at, UTC).isoformat(timespec="seconds")
        path, code = next(iter(self.paths), ""), "" if self.error is None else self.error.code
        return JobEntry(self.id, str(self.state), self.request.address, self.request.prompt, accepted_at, path, code)

    def failure(self, error: BridgeError) -> Fail:
        """Return the reply that says that `error` ended the job."""
        return Fail(self.request.address, self.id, error.code, error.text, error.hint)


def _state_after(reply: Reply) -> JobState | None:
    match reply:
        case Progress() | Notice():
            return JobState.RUNNING
        case Done():
            return JobState.DONE
        case Fail(code=JobCancelledError.code):
            return JobState.CANCELLED
        case Fail():
            return JobState.FAILED
        case _:
            return None
