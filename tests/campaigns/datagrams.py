"""Messages of every kind, right and wrong ones, by hypothesis; and datagrams that were damaged on the way.

Harmless to the machine by construction: what carries the token names only paths below a folder of the trial's own, and
what is damaged byte by byte never carried it.
"""

import random
import struct
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from bridge.wire.arguments import (
    ARGUMENTS,
    BITS,
    INTEGER,
    JOB,
    NUMBER,
    PATH,
    PRIORITIES,
    PRIORITY,
    REGION,
    REPEATABLE,
    SWITCH,
    TEXT,
)
from bridge.wire.messages import REPLIES, REQUESTS, Preview, Quit, Reply, Request
from bridge.wire.parsing import Message

NO_TOKEN = "x" * 32
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
_INTEGERS = st.integers(-(2**31), 2**31 - 1)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)
_WIRE_VALUES = st.one_of(
    _TEXT, st.integers(-(2**63), 2**63 - 1), st.floats(), st.booleans(), st.none(), st.binary(max_size=40)
)


def _values_by_kind(folder: str) -> dict[Any, st.SearchStrategy[Any]]:
    """Right values, as on the wire, for each kind of argument."""
    names = st.sampled_from(["", "/clip.wav", "/nothing.flac", "/Ärger 雨.wav", "/deep/er/x.aiff", "/reply.json"])
    numbers = st.floats(0, 1000, allow_nan=False)
    return {
        TEXT: _TEXT,
        INTEGER: st.one_of(st.integers(0, 16), _INTEGERS),
        NUMBER: st.one_of(numbers, _NUMBERS),
        SWITCH: st.sampled_from([0, 1]),
        PRIORITY: st.sampled_from(PRIORITIES),
        BITS: st.sampled_from(["16", "24", "32", 16, 24, 32]),
        PATH: names.map(lambda name: folder + name),
        JOB: st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=100),
        REGION: st.lists(numbers, min_size=2, max_size=4).map(lambda found: " ".join(map(repr, found))),
    }


def messages(kind: type[Request], folder: str, token: str) -> st.SearchStrategy[Message]:
    """Messages of one kind, mostly right."""
    values = _values_by_kind(folder)

    @st.composite
    def draw_message(draw: Callable[..., Any]) -> Message:
        args = [draw(values[ARGUMENTS[name]]) for name in kind.fixed]
        keys = [name for name in kind.key_names() if name != "token"]
        for name in draw(st.lists(st.sampled_from(keys), max_size=6, unique=True)) if keys else ():
            args += [name, draw(values[ARGUMENTS[name]])]
            if name in REPEATABLE and draw(st.booleans()):
                args += [name, draw(values[ARGUMENTS[name]])]
        return Message(kind.address, (*args, "token", token))

    return draw_message()


def wild_messages() -> st.SearchStrategy[Message]:
    """Any address with any arguments; none of them can be a token."""
    addresses = st.one_of(st.sampled_from(sorted(REQUESTS)), _TEXT.map(lambda text: "/" + text))
    words = st.sampled_from(sorted(ARGUMENTS))
    args = st.lists(st.one_of(_WIRE_VALUES, words), max_size=12).map(tuple)
    return st.builds(Message, addresses, args)


def requests() -> st.SearchStrategy[Request]:
    """Valid requests of every kind as values, without their token."""
    return st.one_of(*(_valid(kind) for kind in REQUESTS.values()))


def _valid(kind: type[Request]) -> st.SearchStrategy[Request]:
    """Only what every value of its kind may be: no region, whose order matters."""
    values = _values_by_kind("/folder")
    given_values = {}
    for entry in fields(kind):
        if entry.name in ("token", "region", "end_s", "start_s"):
            continue
        strategy = values[ARGUMENTS[entry.name]]
        is_needed = entry.default is MISSING
        given_values[entry.name] = strategy if is_needed else st.one_of(st.just(entry.default), strategy)
    if "end_s" in kind.fixed:
        given_values |= {"start_s": st.just(0.25), "end_s": st.floats(0.5, 1e6)}
    if kind is Preview:
        given_values |= {
            "level_db": st.none() | st.floats(-120, 6),
            "start_s": st.just(0.25),
            "end_s": st.floats(0.5, 1e6),
        }
    return st.builds(kind, **given_values)


def replies() -> st.SearchStrategy[Reply]:
    """Replies of every kind as values, short enough for one datagram."""
    by_hint: dict[Any, st.SearchStrategy[Any]] = {
        str: _TEXT,
        int: _INTEGERS,
        float: st.integers(0, 1000).map(lambda n: n / 1000),
        tuple[str, ...]: st.lists(_TEXT).map(tuple),
    }
    kinds = [
        st.builds(kind, **{entry.name: by_hint[entry.type] for entry in fields(kind)}) for kind in REPLIES.values()
    ]
    return st.one_of(*kinds)


def collect(strategy: st.SearchStrategy[Any], number: int, seed_of_run: int) -> list[Any]:
    """Draw so many examples, the same ones for the same seed."""
    found: list[Any] = []

    @seed(seed_of_run)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def take(example: Any) -> None:
        found.append(example)

    take()
    return found


# ---------------------------------------------------------------------------------------------------- bytes


def encode(message: Message) -> bytes:
    """Write any message as OSC, also what our own encoder would refuse; python-osc's types, by hand for speed."""
    tags, body = ",", b""
    for value in message.args:
        tag, content = _encoded(value)
        tags += tag
        body += content
    return _padded(message.address.encode("utf-8", "replace")) + _padded(tags.encode()) + body


def _padded(text: bytes) -> bytes:
    return text + b"\0" * (4 - len(text) % 4)


def _encoded(value: Any) -> tuple[str, bytes]:
    match value:
        case bool():
            return ("T" if value else "F"), b""
        case None:
            return "N", b""
        case int():
            is_short = -(2**31) <= value < 2**31
            return ("i", struct.pack(">i", value)) if is_short else ("h", struct.pack(">q", value))
        case float():
            return "d", struct.pack(">d", value)
        case bytes():
            return "b", struct.pack(">i", len(value)) + value + b"\0" * (-len(value) % 4)
        case _:
            return "s", _padded(value.encode("utf-8", "replace"))


def bundle(*elements: bytes) -> bytes:
    return b"#bundle\0" + b"\0" * 7 + b"\1" + b"".join(struct.pack(">i", len(item)) + item for item in elements)


_NASTY = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"#bundle\0", b",", b"[[[[", b"]]]]"]
_NASTY += [b"sifhdTFNIbtSrcm", b"\xf0\x9f\x92\xa9", b"\xed\xa0\x80", b"/", b"\0" * 64, b"#bundle\0\0\0\0\0\0\0\0\1" * 9]


def damage(datagram: bytes, other: bytes, dice: random.Random) -> bytes:
    """Do one to four harmful things to a datagram."""
    found = bytearray(datagram)
    for _ in range(dice.randrange(1, 5)):
        place = dice.randrange(len(found) + 1)
        match dice.randrange(8):
            case 0:
                del found[place:]
            case 1:
                del found[place : place + dice.randrange(1, 9)]
            case 2:
                found[place : place + 4] = dice.choice(_NASTY)
            case 3:
                found[place:place] = dice.choice(_NASTY)
            case 4 if place < len(found):
                found[place] = dice.randrange(256)
            case 5 if place < len(found):
                found[place] ^= 1 << dice.randrange(8)
            case 6:
                found[place:] = other[dice.randrange(len(other) + 1) :]
            case _:
                found += dice.randbytes(dice.randrange(1, 40))
    return bytes(found[:60_000])


def corpus(number: int, seed_of_run: int) -> list[bytes]:
    """Right and wild messages without the token, some of them in bundles."""
    kinds = [messages(kind, "/nowhere", NO_TOKEN) for kind in REQUESTS.values()]
    found = [encode(message) for message in collect(st.one_of(*kinds), number, seed_of_run)]
    found += [encode(message) for message in collect(wild_messages(), number, seed_of_run + 1)]
    pairs = zip(found[::7], found[3::7], strict=False)
    return [*found, *(bundle(first, bundle(second, first)) for first, second in pairs)]


def entitled(number: int, folder: str, token: str, seed_of_run: int) -> list[bytes]:
    """Messages that carry the token, and so are acted upon; all but the one that stops the daemon."""
    kinds = [messages(kind, folder, token) for kind in REQUESTS.values() if kind is not Quit]
    return [encode(message) for message in collect(st.one_of(*kinds), number, seed_of_run + 2)]
