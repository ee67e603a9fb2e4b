"""Atomic files: written under a temporary name, renamed when complete and on disk, removed if their writer was killed.

A writer holds a lock on its temporary file while it lives; the system releases it however the process ends. So a
temporary file that can be locked is abandoned. Where there are no such locks (Windows), one that is a day old is.
"""

import errno
import os
import re
import secrets
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl

_NAME = re.compile(r"\.retake-[0-9a-f]{16}\.tmp")
_OLD_S = 86_400.0


@contextmanager
def temporary_file(folder: Path, contents: Iterable[bytes]) -> Iterator[Path]:
    """A file under a temporary name, on disk when the block begins and gone when it ends."""
    path, file = _new_temporary(folder)
    try:
        with file:
            for block in contents:
                file.write(block)
            file.flush()
            _sync(file.fileno())
            if sys.platform == "win32":  # where an open file cannot be renamed
                file.close()
            yield path
    finally:
        with suppress(OSError):  # what was to be done is done; the next writer here tries again
            path.unlink(missing_ok=True)


def require_writable(folder: Path) -> None:
    """Raise OSError when no file can be made in a folder; nothing stays there."""
    with temporary_file(folder, ()):
        pass


def _sync(descriptor: int) -> None:
    """Have the system write a file to its disk; some file systems have no such call, and need none."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP):
            raise


def clear_abandoned(folder: Path) -> None:
    """Remove temporary files of killed writers, and sidecars whose WAV was never written; errors are ignored."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in list(entries):
            if _NAME.fullmatch(entry.name):
                with suppress(OSError):
                    _clear(Path(entry.path))


def _clear(path: Path) -> None:
    if sys.platform == "win32":
        if time.time() - path.stat().st_mtime > _OLD_S:
            path.unlink()
        return
    with path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises OSError while its writer lives
        found = os.fstat(file.fileno())
        if found.st_nlink > 1:
            _clear_orphaned_sidecar(path.parent, found.st_ino)
        path.unlink()


def _clear_orphaned_sidecar(folder: Path, inode: int) -> None:
    """Remove a sidecar without its WAV, whose writer was killed in between; it is a hard link to the temporary file."""
    with os.scandir(folder) as entries:
        twins = [Path(entry.path) for entry in entries if entry.inode() == inode]
    for twin in twins:
        if twin.suffix == ".json" and not twin.with_suffix(".wav").exists():
            twin.unlink()


def _new_temporary(folder: Path) -> tuple[Path, IO[bytes]]:
    """Make and lock a new file; try again if another process removed it as abandoned before it was locked."""
    while True:
        path = folder / f".retake-{secrets.token_hex(8)}.tmp"
        file = path.open("xb")
        if sys.platform == "win32":
            return path, file
        with suppress(OSError):  # a file system without locks: nothing is ever abandoned there
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return path, file
        file.close()
