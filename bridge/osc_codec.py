"""Between datagrams and messages, by python-osc. Pure: no socket. Garbage gives no message; time tags are ignored."""

import logging
import struct
from collections.abc import Iterator
from typing import Any

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.parsing import osc_types

from bridge.messages import Done, ModelsReply, Reply, Request
from bridge.protocol import Message, to_message

MAX_DATAGRAM = 4000
"""Bytes; several hosts truncate or drop what is longer (oscpack at 4,098)."""

MAX_TEXT = 1000
"""Bytes of a sentence in a reply; longer ones end in an ellipsis."""

_BUNDLE = b"#bundle\0"
_MAX_DEPTH = 8

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
        message = OscMessage(packet)
        yield Message(message.address, tuple(_shortest_floats(packet, list(message.params))))
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


def _shortest_floats(packet: bytes, args: list[Any]) -> list[Any]:
    """Give 32-bit floats their shortest spelling: what a host sent as 0.6 is 0.6 here, not 0.6000000238."""
    _, start = osc_types.get_string(packet, 0)
    tags = osc_types.get_string(packet, start)[0][1:] if start < len(packet) else ""
    if len(tags) != len(args):
        return args
    return [_shortest(value) if tag == "f" else value for tag, value in zip(tags, args, strict=True)]


def _shortest(value: float) -> float:
    candidates = (float(f"{value:.{digits}g}") for digits in (6, 7, 8))
    single = struct.pack(">f", value)
    return next((shorter for shorter in candidates if struct.pack(">f", shorter) == single), value)


def encode_request(request: Request) -> bytes:
    """Write a request as a datagram, with 64-bit floats so that times stay exact to the sample."""
    return _build(to_message(request), OscMessageBuilder.ARG_TYPE_DOUBLE)


def encode_reply(reply: Reply) -> bytes:
    """Write a reply as a datagram of at most MAX_DATAGRAM bytes, with 32-bit floats, which every host reads.

    Long sentences are cut; of very many long paths the last ones are left out, while their number still counts all.
    """
    address, args = to_message(reply)
    if not isinstance(reply, Done | ModelsReply):
        args = tuple(_cut(value) if isinstance(value, str) else value for value in args)
    datagram = _build(Message(address, args), OscMessageBuilder.ARG_TYPE_FLOAT)
    while len(datagram) > MAX_DATAGRAM:
        args = args[:-1]
        datagram = _build(Message(address, args), OscMessageBuilder.ARG_TYPE_FLOAT)
    return datagram


def _cut(text: str) -> str:
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= MAX_TEXT else encoded[: MAX_TEXT - 3].decode("utf-8", "ignore") + "…"


def _build(message: Message, float_tag: str) -> bytes:
    builder = OscMessageBuilder(address=message.address)
    for value in message.args:
        if isinstance(value, str):
            # A file name may hold bytes that are not UTF-8, a sentence may quote a NUL; neither may break the datagram.
            value = value.replace("\0", " ").encode("utf-8", "backslashreplace").decode()  # noqa: PLW2901
        builder.add_arg(value, float_tag if isinstance(value, float) else None)
    datagram: bytes = builder.build().dgram
    return datagram
