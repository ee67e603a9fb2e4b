"""Text files of any program: decoded whichever encoding, line ends or byte order mark they have."""

import codecs
import errno
import os
import re
import unicodedata
from pathlib import Path

from engine.plain_file import NotPlainError, open_plain

MOST_BYTES = 2**29
"""Of a text; anything larger is something else by that name."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WESTERN = "cp1252"
_WESTERN_SIGNS = frozenset(" ¡£§©«¬®°±²³´µ·»¿×÷€„…“”‘’–—•™¼½¾ºª")
_UNLIKELY = re.compile(r"[^\W\d_a-zA-Z]{4}")  # four letters with accents in a row: another alphabet, misread
_RARE_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
_LEAST_NULS = 3  # one alone is a slip of whatever wrote the file
_NUL_SHARE = 64  # UTF-16 has a zero for each blank and comma at least
_CLEARLY = 4  # how many times more zeros one side must have: a letter may hold one, too
_NO_TEXT = "it could not be decoded as text in UTF-8, UTF-16 or Windows-1252"


class UnfitFileError(ValueError):
    """Not a file, or too large for a text file; `hint` says what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.hint = hint


def read_text(path: Path) -> str:
    """Read a text file, with a newline alone at the end of each line.

    Raises OSError when it is missing or out of reach; ValueError when it is no file, too large, or no text.
    """
    return decode(read_bytes(path))


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """Read a file, but nothing that might never end: a pipe, a device. Raises as `read_text` does."""
    try:
        file, size = open_plain(path)
    except NotPlainError as error:
        if error.kind == "a folder":
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path)) from error
        reason = "it is a device, a pipe or a socket, not a file"
        raise UnfitFileError(reason, "write it to a file, and name that") from error
    with file:
        if size > most:
            raise UnfitFileError(f"it has {size:,} bytes; at most {most:,} are read", "check that it is the right file")
        return file.read(most + 1)


def decode(data: bytes) -> str:
    """Decode bytes as UTF-8, UTF-16, UTF-32 or Windows-1252, by byte order mark or by content. Raises ValueError."""
    try:
        text = _decoded(data)
    except UnicodeDecodeError:
        raise ValueError(_NO_TEXT) from None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return text if "\n" in text else _RARE_LINE_ENDS.sub("\n", text)


def _decoded(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding)
    if b"\0" in data:
        return data.decode(_utf_16_by_look(data))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode(_WESTERN)
        odd = {char for char in text if not char.isascii()}
        if _UNLIKELY.search(text) or not all(_is_western(char) for char in odd):
            raise
        return text


def _utf_16_by_look(data: bytes) -> str:
    """Detect the byte order from the positions of zeros. Raises ValueError if they do not decide it."""
    even, odd = data[::2].count(0), data[1::2].count(0)
    if (
        max(even, odd) < min(_LEAST_NULS, len(data) // 2)
        or max(even, odd) * _NUL_SHARE < len(data)
        or max(even, odd) < _CLEARLY * min(even, odd)
    ):
        raise ValueError(_NO_TEXT)
    return "utf-16-le" if odd > even else "utf-16-be"


def _is_western(char: str) -> bool:
    return char in _WESTERN_SIGNS or (unicodedata.category(char) in ("Ll", "Lu") and char != "ƒ")
