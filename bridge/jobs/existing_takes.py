"""Takes that are in a folder already, found by the jobs that their stories name.

A process may be killed between writing the last file of a job and reporting its end; the takes are there all the same.
Before such a job is rendered again, its takes are looked for here.
"""

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bridge.host.plain_file import open_plain

_MAX_STORY = 2**20
"""Bytes; a larger JSON file is no story."""
_CLOCKS_S = 10.0
"""How far the clock of a file system may be behind, or its times be rounded."""

Story = Mapping[str, Any]


def find_takes(folder: Path, is_wanted: Callable[[str], bool], since_unix: float = 0.0) -> dict[str, tuple[str, ...]]:
    """Return the takes, best first, of every wanted job whose takes are complete; older files are not read."""
    found: dict[str, dict[int, tuple[Story, str]]] = {}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.endswith(".json") or entry.name.startswith("."):
                continue
            story = _read_story(entry, since_unix - _CLOCKS_S)
            job, take = story.get("job"), Path(entry.path).with_suffix(".wav")
            if isinstance(job, str) and is_wanted(job) and take.is_file():
                found.setdefault(job, {})[_number(story, "candidate")] = story, str(take)
    return {job: _best_first(takes) for job, takes in found.items() if _is_whole(takes)}


def _read_story(entry: os.DirEntry[str], since_unix: float) -> Story:
    """Read a story; empty for what is none, is a link, or is older."""
    try:
        if entry.stat(follow_symlinks=False).st_mtime < since_unix:
            return {}
        with open_plain(Path(entry.path)) as file:
            if os.fstat(file.fileno()).st_size > _MAX_STORY:
                return {}
            story = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return story if isinstance(story, dict) else {}


def _is_whole(takes: Mapping[int, tuple[Story, str]]) -> bool:
    (story, _), *_ = takes.values()
    return set(takes) == set(range(1, _number(story, "candidates") + 1))


def _best_first(takes: Mapping[int, tuple[Story, str]]) -> tuple[str, ...]:
    def rank(number: int) -> tuple[float, int]:
        score = takes[number][0].get("score")
        return (-score if isinstance(score, int | float) else 0.0), number

    return tuple(takes[number][1] for number in sorted(takes, key=rank))


def _number(story: Story, name: str) -> int:
    value = story.get(name, 1)
    return value if isinstance(value, int) else 1
