"""Remembers where scripts were installed, so that updates and removals also find folders named by `--path`."""

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from bridge.daw_install.hosts import ScriptFolder

_FILE = "installed_scripts.json"


def recall(state: Path) -> list[ScriptFolder]:
    """Return the folders that scripts were installed to; none if the file cannot be read."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        rows = json.loads((state / _FILE).read_text(encoding="utf-8"))
        return [ScriptFolder(row["part"], row["program"], Path(row["folder"])) for row in rows]
    return []


def remember(state: Path, places: Iterable[ScriptFolder]) -> None:
    _write(state, [*recall(state), *places])


def forget(state: Path, places: Iterable[ScriptFolder]) -> None:
    gone = {(place.part, place.folder) for place in places}
    _write(state, [place for place in recall(state) if (place.part, place.folder) not in gone])


def _write(state: Path, places: Iterable[ScriptFolder]) -> None:
    """Keep one row for each folder. A write error loses only the memory; the scripts are installed."""
    rows = {
        (place.part, str(place.folder)): {"part": place.part, "program": place.program, "folder": str(place.folder)}
        for place in places
    }
    text = json.dumps(list(rows.values()), indent=1)
    path = state / _FILE
    with contextlib.suppress(OSError):
        if not rows:
            path.unlink(missing_ok=True)
        else:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = path.with_name(f"{_FILE}.{os.getpid()}")
            fresh.write_text(text, encoding="utf-8")
            os.replace(fresh, path)
