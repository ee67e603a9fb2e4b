"""What `retake install-scripts` did, as sentences for people and as facts for programs. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.daw_install.folder import LOCATION_FILE, Step
from bridge.daw_install.hosts import ScriptFolder

_SHOWN = 3
"""More names than this are only counted."""

_SANDBOX_NOTE = (
    "this one runs in a Flatpak sandbox, which may keep it from starting retake-send: if it says so, allow it with "
    "`flatpak override --user --talk-name=org.freedesktop.Flatpak --filesystem=home`, or use the maker's own package"
)


@dataclass(frozen=True)
class InstallOutcome:
    """One folder: what happened there, and notes for the musician."""

    host: str
    place: ScriptFolder
    folder: Path
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    are_actions_elsewhere: bool = False
    """The folder only records where Retake is; another program keeps the actions themselves."""

    @property
    def has_failed(self) -> bool:
        return any(step.action == "failed" for step in self.steps)


def facts(outcome: InstallOutcome) -> dict[str, Any]:
    """Return an outcome as JSON values."""
    return {
        "host": outcome.host,
        "program": outcome.place.program,
        "folder": str(outcome.folder),
        "files": [
            {"file": step.file, "action": step.action}
            | ({"moved_to": step.target} if step.action == "backed up" else {})
            | ({"reason": step.reason} if step.reason else {})
            for step in outcome.steps
        ],
        "notes": list(outcome.notes),
    }


def sentences(outcome: InstallOutcome, *, removing: bool, dry_run: bool) -> Iterator[str]:
    """Yield an outcome as lines of text; the first one names the folder."""
    yield f"{outcome.place.program}: {outcome.folder}"
    lines = list(_described(outcome.steps, "would be " if dry_run else ""))
    if not lines and not outcome.notes:
        lines = ["nothing of Retake is there" if removing else "all files are up to date"]
    yield from (f"  {line}" for line in [*lines, *outcome.notes])
    if outcome.place.is_sandboxed and not removing:
        yield f"  {_SANDBOX_NOTE}"


def _described(steps: tuple[Step, ...], modal: str) -> Iterator[str]:
    files = [step for step in steps if step.file != LOCATION_FILE or step.action == "failed"]
    for action in ("installed", "updated", "removed"):
        names = [step.file for step in files if step.action == action]
        if names:
            yield f"{modal}{action}: {_counted(names)}"
    for step in files:
        if step.action == "kept":
            yield f"kept: {step.file}, which is not as Retake left it"
        elif step.action == "offered":
            yield f"the new version {'would be' if modal else 'is'} beside it: {step.file}"
        elif step.action == "backed up":
            yield f"{modal}moved: {step.file}, which is not as Retake left it, to {step.target}"
    for reason in dict.fromkeys(step.reason for step in files if step.action == "failed"):
        names = [step.file for step in files if step.action == "failed" and step.reason == reason]
        yield f"failed: {_counted(names)}: {reason}"
        yield "hint: close the DAW, check that you may write to this folder, and run the same command again"


def _counted(names: list[str]) -> str:
    return f"{len(names)} files" if len(names) > _SHOWN else ", ".join(names)
