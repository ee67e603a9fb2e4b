"""Opening the files of a model folder, which may be anything: what is no plain file of a sensible size is not read.

A pipe would be waited for, a device has no end, and a text of gigabytes fills the memory. Nothing here needs PyTorch.
"""

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

MAX_TEXT_BYTES = 4_000_000
"""Of a JSON file. The shipped config has 10 kB; a large vocabulary of a training corpus makes a megabyte."""

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def require_plain(path: Path, most: int | None = None) -> int:
    """The size of a file in bytes, links followed.

    Raises:
        OSError: there is none, it is no plain file, or it has more than `most` bytes.
    """
    return _size_of(path, path.stat(), most)


def open_plain(path: Path, most: int | None = None) -> BinaryIO:
    """Open a file for reading, without waiting for anybody.

    Raises:
        OSError: as `require_plain`.
    """
    require_plain(path, most)  # a device may do something when it is opened
    descriptor = os.open(path, os.O_RDONLY | _WITHOUT_WAITING)
    try:
        _size_of(path, os.fstat(descriptor), most)  # it may have become another file since
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_object(path: Path) -> dict[str, Any]:
    """A JSON file that holds an object.

    Raises:
        OSError: as `require_plain`.
        ValueError: it is no JSON, or none that can be read; the message says why.
    """
    with open_plain(path, MAX_TEXT_BYTES) as file:
        text = file.read(MAX_TEXT_BYTES + 1)
    try:
        values = json.loads(text.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        message = "it is no text in UTF-8"
        raise ValueError(message) from None
    except RecursionError:
        message = "it is nested too deeply"
        raise ValueError(message) from None
    except json.JSONDecodeError as error:
        message = "it is empty" if not text.strip() else f"it is no JSON, or cut off (line {error.lineno})"
        raise ValueError(message) from None
    if not isinstance(values, dict):
        message = "it is no JSON object"
        raise ValueError(message)  # noqa: TRY004 - a damaged file, not a wrong call
    return values


def explained(error: Exception) -> str:
    """What is the matter with a file, in words without its path."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _size_of(path: Path, found: os.stat_result, most: int | None) -> int:
    if not stat.S_ISREG(found.st_mode):
        kind = next((words for is_kind, words in _KINDS if is_kind(found.st_mode)), "something else")
        raise OSError(None, f"it is {kind}, not a file", str(path))
    if most is not None and found.st_size > most:
        raise OSError(None, f"it has {found.st_size / 1e6:.1f} MB; at most {most / 1e6:g} MB are read", str(path))
    return found.st_size


def _refuse_constant(name: str) -> float:
    message = f"it holds {name}, which is no number"
    raise ValueError(message)
