"""Names of files that every file system takes, and names by which every library opens a file."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+')
_RESERVED = re.compile(r"(?i)\s*(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)")


def safe_name(text: str, most_bytes: int) -> str:
    r"""A text as a name, or the beginning of one: at most `most_bytes` of UTF-8, and nothing that some disk refuses.

    Refused are `<>:"/\|?*` and control characters, names of devices such as NUL, and blanks and dots at the end.
    """
    name = _FORBIDDEN.sub("-", text).strip(" ")
    if _RESERVED.match(name):
        name = f"_{name}"
    return name.encode()[:most_bytes].decode(errors="ignore").rstrip(" .")


def name_on_disk(name: str) -> str:
    """A file's name as the disk has it, where a text in Windows-1252 was right about its bytes."""
    if name.isascii() or os.path.exists(name):
        return name
    with suppress(UnicodeEncodeError):
        by_bytes = os.fsdecode(name.encode("cp1252"))
        return by_bytes if os.path.exists(by_bytes) else name
    return name


@contextmanager
def text_name(path: Path) -> Iterator[str]:
    """A name of an existing file that is text, for libraries that take no other: by its own, or by the open file's.

    Raises OSError when it has to be opened and cannot be.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:  # on Linux alone
        with path.open("rb") as file:
            yield f"/dev/fd/{file.fileno()}"
    else:
        yield str(path)
