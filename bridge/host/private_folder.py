"""Folders and files for their user alone, also those that were open to others before; Windows does this by itself."""

import contextlib
import os
import sys
from pathlib import Path
from stat import S_IMODE, S_ISDIR, S_ISREG

from bridge.errors import FolderError

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600


def make_private(folder: Path) -> None:
    """Make a folder for this user alone, or remove the rights of all others on it and on the files in it.

    Raises FolderError when it belongs to another user, OSError when the system refuses.
    """
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    if sys.platform == "win32":
        return
    found = os.stat(folder)
    if not S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise FolderError(folder, f"it belongs to another user, number {found.st_uid}")
    _tighten(folder, found, _FOLDER_MODE)
    for entry in os.scandir(folder):
        inside = entry.stat(follow_symlinks=False)
        if S_ISREG(inside.st_mode) and inside.st_uid == os.geteuid():
            _tighten(Path(entry.path), inside, _FILE_MODE)


def make_private_file(path: Path) -> None:
    """Make an empty file for this user alone, where there is none; files made beside it may copy its rights."""
    with contextlib.suppress(FileExistsError):  # anything else of that name fails when it is opened as a journal
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE))


def _tighten(path: Path, found: os.stat_result, mode: int) -> None:
    if S_IMODE(found.st_mode) & ~mode & 0o077:
        os.chmod(path, S_IMODE(found.st_mode) & mode)
