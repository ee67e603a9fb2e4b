"""Every job on disk (SQLite, write-ahead log, synchronous): written before it is acknowledged, and kept after its end.

What changes often, a running job's fraction and stage, stays in memory; states, files, warnings and errors are written.
"""

import contextlib
import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from bridge.errors import JournalError, UnknownJobError
from bridge.jobs.job import Job
from bridge.jobs.journal_errors import (
    JournalBusyError,
    JournalDamagedError,
    is_for_good,
    journal_error,
    require_file,
    unusable,
)
from bridge.jobs.journal_repair import rescue, set_aside
from bridge.jobs.journal_rows import SELECT, UPSERT, Row, read_row, read_rows, values_of
from bridge.wire.messages import Generate

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

_START_PATIENCE_S = 5.0
"""How long a daemon that starts waits for a program that holds the journal."""
_PATIENCE_S = 0.05
"""How long it waits later, when others wait for its answers."""
_REST_S = 0.25
"""How long the journal is left alone after another program was found to hold it.

Every attempt may wait for _PATIENCE_S, during which the daemon answers no client: it must not do so for each request.
"""
_NEW_ID = "choose a new job id for a new request"

_T = TypeVar("_T")

_SEARCH = f"""
{SELECT} WHERE (:state = '' OR state = :state) AND (:text = '' OR instr(lower(id), lower(:text))
    OR instr(lower(arguments), lower(:escaped)) OR instr(lower(paths), lower(:escaped)))
ORDER BY rowid DESC LIMIT :limit
"""

log = logging.getLogger(__name__)


class Journal:
    """All jobs ever accepted; the unfinished ones also in memory, with their progress.

    `notes` are sentences about it that people should read.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the journal, and see that it is sound.

        Raises JournalDamagedError when it is not, JournalBusyError while another program holds it, JournalError.
        """
        self.notes: tuple[str, ...] = ()
        self._path = path
        self._live: dict[str, Job] = {}
        self._behind: dict[str, Job] = {}
        self._held_until = 0.0
        self._database = _opened(path)

    def left_behind(self) -> list[Job]:
        """Return the jobs that an earlier daemon did not finish, the oldest first; they are this one's now."""
        jobs = list(read_rows(self._rows(f"{SELECT} WHERE state IN ('queued', 'running') ORDER BY rowid")))
        self._live.update({job.id: job for job in jobs})
        return jobs

    def add(self, job: Job) -> None:
        """Accept a new job; when this returns, it is on disk. Raises JournalError."""
        self._write(job)
        self._live[job.id] = job

    def update(self, job: Job) -> None:
        """Keep the state of a job, on disk if more than its progress changed.

        Raises JournalError when the disk refuses; the job is known nevertheless, and written when `catch_up` can.
        """
        before = self._live.get(job.id)
        self._live[job.id] = job
        if before is None or _lasting(before) != _lasting(job):
            self._behind[job.id] = job
            self._write(job, is_lasting=job.state.is_final)
            self._settle(job)

    def catch_up(self) -> None:
        """Write what could not be written when it happened. Raises JournalError when it still cannot."""
        for job in list(self._behind.values()):
            self._write(job, is_lasting=job.state.is_final)
            self._settle(job)

    def _settle(self, job: Job) -> None:
        self._behind.pop(job.id, None)
        if job.state.is_final:
            self._live.pop(job.id, None)

    @property
    def is_behind(self) -> bool:
        """Whether something is known that is not on disk yet."""
        return bool(self._behind)

    def find(self, job_id: str) -> Job | None:
        """Find a job, finished ones too. Raises JournalError, also for a row that cannot be read."""
        if job_id in self._live:
            return self._live[job_id]
        rows = self._rows(f"{SELECT} WHERE id = ?", (job_id,))
        try:
            return read_row(rows[0]) if rows else None
        except Exception as error:
            raise JournalError(f"what it says of the job {job_id!r} makes no sense: {error!r}", _NEW_ID) from error

    def require(self, job_id: str) -> Job:
        """Find a job as `find` does. Raises UnknownJobError when there is none, JournalError."""
        job = self.find(job_id)
        if job is None:
            raise UnknownJobError(job_id)
        return job

    def search(self, text: str = "", state: str = "", limit: int = 20) -> list[Job]:
        """Return the newest jobs, finished ones too, whose id, arguments or files hold `text`, in one state or any."""
        found = self._doing(lambda: _search(self._database, text, state, limit))
        return [self._live.get(job.id, job) for job in found]

    def unfinished(self) -> list[Job]:
        """Return the jobs that are waiting or running now, the oldest first."""
        return [job for job in self._live.values() if not job.state.is_final]

    def close(self) -> None:
        """Close the file, after a last attempt to write what is not on disk yet."""
        if self._behind:
            self._held_until = 0.0
            _set_patience(self._database, _START_PATIENCE_S)
            with contextlib.suppress(JournalError):
                self.catch_up()
        self._database.close()

    def _rows(self, query: str, values: tuple[str, ...] = ()) -> list[Row]:
        return self._doing(lambda: self._database.execute(query, values).fetchall())

    def _write(self, job: Job, *, is_lasting: bool = True) -> None:
        """Write a job; what lasts survives a power cut, all else only the end of this process.

        That a job has begun may be forgotten in a power cut: then it waits again, as it would anyway. That it was
        accepted and how it ended may not, and each of these waits for the disk.
        """

        def write() -> None:
            self._database.execute(f"PRAGMA synchronous = {'FULL' if is_lasting else 'NORMAL'}")
            self._database.execute(UPSERT, values_of(job))

        try:
            self._doing(write)
        except UnicodeEncodeError as problem:
            raise JournalError(problem, "name the job and its files with letters that can be written") from problem

    def _doing(self, action: Callable[[], _T]) -> _T:
        """Do something with the file, in a new one if this one turns out to be damaged. Raises JournalError."""
        if time.monotonic() < self._held_until:
            raise JournalBusyError("a moment ago")
        try:
            return self._attempt(action)
        except JournalBusyError:
            self._held_until = time.monotonic() + _REST_S
            raise
        except JournalDamagedError as error:
            self._start_over(error)
            return self._attempt(action)

    def _attempt(self, action: Callable[[], _T]) -> _T:
        try:
            return action()
        except sqlite3.Error as error:
            raise journal_error(error) from error

    def _start_over(self, reason: JournalError) -> None:
        """Set the damaged file aside, and begin a new one with what can be read of it and what is in memory."""
        self._database.close()
        kept = set_aside(self._path)
        self._database = _opened(self._path)
        self.adopt(kept, reason)

    def _write_all(self, jobs: Sequence[Job]) -> None:
        """Write many jobs at once, or none."""
        self._database.execute("BEGIN")
        try:
            self._database.executemany(UPSERT, map(values_of, jobs))
            self._database.execute("COMMIT")
        except sqlite3.Error:
            with contextlib.suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            raise

    def adopt(self, kept: Path, reason: JournalError) -> None:
        """Take over what can be read of a damaged journal, and add a note about it."""
        jobs = {job.id: job for job in rescue(kept)} | self._live
        self._attempt(partial(self._write_all, list(jobs.values())))
        legible = {0: "nothing in it could be read any more", 1: "one job in it could still be read"}
        note = (
            f"The history was damaged, so a new one has been begun: "
            f"{legible.get(len(jobs), f'{len(jobs):,} jobs in it could still be read')}. "
            f"The damaged one is kept as {kept.name}."
        )
        self.notes = (*self.notes, note)
        log.error("%s (%s)", note, reason)


def open_journal(path: Path) -> Journal:
    """Open a journal; one that is damaged is set aside, and a new one begun with what can be read of it.

    Raises JournalError, JournalBusyError.
    """
    try:
        return Journal(path)
    except JournalDamagedError as error:
        reason, kept = error, set_aside(path)
    journal = Journal(path)
    journal.adopt(kept, reason)
    return journal


def _opened(path: Path) -> sqlite3.Connection:
    """Open a journal, and check that it is sound and can be written to. Raises JournalError."""
    require_file(path)
    database = sqlite3.connect(path, isolation_level=None)
    try:
        _set_patience(database, _START_PATIENCE_S)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        ((verdict,),) = database.execute("PRAGMA quick_check(1)").fetchall()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        database.executescript(_SCHEMA)
        _add_columns(database)
        _rehearse(database)
        _set_patience(database, _PATIENCE_S)
    except sqlite3.Error as error:
        database.close()
        raise unusable(error, path) from error
    return database


def _set_patience(database: sqlite3.Connection, seconds: float) -> None:
    database.execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")


def _add_columns(database: sqlite3.Connection) -> None:
    known = {row[1] for row in database.execute("PRAGMA table_info(jobs)")}
    for name, kind in _ADDED_COLUMNS.items():
        if name not in known:
            database.execute(f"ALTER TABLE jobs ADD COLUMN {name} {kind}")


def _rehearse(database: sqlite3.Connection) -> None:
    """Write a row and read it, and take it back. Raises sqlite3.Error for a table that is not ours.

    What a later Retake, or another program, made of the table shows here, and not with the first job. A disk that is
    full is no reason not to begin: jobs will say so.
    """
    values = values_of(Job(request=Generate(job=f"rehearsal-{os.urandom(8).hex()}", prompt="")))
    database.execute("BEGIN")
    try:
        database.execute(UPSERT, values)
        database.execute(f"{SELECT} LIMIT 1").fetchone()
    except sqlite3.Error as error:
        if is_for_good(error):
            raise
    finally:
        with contextlib.suppress(sqlite3.Error):
            database.execute("ROLLBACK")


def _lasting(job: Job) -> Job:
    """The part of a job that is worth a disk write."""
    return replace(job, fraction=0.0, stage="")


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a journal for reading only, beside its daemon or without one. Raises JournalError."""
    require_file(path)
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as database:
            yield database
    except sqlite3.Error as error:
        raise journal_error(error, path) from error


def search_file(path: Path, text: str = "", state: str = "", limit: int = 20) -> list[Job]:
    """Search a journal as `Journal.search` does, without a daemon. Raises JournalError."""
    with reading(path) as database:
        return _search(database, text, state, limit)


def find_in_file(path: Path, job_id: str) -> Job | None:
    """Find a job in a journal without a daemon. Raises JournalError."""
    with reading(path) as database:
        return next(read_rows(database.execute(f"{SELECT} WHERE id = ?", (job_id,)).fetchall()), None)


def _search(database: sqlite3.Connection, text: str, state: str, limit: int) -> list[Job]:
    escaped = json.dumps(text)[1:-1]  # as it is written in the columns
    rows = database.execute(_SEARCH, {"text": text, "escaped": escaped, "state": state, "limit": limit})
    return list(read_rows(rows.fetchall()))
