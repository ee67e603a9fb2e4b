"""The DAWs on this machine, as `retake install-scripts --json` reports them. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAMES = {"reaper": "REAPER", "ardour": "Ardour", "ableton": "Ableton Live"}
_FRESH = frozenset({"installed", "updated", "offered", "backed up"})


@dataclass(frozen=True)
class InstalledScripts:
    """A DAW's script folder; `todo` counts the files that an installation would write there."""

    host: str
    program: str
    folder: str
    todo: int
    notes: tuple[str, ...] = ()
    failure: str = ""

    @property
    def state(self) -> str:
        if self.failure:
            return self.failure
        return f"{self.todo} files to install" if self.todo else "up to date"


@dataclass(frozen=True)
class InstallReport:
    """What was found or done, and the steps that remain in each DAW, as Markdown."""

    places: tuple[InstalledScripts, ...]
    clicks: tuple[tuple[str, str], ...]
    errors: tuple[str, ...]


def parse_report(text: str) -> InstallReport:
    """Return the report that `retake install-scripts --json` printed. Raises ValueError for anything else."""
    try:
        content = json.loads(text)
        places = tuple(map(_place, content["places"]))
        errors = tuple(error["text"] for error in content["errors"])
        return InstallReport(places, tuple(content["clicks"].items()), errors)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the report lacks {error}") from error


def _place(row: Mapping[str, Any]) -> InstalledScripts:
    files = row["files"]
    failure = next((file.get("reason", "it failed") for file in files if file["action"] == "failed"), "")
    todo = sum(file["action"] in _FRESH for file in files)
    return InstalledScripts(row["host"], row["program"], row["folder"], todo, tuple(row["notes"]), failure)
