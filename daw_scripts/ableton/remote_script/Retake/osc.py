"""OSC 1.0 messages to bytes and back, the types that Retake uses. Pure: no socket."""

from __future__ import annotations

import struct
from typing import Any, Iterable, List, Tuple

Message = Tuple[str, List[Any]]
"""Address and arguments."""

_SMALLEST, _LARGEST = -(2**31), 2**31 - 1
_READERS = {"i": (">i", 4), "h": (">q", 8), "f": (">f", 4), "d": (">d", 8)}
_SWITCHES = {"T": True, "F": False}


def encode(address: str, args: Iterable[Any], float_tag: str = "d") -> bytes:
    """Write a message; 64-bit floats keep times exact to the sample, 32-bit ones are what every host reads."""
    tags, values = "", b""
    for value in args:
        tag, data = _written(value, float_tag)
        tags += tag
        values += data
    return _padded(address) + _padded("," + tags) + values


def _written(value: Any, float_tag: str) -> tuple[str, bytes]:
    if isinstance(value, str):
        return "s", _padded(value)
    if isinstance(value, float):
        return float_tag, struct.pack(_READERS[float_tag][0], value)
    tag = "i" if _SMALLEST <= value <= _LARGEST else "h"
    return tag, struct.pack(_READERS[tag][0], value)


def _padded(text: str) -> bytes:
    data = text.replace("\0", " ").encode("utf-8", "backslashreplace")
    return data + b"\0" * (4 - len(data) % 4)


def decode(datagram: bytes) -> Message | None:
    """Read a message as (address, arguments); None for what is none."""
    try:
        address, start = _text(datagram, 0)
        tags, start = _text(datagram, start)
        args: list[Any] = []
        for tag in tags[1:]:
            if tag == "s":
                value: Any
                value, start = _text(datagram, start)
            elif tag in _SWITCHES:
                value = _SWITCHES[tag]
            else:
                form, size = _READERS[tag]
                value = struct.unpack_from(form, datagram, start)[0]
                start += size
            args.append(value)
    except (ValueError, KeyError, struct.error):
        return None
    return (address, args) if address.startswith("/") else None


def _text(datagram: bytes, start: int) -> tuple[str, int]:
    end = datagram.index(b"\0", start)
    return datagram[start:end].decode("utf-8", "replace"), end + 4 - (end - start) % 4
