"""Opening the files of a model folder, which may be anything: only regular files of a sensible size are read.

A pipe would block, a device has no end, and a text of gigabytes fills the memory. Nothing here needs PyTorch.
"""

import json
from pathlib import Path
from typing import Any, BinaryIO

from engine import plain_file

MAX_TEXT_BYTES = 4_000_000
"""Of a JSON file. The shipped config has 10 kB; a large vocabulary of a training corpus makes a megabyte."""


def require_plain(path: Path, most: int | None = None) -> int:
    """Return the size of a file in bytes, links followed.

    Raises:
        OSError: there is none, it is no plain file, or it has more than `most` bytes.
    """
    return _checked(path, plain_file.size_of(path), most)


def open_plain(path: Path, most: int | None = None) -> BinaryIO:
    """Open a file for reading, without waiting.

    Raises:
        OSError: as `require_plain`.
    """
    require_plain(path, most)
    file, size = plain_file.open_plain(path)
    try:
        _checked(path, size, most)  # it may have become another file since
    except OSError:
        file.close()
        raise
    return file


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        OSError: as `require_plain`.
        ValueError: it is no valid JSON; the message says why.
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


def _checked(path: Path, size: int, most: int | None) -> int:
    if most is not None and size > most:
        raise OSError(None, f"it has {size / 1e6:.1f} MB; at most {most / 1e6:g} MB are read", str(path))
    return size


def _refuse_constant(name: str) -> float:
    message = f"it holds {name}, which is no number"
    raise ValueError(message)
