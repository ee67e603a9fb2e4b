"""Jobs from the journal, read beside the daemon: read-only, without a lock that would hold it up."""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from bridge.desktop.state.job_item import JobItem
from bridge.errors import BridgeError
from bridge.jobs.job import JobState
from bridge.plain_words import in_window, window_words
from bridge.wire.messages import Fail, RenderRequest
from bridge.wire.parsing import parse_request

JOURNAL = "journal.sqlite3"
_SELECT = "SELECT id, state, address, arguments, stage, warnings, paths, error, created_at FROM jobs"
_TIMEOUT_S = 2.0


def read_latest(folder: Path, limit: int = 300) -> list[JobItem]:
    """Return the latest jobs, the newest first; none where there is no journal yet.

    Raises sqlite3.Error when the file is no journal, or stays locked by another program.
    """
    return _read(folder, f"{_SELECT} ORDER BY rowid DESC LIMIT ?", [limit])


def read_jobs(folder: Path, jobs: Sequence[str]) -> list[JobItem]:
    """Return these jobs, as far as the journal knows them. Raises sqlite3.Error, as above."""
    marks = ", ".join("?" * len(jobs))
    return _read(folder, f"{_SELECT} WHERE id IN ({marks})", list(jobs))


def _read(folder: Path, query: str, values: Sequence[Any]) -> list[JobItem]:
    file = folder / JOURNAL
    if not file.exists():
        return []
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=_TIMEOUT_S)) as database:
        rows = database.execute(query, list(values)).fetchall()
    return list(_entries(rows))


def _entries(rows: Iterable[Sequence[Any]]) -> Iterator[JobItem]:
    """Yield the rows that can be read; the daemon's log names the others."""
    for row in rows:
        with contextlib.suppress(Exception):
            yield _entry(*row)


def _entry(
    job: str,
    state: str,
    address: str,
    arguments: str,
    stage: str,
    warnings: str,
    paths: str,
    error: str | None,
    created_at: str,
) -> JobItem:
    """Return a row as a job; without its request if a newer Retake wrote what this one does not understand."""
    try:
        request = parse_request(address, json.loads(arguments))
    except BridgeError:
        request = None
    known = JobState(state) if state in set(JobState) else JobState.FAILED
    return JobItem(
        job=job,
        request=request if isinstance(request, RenderRequest) else None,
        state=known,
        fraction=1.0 if known is JobState.DONE else 0.0,
        stage=stage,
        warnings=tuple(map(in_window, json.loads(warnings))),
        paths=tuple(json.loads(paths)),
        error=None if error is None else _failure(address, job, *json.loads(error)),
        created_at=created_at,
    )


def _failure(address: str, job: str, code: str, text: str, hint: str) -> Fail:
    return Fail(address, job, code, *window_words(code, text, hint))
