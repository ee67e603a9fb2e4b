"""A job as the window shows it, from replies, from the journal, or from both. Pure."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bridge.desktop.state.parameters import TITLES, parameters_of, spelled
from bridge.errors import JobCancelledError
from bridge.jobs.job import JobState
from bridge.wire.messages import ClipRequest, Done, Fail, Inpaint, JobReply, Notice, Progress, RenderRequest, Reply


@dataclass(frozen=True, kw_only=True)
class JobItem:
    """One job; `request` is None while it is known by replies alone. `created_at` is ISO 8601, UTC."""

    job: str
    request: RenderRequest | None = None
    state: JobState = JobState.QUEUED
    fraction: float = 0.0
    stage: str = "queued"
    warnings: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    error: Fail | None = None
    created_at: str = ""

    @property
    def operation(self) -> str:
        return "" if self.request is None else self.request.address.rpartition("/")[2]

    @property
    def clip(self) -> Path | None:
        return Path(self.request.clip) if isinstance(self.request, ClipRequest) else None

    @property
    def title(self) -> str:
        """Return the prompt, or a description in its place."""
        if self.request is None:
            return "A job of another program"
        if self.request.prompt.strip():
            return self.request.prompt.strip()
        if self.request.like is not None:
            return f"like {Path(self.request.like).name}"
        return f"{TITLES[self.operation]} {self.clip.name}" if self.clip else TITLES[self.operation]

    def after(self, news: Reply) -> "JobItem":
        """Return the job after a reply; itself if nothing changes. Replies after the end are ignored."""
        if self.state.is_final:
            return self
        changes = _changes(news)
        if isinstance(news, Notice):
            changes = {"warnings": tuple(dict.fromkeys((*self.warnings, news.text)))}
        return replace(self, **changes) if changes else self


def _changes(news: Reply) -> dict[str, Any]:
    """Return the fields that a reply changes."""
    match news:
        case Progress(_, fraction, stage):
            return {"state": JobState.RUNNING, "fraction": fraction, "stage": stage}
        case JobReply(_, state, fraction, stage) if state in {JobState.QUEUED, JobState.RUNNING}:
            return {
                "state": JobState(state),
                "fraction": fraction,
                "stage": stage,
            }  # the end itself follows as /done or /fail
        case Done(_, _, paths):
            return {"state": JobState.DONE, "fraction": 1.0, "stage": "done", "paths": paths}
        case Fail(code=JobCancelledError.code):
            return {"state": JobState.CANCELLED, "stage": "cancelled", "error": news}
        case Fail():
            return {"state": JobState.FAILED, "stage": "failed", "error": news}
    return {}


def facts_of(request: RenderRequest) -> list[tuple[str, str]]:
    """List what was asked for, as label and value; what was left to the engine is not listed."""
    rows = parameters_of(request.address.rpartition("/")[2])
    facts = [("Model", request.model or ""), ("Region", _spans(request))]
    for name, row in rows.items():
        value = getattr(request, name)
        if name != "model":
            is_file = value and row["x-kind"] == "path"
            facts.append((str(row["x-label"]), Path(value).name if is_file else spelled(row, value)))
    facts.append(("Asked by", request.client or ""))
    return [(label, text) for label, text in facts if text]


def _spans(request: RenderRequest) -> str:
    """Return the parts of the clip that were worked on; "" where it was the whole clip."""
    if isinstance(request, Inpaint):
        return ", ".join(f"{region[0]:g}–{region[1]:g} s" for region in request.regions)
    start_s, end_s = getattr(request, "start_s", None), getattr(request, "end_s", None)
    if start_s is None and end_s is None:
        return ""
    return f"{start_s or 0:g} s – {'end' if end_s is None else f'{end_s:g} s'}"
