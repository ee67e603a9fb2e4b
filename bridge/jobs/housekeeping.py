"""What the daemon deletes: old rows of the journal, and drafts of reply files that a killed daemon left.

Nothing else, ever. Both happen in a thread and on a connection of their own, so that a slow disk does not hold up the
daemon. Drafts of takes are the engine's; the render process has it clear them in `folders_of_jobs` when it starts.
"""

import asyncio
import contextlib
import json
import logging
import os
import re
import sqlite3
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG

from bridge.host.paths import PathRules
from bridge.jobs.job import JobState
from bridge.wire.messages import RenderRequest
from bridge.wire.parsing import parse_request

DAY_S = 86_400.0
_ROWS_AT_ONCE = 500
_JOBS_LOOKED_AT = 1_000
_DRAFT = re.compile(r"\.retake-reply-(?:daemon|send)-[0-9a-f]{8}\.tmp")
"""How `bridge.jobs.reply_file` names files that are not finished."""

_FINISHED = ", ".join(f"'{state}'" for state in JobState if state.is_final)
_PRUNE = f"""
DELETE FROM jobs WHERE rowid IN (
    SELECT rowid FROM jobs WHERE state IN ({_FINISHED}) AND (
        changed_at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?)
        OR rowid <= (SELECT rowid FROM jobs WHERE state IN ({_FINISHED}) ORDER BY rowid DESC LIMIT 1 OFFSET ?)
    ) LIMIT {_ROWS_AT_ONCE}
)
"""  # noqa: S608 - the inserted parts are constants

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Housekeeping:
    """The daemon's housekeeping: at its start, and then once a day."""

    journal: Path
    paths: PathRules
    history_days: int
    history_jobs: int
    started_at: float = field(default_factory=time.time)

    async def run(self) -> None:
        """Tidy up until cancelled. On a thread, because SQLite and slow disks would block the event loop."""
        while True:
            threading.Thread(target=self.tidy, name="tidying", daemon=True).start()
            await asyncio.sleep(DAY_S)

    def tidy(self) -> None:
        """Remove drafts that are older than this daemon, and rows beyond the limits; errors are only logged."""
        try:
            for draft in remove_drafts(folders_of_jobs(self.journal, self.paths), self.started_at):
                log.info("removed the leftover draft %s", draft)
            if number := prune_history(self.journal, self.history_days, self.history_jobs):
                log.info("forgot %d old jobs", number)
        except (sqlite3.Error, OSError) as error:
            log.warning("tidying up failed: %s", error)


def prune_history(journal: Path, days: int, jobs: int) -> int:
    """Delete finished jobs that ended more than `days` ago or are not among the newest `jobs`; return how many.

    Raises sqlite3.Error.
    """
    number = 0
    with closing(sqlite3.connect(journal, isolation_level=None)) as database:
        while (gone := database.execute(_PRUNE, (f"-{days} days", jobs)).rowcount) > 0:
            number += gone
    return number


def folders_of_jobs(journal: Path, paths: PathRules) -> set[Path]:
    """Return the folders in which the latest jobs wrote, or would have. Raises sqlite3.Error."""
    with closing(sqlite3.connect(journal)) as database:
        rows = database.execute(
            "SELECT address, arguments, paths FROM jobs ORDER BY rowid DESC LIMIT ?", (_JOBS_LOOKED_AT,)
        ).fetchall()
    folders = set()
    for row in rows:
        with contextlib.suppress(Exception):  # a row that cannot be read names no folder, and nothing is lost
            folders |= _folders_of(row, paths)
    return folders


def _folders_of(row: tuple[str, str, str], paths: PathRules) -> set[Path]:
    address, arguments, written = row
    folders = {Path(path).parent for path in json.loads(written)}
    request = parse_request(address, json.loads(arguments))
    if isinstance(request, RenderRequest):
        folders.add(paths.chosen_folder(request))
        folders |= {Path(request.reply).parent} if request.reply is not None else set()
    return folders


def remove_drafts(folders: Iterable[Path], before: float) -> list[Path]:
    """Remove files of this user that are drafts by name and were last written before a time (seconds, Unix)."""
    removed = []
    for folder in folders:
        try:
            drafts = [Path(entry.path) for entry in os.scandir(folder) if _is_leftover(entry, before)]
            for draft in drafts:
                draft.unlink()
                removed.append(draft)
        except OSError as error:
            log.debug("no drafts removed in %s: %s", folder, error)
    return removed


def _is_leftover(entry: os.DirEntry[str], before: float) -> bool:
    if not _DRAFT.fullmatch(entry.name):
        return False
    found = entry.stat(follow_symlinks=False)
    is_ours = sys.platform == "win32" or found.st_uid == os.geteuid()
    return S_ISREG(found.st_mode) and is_ours and found.st_mtime < before
