"""Opening a file that may be anything: never waiting for a pipe, never anything but a plain file. No PyTorch here.

A pipe would be waited for, and a device has no end, or does something when it is opened. Links are followed. The bridge
has a piece like this (`bridge/host/plain_file.py`), because its daemon imports nothing of the engine.
"""

import os
import stat
from pathlib import Path
from typing import BinaryIO

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_AT_ONCE = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY", "O_CLOEXEC"))


class NotPlainError(OSError):
    """There is something at a path, and it is no plain file; `kind` says what: "a folder", "a pipe" and so on."""

    def __init__(self, path: str | Path, mode: int) -> None:
        self.kind = next((words for is_kind, words in _KINDS if is_kind(mode)), "something else")
        super().__init__(None, f"it is {self.kind}, not a file", str(path))


def size_of(path: str | Path) -> int:
    """Return the size of a plain file in bytes. Raises NotPlainError, and OSError when there is none."""
    return _plain_size(path, os.stat(path))


def open_plain(path: str | Path, buffering: int = -1) -> tuple[BinaryIO, int]:
    """Open a plain file for reading; return it and its size in bytes.

    Raises:
        NotPlainError: it is none.
        OSError: there is none, or it cannot be opened.
    """
    size_of(path)  # a device may do something when it is opened
    descriptor = os.open(path, os.O_RDONLY | _AT_ONCE)
    try:
        size = _plain_size(path, os.fstat(descriptor))  # another file may have taken its name since
        return os.fdopen(descriptor, "rb", buffering), size
    except BaseException:
        os.close(descriptor)
        raise


def _plain_size(path: str | Path, found: os.stat_result) -> int:
    if not stat.S_ISREG(found.st_mode):
        raise NotPlainError(path, found.st_mode)
    return found.st_size
