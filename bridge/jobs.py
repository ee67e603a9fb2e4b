"""What a job is and how it may move. Pure: a job is a frozen value, and `Job.after(news)` is the only way onward.

Rules of the house:
1. Everything that affects a transition lives in this file, in TRANSITIONS.
2. A final state is final: news that come late change nothing.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from bridge.errors import BridgeError, JobCancelledError
from bridge.messages import Done, Fail, JobReply, Notice, Progress, RenderRequest, Reply


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
    JobState.RUNNING: frozenset({JobState.RUNNING, JobState.DONE, JobState.FAILED, JobState.CANCELLED}),
    JobState.DONE: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class Job:
    """A render request and how far it has come; `fraction` is 0..1, `paths` are the files written, best first."""

    request: RenderRequest
    state: JobState = JobState.QUEUED
    fraction: float = 0.0
    stage: str = "queued"
    warnings: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    error: Fail | None = None

    @property
    def id(self) -> str:
        return self.request.job

    def after(self, news: Reply) -> "Job":
        """Give the job as it stands after `news`; the same object when they change nothing."""
        state = _state_after(news)
        if state is None or self.state.is_final:
            return self
        if state not in TRANSITIONS[self.state]:
            raise ValueError(f"a job that is {self.state} cannot become {state}")
        match news:
            case Progress(_, fraction, stage):
                return replace(self, state=state, fraction=fraction, stage=stage)
            case Notice(_, text):
                return replace(self, state=state, warnings=(*self.warnings, text))
            case Done(_, _, paths):
                return replace(self, state=state, fraction=1.0, stage="done", paths=paths)
            case Fail():
                return replace(self, state=state, stage=str(state), error=news)
            case _:
                return self

    def outcome(self) -> Done | Fail | None:
        """Give the message that ended the job; None while it has not ended."""
        if self.state is JobState.DONE:
            return Done(self.request.address, self.id, self.paths)
        return self.error

    def describe(self) -> JobReply:
        return JobReply(self.id, str(self.state), self.fraction, self.stage)

    def failure(self, error: BridgeError) -> Fail:
        """Say in the job's name that `error` ended it."""
        return Fail(self.request.address, self.id, error.code, error.text, error.hint)


def _state_after(news: Reply) -> JobState | None:
    match news:
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
