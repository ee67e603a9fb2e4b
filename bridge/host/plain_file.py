"""Opening a file that somebody else named: never through a link, never waiting for a pipe, nothing but a plain file."""

import errno
import os
from pathlib import Path
from stat import S_ISREG
from typing import IO

_WARY = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"))
"""What the system knows of these; the last one keeps Windows from touching line ends."""


def open_plain(path: Path) -> IO[bytes]:
    """Open a plain file for reading. Raises OSError for everything else, and for a link to one."""
    descriptor = os.open(path, os.O_RDONLY | _WARY)
    is_plain = S_ISREG(os.fstat(descriptor).st_mode)
    if not is_plain:
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
    return os.fdopen(descriptor, "rb")
