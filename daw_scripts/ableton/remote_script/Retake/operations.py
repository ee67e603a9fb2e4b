"""What Retake's operations take, read from operations.json: arguments, keys, kinds and limits.

The file is beside this one where Retake was installed; in its source code it is in the folder of all hosts.
"""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

SURFACE = "live_surface"
_HERE = os.path.dirname(os.path.abspath(__file__))
_PLACES = (
    os.path.join(_HERE, "operations.json"),
    os.path.join(_HERE, "..", "..", "..", "shared", "operations.json"),
)
_FROM_LIVE = ("job", "clip")
"""Fixed arguments of the daemon that this surface fills in."""


class Field(NamedTuple):
    """An argument or key: its kind in the table, its limits or choices (None without), and its default."""

    name: str
    kind: str
    minimum: float | None
    maximum: float | None
    choices: list[str] | None
    default: Any

    @property
    def range_in_words(self) -> str:
        """Say what it has to be, as the daemon does."""
        if self.choices is not None:
            return "one of " + ", ".join(self.choices)
        kind = "a whole number" if self.kind == "integer" else "a number"
        if self.minimum is None:
            return kind
        if self.maximum is None:
            return f"{kind} of {self.minimum:.10g} or more"
        return f"{kind} from {self.minimum:.10g} to {self.maximum:.10g}"


class Operation(NamedTuple):
    """What people call an operation, its fixed arguments after the id, and the keys that may follow."""

    label: str
    fixed: tuple[str, ...]
    fields: dict[str, Field]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(name for name in self.fields if name not in self.fixed)


def read_operations() -> dict[str, Operation]:
    """Read the table. Raises OSError or ValueError when it is missing or damaged; Live then writes that to its log."""
    path = next((place for place in _PLACES if os.path.exists(place)), _PLACES[0])
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    shared = content["job"]["properties"]
    return {name: _operation(entry, shared) for name, entry in content["operations"].items()}


def _operation(entry: dict[str, Any], shared: dict[str, Any]) -> Operation:
    rows = dict(entry["properties"], **shared)
    fields = {name: _field(name, row) for name, row in rows.items() if SURFACE in row["x-surfaces"]}
    fixed = tuple(name for name in entry["fixed"] if name not in _FROM_LIVE)
    return Operation(entry["label"], fixed, fields)


def _field(name: str, row: dict[str, Any]) -> Field:
    limits = row.get("minimum"), row.get("maximum")
    return Field(name, row["x-kind"], limits[0], limits[1], row.get("enum"), row.get("default"))


OPERATIONS = read_operations()
