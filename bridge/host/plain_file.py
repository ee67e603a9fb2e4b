"""Opening a file that another program named: never waiting for a pipe, never anything but a plain file.

The engine has a piece like this (`engine/plain_file.py`), because the daemon imports nothing of the engine, which in
turn knows nothing of the bridge. Everything in the bridge opens such files here.
"""

import errno
import os
import sys
from io import BufferedRandom, BufferedReader
from pathlib import Path
from stat import S_ISREG

AT_ONCE: int = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY"))
"""Flags, as far as the system knows them, by which opening a pipe does not wait for a program at its other end.

They come with the open itself: a file that was looked at before may be a pipe by now. O_BINARY keeps Windows from
changing line ends.
"""


def open_plain(
    path: Path | str, *, follow_links: bool = False, to_append: bool = False
) -> BufferedReader | BufferedRandom:
    """Open a plain file for reading, or for reading and appending.

    Raises OSError for everything else, and for a link unless `follow_links`.
    """
    flags = AT_ONCE | (os.O_RDWR | os.O_APPEND if to_append else os.O_RDONLY)
    if not follow_links:
        flags |= getattr(os, "O_NOFOLLOW", 0)
        if sys.platform == "win32" and Path(path).is_symlink():  # it has no such flag, and links are rare there
            raise OSError(errno.ELOOP, "it is a link", str(path))
    descriptor = os.open(path, flags)
    if not S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
    return os.fdopen(descriptor, "r+b") if to_append else os.fdopen(descriptor, "rb")
