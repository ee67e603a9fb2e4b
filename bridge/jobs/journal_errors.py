"""Why the journal could not be used: each cause with a hint that helps.

JournalError (of `bridge.errors`)
  JournalBusyError              another program holds it; in a moment it may not
  JournalDamagedError           what is in the file is no journal, or not any more
"""

import os
import sqlite3
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from bridge.errors import JournalError

_FULL = "free some disk space, and try it again"
_BUSY = "close what has the journal open, such as a database browser or a backup, and send it again"
_READ_ONLY = "see that journal.sqlite3 and its folder are yours and may be written to; `retake doctor` looks at both"
_BROKEN_DISK = "see that the disk is there and in order; `retake doctor` says more"
_DAMAGED = "start the daemon anew: it sets the damaged file aside, keeps what can be read, and begins a new one"

_NOT_OURS = "it holds no jobs in a form that this Retake knows"
_UNCLEAR = "`retake doctor` looks at the journal, and the daemon's log says more"

_HINTS = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _READ_ONLY,
    sqlite3.SQLITE_AUTH: _READ_ONLY,
    sqlite3.SQLITE_IOERR: _BROKEN_DISK,
}
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_OF_OTHERS = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_OF_THE_MACHINE = frozenset({*_HINTS, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT})


class JournalBusyError(JournalError):
    def __init__(self, reason: object) -> None:
        super().__init__(f"another program holds it ({reason})", _BUSY)


class JournalDamagedError(JournalError):
    def __init__(self, reason: object) -> None:
        super().__init__(reason, _DAMAGED)


def journal_error(error: sqlite3.Error, where: object = "") -> JournalError:
    """Return the error for a cause that SQLite names."""
    code = primary_code(error)
    reason = f"{where}: {error}" if where else str(error)
    if code in _DAMAGE:
        return JournalDamagedError(reason)
    if code == sqlite3.SQLITE_ERROR and str(error).startswith("no such "):  # an empty file, too: a start fills it
        return JournalDamagedError(f"{where}: {_NOT_OURS}" if where else _NOT_OURS)
    return JournalBusyError(reason) if code in _OF_OTHERS else JournalError(reason, _HINTS.get(code, _UNCLEAR))


def require_file(path: Path) -> None:
    """Require a file, or nothing: opening a pipe would wait for its other end. Raises JournalDamagedError."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise JournalDamagedError(f"{path}: {error.strerror or error}") from error
    if not S_ISREG(mode):
        raise JournalDamagedError(f"{path}: it is a {'folder' if S_ISDIR(mode) else 'pipe or a device'}, not a file")


def unusable(error: sqlite3.Error, path: object) -> JournalError:
    """Return why a journal cannot be opened: what other programs or the machine did not cause is damage."""
    return JournalDamagedError(f"{path}: {error}") if is_for_good(error) else journal_error(error, path)


def is_for_good(error: sqlite3.Error) -> bool:
    """Whether an error is in the file itself: not in other programs that hold it, nor in the machine."""
    return primary_code(error) not in _OF_OTHERS | _OF_THE_MACHINE


def primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's primary error code; 0 where Python raised the error itself."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
