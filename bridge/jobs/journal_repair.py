"""What is done with a damaged journal: it is kept under another name, and what can be read of it is taken over."""

import contextlib
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from bridge.errors import JournalError
from bridge.host.private_folder import make_private_file
from bridge.jobs.job import Job
from bridge.jobs.journal_rows import SELECT, read_rows

BROKEN_PREFIX = "journal.broken-"
"""Prefix of the name of a damaged journal that was set aside."""

_BESIDE = ("-wal", "-shm", "-journal", "")
"""Files of a journal. The log goes first: beside a new journal it would be taken for that one's."""
_MOVE_IT = "end the daemon, and move the file away by hand"


def set_aside(path: Path) -> Path:
    """Rename a damaged journal and its log by the present time, and return the new name. Raises JournalError."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    names = (f"{BROKEN_PREFIX}{stamp}{more}{path.suffix}" for more in ("", *(f"-{n}" for n in range(2, 100))))
    kept = next(path.with_name(name) for name in names if not os.path.lexists(path.with_name(name)))
    try:
        for ending in _BESIDE:
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{path}{ending}", f"{kept}{ending}")
        make_private_file(path)
    except OSError as error:
        raise JournalError(f"it is damaged, and cannot be set aside: {error}", _MOVE_IT) from error
    return kept


def rescue(path: Path) -> list[Job]:
    """Return the jobs that can be read of a damaged journal, in order: from its beginning, then from its end."""
    found: dict[str, Job] = {}
    if not path.is_file():
        return []
    with contextlib.suppress(sqlite3.Error), closing(sqlite3.connect(path)) as database:
        for order in ("ASC", "DESC"):
            jobs = []
            with contextlib.suppress(sqlite3.Error):
                for job in read_rows(database.execute(f"{SELECT} ORDER BY rowid {order}")):
                    if job.id in found:
                        break
                    jobs.append(job)
            found |= {job.id: job for job in (jobs if order == "ASC" else reversed(jobs))}
    return list(found.values())
