"""The commands that the surface understands, as data, and how an OSC message becomes one. Pure: no socket, no Live.

The grammar is the daemon's: fixed arguments in order, then `key value` pairs. The README says it in words.
"""

from __future__ import annotations

import hmac
from typing import Any, NamedTuple, Sequence


class Command(NamedTuple):
    """`values` are the fixed arguments after the id, by name; `keys` the others, without token and deadline."""

    address: str
    id: str
    values: dict[str, Any]
    keys: dict[str, Any]


PREFIX = "/retake/live/"
RENDERS: dict[str, tuple[str, ...]] = {
    "restyle": ("prompt",),
    "vary": (),
    "inpaint": ("prompt", "start_s", "end_s"),
    "generate": ("prompt",),
}
RENDERS["upscale"] = ()
"""Commands that end in takes, and their fixed arguments after the id."""
OTHERS: dict[str, tuple[str, ...]] = {"again": (), "cancel": (), "status": ()}

TEXT, WHOLE, NUMBER = "a string", "an integer", "a float"
KINDS = {"prompt": TEXT, "strength": NUMBER, "seed": WHOLE, "candidates": WHOLE, "steps": WHOLE, "model": TEXT}
KINDS.update({"seconds": NUMBER, "start_s": NUMBER, "end_s": NUMBER, "token": TEXT, "deadline": NUMBER})
KEYS: dict[str, tuple[str, ...]] = {
    "restyle": ("strength",),
    "vary": ("strength", "prompt"),
    "inpaint": (),
    "generate": ("seconds",),
    "upscale": ("prompt",),
}
SHARED_KEYS = ("seed", "candidates", "steps", "model")
ALL_KEYS = ("token", "deadline")


class Refusal(Exception):  # noqa: N818 - it is not our error
    """A command that is not carried out: a code for programs, what happened, and what to do next."""

    def __init__(self, code: str, text: str, hint: str) -> None:
        Exception.__init__(self, text)
        self.code, self.text, self.hint = code, text, hint


def id_of(args: Sequence[Any]) -> str:
    """Name the command that a faulty message meant; empty if it named none."""
    return args[0] if args and isinstance(args[0], str) else ""


def parse(address: str, args: Sequence[Any], token: str, now: float) -> Command:
    """Read a command. Raises Refusal, also for a wrong token and for a deadline that has passed."""
    name = address[len(PREFIX) :] if address.startswith(PREFIX) else ""
    if name not in RENDERS and name not in OTHERS:
        known = ", ".join(PREFIX + known for known in [*RENDERS, *OTHERS])
        raise Refusal("unknown_address", "there is no command " + address, "send one of " + known)
    fixed = ("id", *RENDERS.get(name, ()))
    if len(args) < len(fixed):
        words = f"{address} needs {', '.join(fixed)}"
        raise Refusal("missing_argument", words, "send the arguments in this order, then keys and values")
    values = {key: _checked(key, value) for key, value in zip(fixed, args)}
    keys = _pairs(name, args[len(fixed) :])
    if not hmac.compare_digest(keys.pop("token", "").encode(), token.encode()):
        raise Refusal("bad_token", "the token is missing or wrong", "send the key token with that of live.json")
    if keys.pop("deadline", now) < now:
        raise Refusal("too_late", "the command came after its deadline", "send it again")
    return Command(address, values.pop("id"), values, keys)


def _pairs(name: str, args: Sequence[Any]) -> dict[str, Any]:
    known = (*(KEYS[name] + SHARED_KEYS if name in RENDERS else ()), *ALL_KEYS)
    if len(args) % 2:
        raise Refusal("missing_value", f"the key {args[-1]!r} has no value", "send keys and values in pairs")
    keys: dict[str, Any] = {}
    for key, value in zip(args[::2], args[1::2]):
        if key not in known:
            raise Refusal("unknown_key", f"{name} has no key {key!r}", "send any of " + ", ".join(known))
        keys[key] = _checked(key, value)
    return keys


def _checked(name: str, value: Any) -> Any:
    kind = KINDS.get(name, TEXT)
    types: Any = {TEXT: str, WHOLE: int, NUMBER: (int, float)}[kind]
    if isinstance(value, bool) or not isinstance(value, types):
        raise Refusal("wrong_type", f"{name} is {value!r}; expected {kind}", "send it as " + kind)
    return float(value) if kind == NUMBER else value
