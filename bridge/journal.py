"""Every job on disk (SQLite, write-ahead log, synchronous): written before it is acknowledged, answerable for ever.

What moves often, a running job's fraction and stage, stays in memory; states, files, warnings and errors are written.
"""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

from bridge.errors import JobInterruptedError, JournalError
from bridge.jobs import Job, JobState
from bridge.messages import Fail, RenderRequest
from bridge.protocol import parse_request, to_message

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    address TEXT NOT NULL,
    arguments TEXT NOT NULL,              -- JSON list, as on the wire, without the token
    stage TEXT NOT NULL,
    warnings TEXT NOT NULL,               -- JSON list of sentences
    paths TEXT NOT NULL,                  -- JSON list, best first
    error TEXT,                           -- JSON list: code, text, hint
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    changed_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX IF NOT EXISTS unfinished ON jobs (state) WHERE state IN ('queued', 'running');
"""

_UPSERT = """
INSERT INTO jobs (id, state, address, arguments, stage, warnings, paths, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, stage = excluded.stage, warnings = excluded.warnings,
    paths = excluded.paths, error = excluded.error, changed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
"""

_SELECT = "SELECT state, address, arguments, stage, warnings, paths, error FROM jobs"


class Journal:
    """All jobs ever accepted; the unfinished ones also in memory, with their progress."""

    def __init__(self, path: Path) -> None:
        """Open or make the journal. Raises JournalError when the file cannot be used."""
        self._live: dict[str, Job] = {}
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise JournalError(f"{path}: {error}") from error

    def close_unfinished(self) -> list[Job]:
        """Mark the jobs that an earlier daemon left behind as interrupted, and give them."""
        rows = self._database.execute(f"{_SELECT} WHERE state IN ('queued', 'running') ORDER BY rowid").fetchall()
        closed = []
        for job in map(_read, rows):
            closed.append(job.after(job.failure(JobInterruptedError())))
            self.update(closed[-1])
        return closed

    def add(self, job: Job) -> None:
        """Accept a new job; when this returns, it is on disk. Raises JournalError."""
        self._write(job)
        self._live[job.id] = job

    def update(self, job: Job) -> None:
        """Remember how a job stands, on disk if more than its progress changed.

        Raises JournalError when the disk refuses; the job is then known until the daemon ends.
        """
        before = self._live.get(job.id)
        self._live[job.id] = job
        if before is None or _lasting(before) != _lasting(job):
            self._write(job)
        if job.state.is_final:
            del self._live[job.id]

    def find(self, job_id: str) -> Job | None:
        if job_id in self._live:
            return self._live[job_id]
        row = self._database.execute(f"{_SELECT} WHERE id = ?", (job_id,)).fetchone()
        return None if row is None else _read(row)

    def unfinished(self) -> list[Job]:
        """Give the jobs that are waiting or running now, the oldest first."""
        return [job for job in self._live.values() if not job.state.is_final]

    def close(self) -> None:
        self._database.close()

    def _write(self, job: Job) -> None:
        address, args = to_message(replace(job.request, token=""))
        error = None if job.error is None else json.dumps([job.error.code, job.error.text, job.error.hint])
        listed = (json.dumps(job.warnings), json.dumps(job.paths))
        try:
            self._database.execute(
                _UPSERT, (job.id, str(job.state), address, json.dumps(args), job.stage, *listed, error)
            )
        except (sqlite3.Error, UnicodeEncodeError) as problem:
            raise JournalError(problem) from problem


def _lasting(job: Job) -> Job:
    """The part of a job that is worth a disk write."""
    return replace(job, fraction=0.0, stage="")


def _read(row: tuple[str, str, str, str, str, str, str | None]) -> Job:
    state, address, arguments, stage, warnings, paths, error = row
    request = parse_request(address, json.loads(arguments))
    assert isinstance(request, RenderRequest)
    return Job(
        request=request,
        state=JobState(state),
        fraction=1.0 if state == JobState.DONE else 0.0,
        stage=stage,
        warnings=tuple(json.loads(warnings)),
        paths=tuple(json.loads(paths)),
        error=None if error is None else Fail(address, request.job, *json.loads(error)),
    )
