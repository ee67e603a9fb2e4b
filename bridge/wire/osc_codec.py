"""Between datagrams and messages, by python-osc. Pure: no socket. Garbage gives no message; time tags are ignored.

A string is UTF-8. What is not keeps its own bytes as lone surrogates (Python's "surrogateescape"), so that a file name
of another encoding stays the name of that file, and any other text can be refused in words instead of in silence.
"""

import logging
import struct
from collections.abc import Iterator
from typing import Any

from pythonosc.parsing import osc_types

from bridge.wire.messages import Done, JobEntry, ModelsReply, PreviewReply, Reply, Request
from bridge.wire.parsing import Message, to_message

MAX_REQUEST = 16_384
"""Bytes of a datagram that the daemon reads; of a longer one the end is cut off, and the rest is not OSC any more."""

MAX_DATAGRAM = 4000
"""Bytes; several hosts truncate or drop what is longer (oscpack at 4,098)."""

MAX_TEXT = 1000
"""Bytes of a sentence in a reply; longer ones end in an ellipsis."""

_BUNDLE = b"#bundle\0"
_MAX_DEPTH = 8
_NUMBERS = {"i": osc_types.get_int, "h": osc_types.get_int64, "d": osc_types.get_double}
_PLAIN = {"T": True, "F": False, "N": None, "I": None}
"""Tags without data, with their values. An impulse is treated like nil."""
_OPAQUE = {"c": 4, "r": 4, "m": 4, "t": 8}
"""Bytes of what no argument is, a character, a colour, a MIDI message, a time: they stay bytes, to be refused."""
_KNOWN = frozenset("sSfb") | _NUMBERS.keys() | _PLAIN.keys() | _OPAQUE.keys()

log = logging.getLogger(__name__)


def decode(datagram: bytes) -> list[Message]:
    """Read the messages of a packet, those of bundles in their order; what is not OSC is dropped with a log line."""
    try:
        return list(_messages(datagram, 0))
    except Exception as error:  # noqa: BLE001 - python-osc raises whatever it stumbles over
        log.debug("dropped a datagram of %d bytes: %s", len(datagram), error)
        return []


def _messages(packet: bytes, depth: int) -> Iterator[Message]:
    if packet.startswith(_BUNDLE):
        for element in _elements(packet, depth):
            yield from _messages(element, depth + 1)
    elif packet.startswith(b"/"):
        address, start = osc_types.get_string(packet, 0)
        yield Message(address, _arguments(packet, start))
    else:
        raise osc_types.ParseError("neither a message nor a bundle")


def _elements(bundle: bytes, depth: int) -> Iterator[bytes]:
    """Cut a bundle into its elements. python-osc's own reader never returns from a negative element size."""
    if depth >= _MAX_DEPTH:
        raise osc_types.ParseError("bundles nested too deeply")
    start = len(_BUNDLE) + 8
    while start < len(bundle):
        size, start = osc_types.get_int(bundle, start)
        if not 0 < size <= len(bundle) - start:
            raise osc_types.ParseError("a bundle element of impossible size")
        yield bundle[start : start + size]
        start += size


def _arguments(packet: bytes, start: int) -> tuple[Any, ...]:
    """Read what follows the address; from an unknown tag on, the rest is one argument, its bytes."""
    if start >= len(packet):
        return ()
    tags, start = osc_types.get_string(packet, start)
    if not tags.startswith(","):
        raise osc_types.ParseError("the type tags begin with no comma")
    lists: list[list[Any]] = [[]]
    for tag in tags[1:]:
        if tag == "[":
            lists.append([])
        elif tag == "]":
            inner = lists.pop()
            lists[-1].append(inner)
        elif tag in _KNOWN:
            value, start = _argument(packet, start, tag)
            lists[-1].append(value)
        else:
            lists[0].append(packet[start:])
            return tuple(lists[0])
    (args,) = lists
    return tuple(args)


def _argument(packet: bytes, start: int, tag: str) -> tuple[Any, int]:
    """Read one argument; it, and where the next one begins. `S`, a symbol, is a string by another tag."""
    if tag in "sS":
        return _text(packet, start)
    if tag == "f":  # what a host sent as 0.6 is 0.6 here, not 0.6000000238
        value, start = osc_types.get_float(packet, start)
        return _shortest(value), start
    if tag in _NUMBERS:
        return _NUMBERS[tag](packet, start)
    if tag in _PLAIN:
        return _PLAIN[tag], start
    if tag == "b":
        return osc_types.get_blob(packet, start)
    end = start + _OPAQUE[tag]
    return packet[start:end], end


def _text(packet: bytes, start: int) -> tuple[str, int]:
    end = packet.index(b"\0", start)
    after = end + 4 - (end - start) % 4
    if after > len(packet):
        raise osc_types.ParseError("a string without its end")
    return packet[start:end].decode("utf-8", "surrogateescape"), after


def _shortest(value: float) -> float:
    """Return the shortest number that is the same 32-bit float."""
    candidates = (float(f"{value:.{digits}g}") for digits in (6, 7, 8))
    single = struct.pack(">f", value)
    return next((shorter for shorter in candidates if struct.pack(">f", shorter) == single), value)


def encode_request(request: Request) -> bytes:
    """Write a request as a datagram, with 64-bit floats so that times stay exact to the sample."""
    return _build(to_message(request), "d", "surrogateescape")


def encode_reply(reply: Reply) -> bytes:
    """Write a reply as a datagram of at most MAX_DATAGRAM bytes, with 32-bit floats, which every host reads.

    Long sentences are cut; of very many long paths the last ones are left out, while their number still counts all.
    The paths of results keep their bytes; in a sentence a byte that is not UTF-8 becomes an escape.
    """
    address, args = to_message(reply)
    if not isinstance(reply, Done | ModelsReply):
        args = tuple(_cut(value) if isinstance(value, str) else value for value in args)
    odd = "surrogateescape" if isinstance(reply, Done | JobEntry | PreviewReply) else "backslashreplace"
    datagram = _build(Message(address, args), "f", odd)
    while len(datagram) > MAX_DATAGRAM:
        args = args[:-1]
        datagram = _build(Message(address, args), "f", odd)
    return datagram


def _cut(text: str) -> str:
    encoded = _bytes(text, "surrogateescape")
    return text if len(encoded) <= MAX_TEXT else encoded[: MAX_TEXT - 3].decode("utf-8", "ignore") + "…"


def _build(message: Message, float_tag: str, odd: str) -> bytes:
    """Write a message; `odd` says what becomes of characters that UTF-8 has no bytes for."""
    tags, written = ",", b""
    for value in message.args:
        tag, content = _written(value, float_tag, odd)
        tags += tag
        written += content
    return _padded(_bytes(message.address, "backslashreplace")) + _padded(tags.encode()) + written


def _written(value: Any, float_tag: str, odd: str) -> tuple[str, bytes]:
    """Write one argument: its tag, its bytes."""
    if isinstance(value, str):
        return "s", _padded(_bytes(value.replace("\0", " "), odd))  # a sentence may quote a NUL
    if isinstance(value, bool) or value is None:
        return {True: "T", False: "F", None: "N"}[value], b""
    if isinstance(value, float):
        return float_tag, struct.pack(f">{float_tag}", value)
    if isinstance(value, int):
        is_long = value.bit_length() > 31
        return ("h", osc_types.write_int64(value)) if is_long else ("i", osc_types.write_int(value))
    raise osc_types.BuildError(f"no argument can be a {type(value).__name__}")


def _padded(content: bytes) -> bytes:
    return content + b"\0" * (4 - len(content) % 4)


def _bytes(text: str, odd: str) -> bytes:
    """Encode a text; where `odd` is no way out, for a surrogate that stands for no byte, by an escape."""
    try:
        return text.encode("utf-8", odd)
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")
