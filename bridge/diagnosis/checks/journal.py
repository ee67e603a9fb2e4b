"""Whether the journal is intact, readable and not locked; and which damaged ones were set aside."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bridge.diagnosis.checks.finding import Finding, ok, problem, warning
from bridge.diagnosis.checks.surroundings import Surroundings
from bridge.jobs.journal import JOURNAL_FILE
from bridge.jobs.journal_errors import JournalBusyError, JournalDamagedError, journal_error, require_file
from bridge.jobs.journal_repair import BROKEN_PREFIX

_NAME = "journal"
_PATIENCE_S = 2.0
_RENEW = (
    "restart the daemon (`retake send quit`, then `retake daemon`): it sets the file aside, keeps what can be read, "
    "and begins a new one"
)


def check_journal(surroundings: Surroundings) -> Iterator[Finding]:
    """Check every page of the journal, without changing it."""
    state = surroundings.state
    file = None if state is None else state / JOURNAL_FILE
    if file is None or not os.path.lexists(file) or (file.is_file() and file.stat().st_size == 0):
        yield ok(_NAME, "no job has been asked for yet")
    else:
        yield _look_into(file)
    kept = [] if state is None else _set_aside(state)
    if kept:
        yield warning(
            _NAME,
            f"{len(kept)} damaged ones were set aside in {state}, the last one as {kept[-1].name}",
            "nothing needs them; delete them when you are sure that you do not either",
        )


def _look_into(file: Path) -> Finding:
    try:
        require_file(file)
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S)) as database:
            ((verdict,),) = database.execute("PRAGMA quick_check(1)").fetchall()
            if verdict != "ok":
                return problem(_NAME, f"{file} is damaged: {verdict}", _RENEW)
            ((number,),) = database.execute("SELECT count(*) FROM jobs").fetchall()
    except JournalDamagedError as error:
        return problem(_NAME, error.text, _RENEW)
    except sqlite3.DatabaseError as error:
        known = journal_error(error)
        if isinstance(known, JournalBusyError):
            return warning(_NAME, f"{file} is held by another program: {error}", known.hint)
        return problem(_NAME, f"{file} cannot be read: {error}", known.hint)
    return ok(_NAME, f"{number} jobs, and the file is undamaged")


def _set_aside(state: Path) -> list[Path]:
    """Return the damaged journals that were set aside, the oldest first."""
    if not state.is_dir():
        return []
    return sorted(path for path in state.glob(f"{BROKEN_PREFIX}*") if path.name.endswith(Path(JOURNAL_FILE).suffix))
