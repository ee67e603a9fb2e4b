"""Every job on disk (SQLite, write-ahead log, synchronous): written before it is acknowledged, answerable for ever.

What moves often, a running job's fraction and stage, stays in memory; states, files, warnings and errors are written.
"""

import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from bridge.errors import BridgeError, JournalError
from bridge.jobs import Job, JobState
from bridge.messages import Fail, RenderRequest
from bridge.protocol import parse_request, to_message

JOURNAL_FILE = "journal.sqlite3"
_CACHE_KIB = 256
"""Pages that SQLite keeps for itself. A job is looked up by its id; what the system keeps of the file is enough."""

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
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    changed_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX IF NOT EXISTS unfinished ON jobs (state) WHERE state IN ('queued', 'running');
"""

_ADDED_COLUMNS = {"attempts": "INTEGER NOT NULL DEFAULT 0"}
"""What journals of earlier versions lack."""

_UPSERT = """
INSERT INTO jobs (id, state, address, arguments, stage, warnings, paths, error, attempts, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', ?, 'unixepoch'))
ON CONFLICT (id) DO UPDATE SET state = excluded.state, stage = excluded.stage, warnings = excluded.warnings,
    paths = excluded.paths, error = excluded.error, attempts = excluded.attempts,
    changed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
"""

_SELECT = """
SELECT state, address, arguments, stage, warnings, paths, error, attempts,
    (julianday(created_at) - 2440587.5) * 86400.0 FROM jobs
"""

_SEARCH = f"""
{_SELECT} WHERE (:state = '' OR state = :state) AND (:text = '' OR instr(lower(id), lower(:text))
    OR instr(lower(arguments), lower(:escaped)) OR instr(lower(paths), lower(:escaped)))
ORDER BY rowid DESC LIMIT :limit
"""

log = logging.getLogger(__name__)


class Journal:
    """All jobs ever accepted; the unfinished ones also in memory, with their progress."""

    def __init__(self, path: Path) -> None:
        """Open or make the journal. Raises JournalError when the file cannot be used."""
        self._live: dict[str, Job] = {}
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._database.executescript(_SCHEMA)
            self._add_columns()
        except sqlite3.Error as error:
            raise JournalError(f"{path}: {error}") from error

    def left_behind(self) -> list[Job]:
        """Give the jobs that an earlier daemon did not finish, the oldest first; they are this one's now."""
        rows = self._database.execute(f"{_SELECT} WHERE state IN ('queued', 'running') ORDER BY rowid").fetchall()
        jobs = list(_read_all(rows))
        self._live.update({job.id: job for job in jobs})
        return jobs

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
            self._write(job, is_lasting=job.state.is_final)
        if job.state.is_final:
            del self._live[job.id]

    def find(self, job_id: str) -> Job | None:
        if job_id in self._live:
            return self._live[job_id]
        row = self._database.execute(f"{_SELECT} WHERE id = ?", (job_id,)).fetchone()
        return None if row is None else _read(row)

    def search(self, text: str = "", state: str = "", limit: int = 20) -> list[Job]:
        """Give the newest jobs, finished ones too, whose id, arguments or files hold `text`, in one state or any."""
        return [self._live.get(job.id, job) for job in _search(self._database, text, state, limit)]

    def unfinished(self) -> list[Job]:
        """Give the jobs that are waiting or running now, the oldest first."""
        return [job for job in self._live.values() if not job.state.is_final]

    def close(self) -> None:
        self._database.close()

    def _add_columns(self) -> None:
        known = {row[1] for row in self._database.execute("PRAGMA table_info(jobs)")}
        for name, kind in _ADDED_COLUMNS.items():
            if name not in known:
                self._database.execute(f"ALTER TABLE jobs ADD COLUMN {name} {kind}")

    def _write(self, job: Job, *, is_lasting: bool = True) -> None:
        """Write a job; what lasts survives a power cut, all else only the end of this process.

        That a job has begun may be forgotten in a power cut: then it waits again, as it would anyway. That it was
        accepted and how it ended may not, and each of these waits for the disk.
        """
        address, args = to_message(replace(job.request, token=""))
        error = None if job.error is None else json.dumps([job.error.code, job.error.text, job.error.hint])
        listed = (json.dumps(job.warnings), json.dumps(job.paths))
        try:
            self._database.execute(f"PRAGMA synchronous = {'FULL' if is_lasting else 'NORMAL'}")
            self._database.execute(
                _UPSERT,
                (
                    job.id,
                    str(job.state),
                    address,
                    json.dumps(args),
                    job.stage,
                    *listed,
                    error,
                    job.attempts,
                    job.accepted_at,
                ),
            )
        except (sqlite3.Error, UnicodeEncodeError) as problem:
            raise JournalError(problem) from problem


def _lasting(job: Job) -> Job:
    """The part of a job that is worth a disk write."""
    return replace(job, fraction=0.0, stage="")


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Look into a journal beside its daemon, or without one, and change nothing. Raises JournalError."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as database:
            yield database
    except sqlite3.Error as error:
        raise JournalError(f"{path}: {error}") from error


def search_file(path: Path, text: str = "", state: str = "", limit: int = 20) -> list[Job]:
    """Search a journal as `Journal.search` does, without a daemon. Raises JournalError."""
    with reading(path) as database:
        return _search(database, text, state, limit)


def find_in_file(path: Path, job_id: str) -> Job | None:
    """Find a job in a journal without a daemon. Raises JournalError."""
    with reading(path) as database:
        return next(_read_all(database.execute(f"{_SELECT} WHERE id = ?", (job_id,)).fetchall()), None)


def _search(database: sqlite3.Connection, text: str, state: str, limit: int) -> list[Job]:
    escaped = json.dumps(text)[1:-1]  # as it stands in the columns
    rows = database.execute(_SEARCH, {"text": text, "escaped": escaped, "state": state, "limit": limit})
    return list(_read_all(rows.fetchall()))


_Row = tuple[str, str, str, str, str, str, str | None, int, float]


def _read_all(rows: Iterable[_Row]) -> Iterator[Job]:
    """Read what can be read: a row of a later version is no reason to lose sight of the others."""
    for row in rows:
        try:
            yield _read(row)
        except (BridgeError, ValueError) as error:
            log.warning("a job in the journal is not understood: %s", error)


def _read(row: _Row) -> Job:
    state, address, arguments, stage, warnings, paths, error, attempts, accepted_at = row
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
        attempts=attempts,
        accepted_at=accepted_at,
    )
