"""The documented signatures of ReaScript, and a check of every call and its results against them."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

API_FILE = Path(__file__).with_name("reaper_api.txt")


class ScriptError(Exception):
    """A script asked REAPER for something that it does not have, or in a way that it does not understand."""


@dataclass(frozen=True)
class Argument:
    kind: str
    is_optional: bool


@dataclass(frozen=True)
class Signature:
    """A function's name, the kinds of its arguments, and the kinds of its results."""

    name: str
    arguments: tuple[Argument, ...]
    results: tuple[str, ...]

    def check_call(self, values: Any) -> None:
        required = [argument for argument in self.arguments if not argument.is_optional]
        if not len(required) <= len(values) <= len(self.arguments):
            raise ScriptError(f"{self.name} takes {len(self.arguments)} arguments, not {len(values)}: {values!r}")
        for value, argument in zip(values, self.arguments, strict=False):
            is_left_out = argument.is_optional and value is None
            if not is_left_out and not fits(value, argument.kind):
                raise ScriptError(f"{self.name}: {value!r} is no {argument.kind}")

    def check_results(self, result: Any) -> None:
        values = result if isinstance(result, tuple) else (result,)
        if not self.results:
            assert result is None, f"the fake's {self.name} gives {result!r}, and nothing is documented"
            return
        assert len(values) == len(self.results), f"the fake's {self.name} gives {values!r}"
        for value, kind in zip(values, self.results, strict=True):
            assert value is None or fits(value, kind), f"the fake's {self.name} gives {value!r} for {kind}"


def _is_number(value: Any) -> Any:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


_FITS: dict[str, Callable[[Any], bool]] = {
    "integer": lambda value: _is_number(value) and value == int(value),  # whole floats are integers to REAPER
    "number": _is_number,
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "function": callable,
    "identifier": lambda value: hasattr(value, "kind"),
    "ReaProject": lambda value: value is None or value == 0 or getattr(value, "kind", None) == "ReaProject",
}


def fits(value: Any, kind: Any) -> Any:
    """Whether a value from Lua is of a documented kind; other kinds are pointers to what still exists."""
    if kind in _FITS:
        return _FITS[kind](value)
    return getattr(value, "kind", None) == kind and value.is_alive


def read_signatures() -> dict[str, Signature]:
    lines = API_FILE.read_text(encoding="utf-8").splitlines()
    signatures = [_parse(line) for line in lines if line and not line.startswith("#")]
    return {signature.name: signature for signature in signatures}


def _parse(line: str) -> Any:
    found = re.fullmatch(r"(?:(.*?)\s*=\s*|(\S+)\s+)?([\w.]+)\((.*)\)", line)
    assert found is not None, line
    named, single, name, arguments = found.groups()
    results = tuple(part.split()[0] for part in named.split(", ")) if named else ((single,) if single else ())
    return Signature(name, tuple(_parse_argument(part) for part in arguments.split(", ") if part), results)


def _parse_argument(text: str) -> Any:
    words = text.split()
    return Argument(words[-2], words[0] == "optional")
