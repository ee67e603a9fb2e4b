"""Every argument of the protocol and its kind: those of renders as the table of operations has them. Pure."""

import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from bridge.errors import BadValueError, RelativePathError, WrongTypeError
from bridge.operation_table import JOB_ROWS, OPERATIONS, rows_of
from bridge.wire.errors import NotUnicodeError

Check = Callable[[str, Any], Any]
"""Take a name and a value; give the value back in its canonical form, or raise a ProtocolError."""
Region = tuple[float, float] | tuple[float, float, float, float]
"""Start and end, in seconds of the clip; then, where it has a band of its own, lowest and highest Hz."""

MAX_JOB_ID: int = JOB_ROWS["job"]["maxLength"]
"""Characters of a job id."""

_EXACT_FLOATS = 2**24
"""Up to here a 32-bit float is every integer."""
_MAX_BITS, _MAX_DIGITS = 63, 19


@dataclass(frozen=True)
class Kind:
    """A kind of argument: what it is called in sentences, how a value is checked, and how a word is read as one."""

    expected: str
    check: Check
    from_word: Callable[[str], Any]


def _check_text(name: str, value: Any) -> str:
    text = _check_string(name, value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotUnicodeError(name, text) from None
    return text


def _check_string(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise WrongTypeError(name, value, "a string")
    return value


def _check_integer(name: str, value: Any) -> int:
    """Take an integer, also as the float that is all that Pd and TouchOSC send; larger floats skip integers."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT_FLOATS:
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongTypeError(name, value, "an integer")
    if value.bit_length() > _MAX_BITS:
        raise BadValueError(name, value, "an integer of at most 64 bits")
    return value


def _check_number(name: str, value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise WrongTypeError(name, value, "a float")
    if not math.isfinite(value):
        raise BadValueError(name, value, "a finite float")
    return float(value)


def _check_switch(name: str, value: Any) -> bool:
    if not isinstance(value, int | float):
        raise WrongTypeError(name, value, "0 or 1")
    if value not in {0, 1}:
        raise BadValueError(name, value, "0 or 1")
    return bool(value)


def _check_path(name: str, value: Any) -> str:
    path = _check_string(name, value)
    if not _names_file(path):
        raise NotUnicodeError(name, path)
    if "\0" in path or not path:
        raise BadValueError(name, path, "an absolute path")
    if not os.path.isabs(path):
        raise RelativePathError(name, path)
    return path


def _names_file(path: str) -> bool:
    """Whether this system can have a file of that name: names are Unicode on Windows, and bytes elsewhere."""
    try:
        path.encode("utf-8", "strict" if sys.platform == "win32" else "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _check_job(name: str, value: Any) -> str:
    job = _check_text(name, value)
    if not job or len(job) > MAX_JOB_ID or not job.isprintable():
        raise BadValueError(name, job, f"1 to {MAX_JOB_ID} printable characters")
    return job


PRIORITIES: tuple[str, ...] = tuple(JOB_ROWS["priority"]["enum"])
"""What a job may be, the most urgent first."""


def _check_priority(name: str, value: Any) -> str:
    if _check_text(name, value) not in PRIORITIES:
        raise BadValueError(name, value, f"one of {', '.join(PRIORITIES)}")
    return str(value)


def _check_bits(name: str, value: Any) -> str:
    """Take bits of a sample as a word, or as the number that it is."""
    word = value if isinstance(value, str) else str(_check_integer(name, value))
    return _check_text(name, word)


_REGION_WORDS = '"start end" or "start end low high", two or four numbers in one string'


def _check_regions(name: str, value: Any) -> tuple[Region, ...]:
    return tuple(_check_region(name, item) for item in value)


def _check_region(name: str, value: Any) -> Region:
    try:
        numbers = value if isinstance(value, tuple) else tuple(map(float, _check_text(name, value).split()))
    except ValueError:
        raise BadValueError(name, value, _REGION_WORDS) from None
    match [_check_number(name, number) for number in numbers]:
        case [start_s, end_s]:
            return start_s, end_s
        case [start_s, end_s, low_hz, high_hz]:
            return start_s, end_s, low_hz, high_hz
    raise BadValueError(name, value, _REGION_WORDS)


def _read_integer(word: str) -> int:
    """Read a whole number however tables spell it: 7, 7.0, 7e3; exact at any size. Raises ValueError."""
    try:
        number = Decimal(word.strip())
    except InvalidOperation:
        raise ValueError(word) from None
    if not number.is_finite() or number.adjusted() > _MAX_DIGITS or number != number.to_integral_value():
        raise ValueError(word)
    return int(number)


def _read_switch(word: str) -> bool:
    words = {"0": False, "1": True, "false": False, "true": True, "no": False, "yes": True}
    return words[word.strip().lower().removesuffix(".0")]


TEXT = Kind("string", _check_text, str)
INTEGER = Kind("integer", _check_integer, _read_integer)
NUMBER = Kind("float", _check_number, float)
SWITCH = Kind("0 or 1", _check_switch, _read_switch)
PATH = Kind("absolute path", _check_path, str)
JOB = Kind("job id", _check_job, str)
PRIORITY = Kind("draft, normal or batch", _check_priority, str)
BITS = Kind("16, 24 or 32", _check_bits, str)
REGION = Kind('"start end [low high]"', _check_regions, str)

KINDS = {
    "string": TEXT,
    "integer": INTEGER,
    "float": NUMBER,
    "switch": SWITCH,
    "path": PATH,
    "job": JOB,
    "priority": PRIORITY,
    "region": REGION,
    "bits": BITS,
}
"""What the table of operations calls them."""

_OF_RENDERS = {
    name: KINDS[row["x-kind"]] for rows in (JOB_ROWS, *map(rows_of, OPERATIONS)) for name, row in rows.items()
}
_OF_OTHERS = {
    "path": PATH,
    "device": TEXT,
    "level_db": NUMBER,
    "loop": SWITCH,
    "number": INTEGER,
    "on": SWITCH,
    "text": TEXT,
    "state": TEXT,
    "limit": INTEGER,
}
ARGUMENTS: dict[str, Kind] = _OF_RENDERS | _OF_OTHERS
REPEATABLE = frozenset(name for name, kind in ARGUMENTS.items() if kind is REGION)
"""Keys that may come more than once; their values are collected."""
