"""The commands that the surface understands, and how an OSC message becomes one. Pure: no socket, no Live.

The grammar is the daemon's: fixed arguments in order, then `key value` pairs. The README describes it.
"""

from __future__ import annotations

import hmac
from typing import Any, NamedTuple, Sequence

from .operations import OPERATIONS, Field


class Command(NamedTuple):
    """`values` are the fixed arguments after the id, by name; `keys` the others, without token and deadline."""

    address: str
    id: str
    values: dict[str, Any]
    keys: dict[str, Any]


PREFIX = "/retake/live/"
OTHERS: dict[str, tuple[str, ...]] = {"again": (), "cancel": (), "status": ()}
"""Commands that make no take, and their fixed arguments after the id."""

TEXT, WHOLE, NUMBER, SWITCH = "a string", "an integer", "a float", "0 or 1"
_KINDS = {"string": TEXT, "path": TEXT, "integer": WHOLE, "float": NUMBER, "switch": SWITCH, "bits": TEXT}
_TYPES: dict[str, Any] = {TEXT: str, WHOLE: int, NUMBER: (int, float), SWITCH: int}
ALL_KEYS = {"token": TEXT, "deadline": NUMBER}
"""Keys of every command, and their kinds."""


class Refusal(Exception):  # noqa: N818 - it is not our error
    """A command that is not carried out: a code for programs, what happened, and what to do next."""

    def __init__(self, code: str, text: str, hint: str) -> None:
        Exception.__init__(self, text)
        self.code, self.text, self.hint = code, text, hint


def id_of(args: Sequence[Any]) -> str:
    """Name the command that a faulty message meant; empty if it named none."""
    return args[0] if args and isinstance(args[0], str) else ""


def fixed_arguments(name: str) -> tuple[str, ...]:
    """Name the arguments of a command that come before its keys."""
    return ("id", *(OPERATIONS[name].fixed if name in OPERATIONS else OTHERS[name]))


def parse(address: str, args: Sequence[Any], token: str, now: float) -> Command:
    """Read a command. Raises Refusal, also for a wrong token and for a deadline that has passed."""
    name = address[len(PREFIX) :] if address.startswith(PREFIX) else ""
    if name not in OPERATIONS and name not in OTHERS:
        known = ", ".join(PREFIX + known for known in [*OPERATIONS, *OTHERS])
        raise Refusal("unknown_address", "there is no command " + address, "send one of " + known)
    fixed = fixed_arguments(name)
    if len(args) < len(fixed):
        words = f"{address} needs {', '.join(fixed)}"
        raise Refusal("missing_argument", words, "send the arguments in this order, then keys and values")
    fields = OPERATIONS[name].fields if name in OPERATIONS else {}
    values = {key: _checked(key, value, fields) for key, value in zip(fixed, args)}
    keys = _pairs(name, args[len(fixed) :])
    if not hmac.compare_digest(keys.pop("token", "").encode(), token.encode()):
        raise Refusal("bad_token", "the token is missing or wrong", "send the key token with that of live.json")
    if keys.pop("deadline", now) < now:
        raise Refusal("too_late", "the command came after its deadline", "send it again")
    return Command(address, values.pop("id"), values, keys)


def _pairs(name: str, args: Sequence[Any]) -> dict[str, Any]:
    operation = OPERATIONS.get(name)
    known = (*(operation.keys if operation is not None else ()), *ALL_KEYS)
    if len(args) % 2:
        raise Refusal("missing_value", f"the key {args[-1]!r} has no value", "send keys and values in pairs")
    keys: dict[str, Any] = {}
    for key, value in zip(args[::2], args[1::2]):
        if key not in known:
            raise Refusal("unknown_key", f"{name} has no key {key!r}", "send any of " + ", ".join(known))
        keys[key] = _checked(key, value, operation.fields if operation is not None else {})
    return keys


def _checked(name: str, value: Any, fields: dict[str, Field]) -> Any:
    """Return the value in its canonical form. Raises Refusal for another type, and outside of the table's limits."""
    field = fields.get(name)
    kind = _KINDS[field.kind] if field is not None else ALL_KEYS.get(name, TEXT)
    if field is not None and field.kind == "bits" and type(value) is int:
        value = str(value)
    is_wrong_switch = isinstance(value, bool) and kind != SWITCH
    if is_wrong_switch or not isinstance(value, _TYPES[kind]):
        raise Refusal("wrong_type", f"{name} is {value!r}; expected {kind}", "send it as " + kind)
    value = float(value) if kind == NUMBER else int(value) if kind == SWITCH else value
    if kind == SWITCH and value not in (0, 1):
        raise Refusal("bad_value", f"{name} is {value!r}; expected {kind}", "send it as " + kind)
    if field is not None and not _is_allowed(value, field):
        words = field.range_in_words
        raise Refusal("bad_value", f"{name} is {value!r}; expected {words}", "send it as " + words)
    return value


def _is_allowed(value: Any, field: Field) -> bool:
    if field.choices is not None:
        return value in field.choices
    if isinstance(value, str):
        return True
    lowest = value if field.minimum is None else field.minimum
    highest = value if field.maximum is None else field.maximum
    return bool(lowest <= value <= highest)  # not so for a NaN
