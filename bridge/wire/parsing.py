"""Between messages (address and arguments) and values: parsed here, at the border, and never checked again. Pure.

The same messages travel over UDP, through the pipe of the render process, and into the journal.
"""

from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

from bridge.errors import (
    DuplicateKeyError,
    MissingArgumentError,
    MissingValueError,
    UnknownAddressError,
    UnknownKeyError,
    WrongTypeError,
)
from bridge.wire.arguments import ARGUMENTS, REPEATABLE
from bridge.wire.messages import REPLIES, REQUESTS, Reply, Request

_BUTTONS = frozenset({"/retake/stop", "/retake/jobs", "/retake/status", "/retake/version", "/retake/models"})
"""What a button may ask that cannot but send a number along; what ends or unloads something is not among them."""


class Message(NamedTuple):
    """An OSC message: its address, and its arguments as Python values."""

    address: str
    args: tuple[Any, ...]


def parse_request(address: str, args: Sequence[Any]) -> Request:
    """Read a request from a message. Raises a ProtocolError that says what is wrong and what was expected."""
    if address not in REQUESTS:
        raise UnknownAddressError(address, REQUESTS)
    kind = REQUESTS[address]
    if address in _BUTTONS and len(args) == 1 and isinstance(args[0], int | float):
        args = ()
    if len(args) < len(kind.fixed):
        raise MissingArgumentError(address, kind.fixed[len(args)], kind.fixed)
    core = dict(zip(kind.fixed, args, strict=False))
    pairs = _read_pairs(kind, args[len(kind.fixed) :])
    for name, value in (core | pairs).items():
        if value is None:
            raise WrongTypeError(name, value, ARGUMENTS[name].expected)
    return kind(**core, **pairs)


def _read_pairs(kind: type[Request], args: Sequence[Any]) -> dict[str, Any]:
    """Read the `key value` pairs that follow the fixed arguments."""
    found: dict[str, Any] = {}
    known = kind.key_names()
    for key in args[::2]:
        if not isinstance(key, str):
            raise WrongTypeError("a key", key, "the name of a key as a string")
        if key not in known:
            raise UnknownKeyError(kind.address, key, known)
        if key in found and key not in REPEATABLE:
            raise DuplicateKeyError(kind.address, key)
        found[key] = None
    if len(args) % 2:
        raise MissingValueError(kind.address, args[-1])
    for key, value in zip(args[::2], args[1::2], strict=True):
        found[key] = (*(found[key] or ()), value) if key in REPEATABLE else value
    return found


def job_of(address: str, args: Sequence[Any]) -> str:
    """Name the job that a faulty request meant, so that its /fail can; empty if it named none."""
    kind = REQUESTS.get(address)
    if kind is None or "job" not in kind.fixed or not args or not isinstance(args[0], str):
        return ""
    return args[0]


def parse_reply(address: str, args: Sequence[Any]) -> Reply:
    """Read a reply from a message, as clients do. Raises ProtocolError for what this version does not know."""
    kind = REPLIES.get(address)
    if kind is None:
        raise UnknownAddressError(address, REPLIES)
    names = [entry.name for entry in fields(kind)]
    needed = [entry.name for entry in fields(kind) if entry.default is MISSING]  # later versions added the others
    if len(args) < len(needed):
        raise MissingArgumentError(address, needed[len(args)], names)
    values = dict(zip(names, args, strict=False))
    if _has_list(kind):
        values[names[-1]] = tuple(args[len(names) :])
    return kind(**values)


def _has_list(kind: type[Reply]) -> bool:
    return fields(kind)[-1].default == ()


def to_message(value: Request | Reply) -> Message:
    """Write a request or a reply as a message; `parse_request` and `parse_reply` read it back as the same value."""
    args = _request_args(value) if isinstance(value, Request) else _reply_args(value)
    return Message(value.address, tuple(args))


def _request_args(request: Request) -> list[Any]:
    args = [_to_wire(getattr(request, name)) for name in request.fixed]
    for entry in fields(request):
        value = getattr(request, entry.name)
        if entry.name in request.fixed or value == entry.default:
            continue
        for item in value if entry.name in REPEATABLE else (value,):
            args += [entry.name, _to_wire(item)]
    return args


def _to_wire(value: Any) -> Any:
    """Spell a value as an OSC argument: a switch as 0 or 1, a region as "start end"."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, tuple):
        return " ".join(repr(number) for number in value)
    return value


def _reply_args(reply: Reply) -> list[Any]:
    args: list[Any] = []
    for entry in fields(reply):
        value = getattr(reply, entry.name)
        args += [len(value), *value] if isinstance(value, tuple) else [value]
    return args
