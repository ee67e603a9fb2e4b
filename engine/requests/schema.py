"""The table as a JSON Schema with labels: what all who cannot or must not import pydantic read."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from engine.requests.job import JobKeys
from engine.requests.knob import SURFACES, Knob, knobs_of
from engine.requests.operations import Generate, Inpaint, Request, Restyle, Upscale, Vary
from engine.requests.sampling import DRAFT_STEPS, Sampling

VERSION = 1
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_KINDS = {"string": "string", "integer": "integer", "number": "float", "boolean": "switch"}
"""What the wire calls a type of JSON; other kinds are said by their row."""
_WORDS = ("clip", "prompt")
"""On the command line these are words without an option's name."""
_METAVARS = {"integer": "N", "float": "X"}
_UNIT_METAVARS = {"s": "S", "Hz": "HZ"}


@dataclass(frozen=True)
class Operation:
    """An operation as people and programs call it; `fixed` are its first arguments on the wire, in order.

    `leaves_out` adds to its rows' own: why, of this operation, a surface does not have a field. `first` are the rows
    that are shown first, in this order, where that is not the order of the request's arguments in Python.
    """

    name: str
    request: type[Request]
    label: str
    help: str
    fixed: tuple[str, ...]
    leaves_out: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    first: tuple[str, ...] = ()


_ONE_SELECTION = {"reaper": "the selected item is the clip; there is no second selection for a sound"}
_CLIP_IS_SELECTED = {"like": _ONE_SELECTION, "like_weight": _ONE_SELECTION}

_WITHOUT_DIALOG = {
    "prompt": {"reaper": "the action asks nothing, so that one key is enough"},
    "start_s": {"reaper": "the action works on whole items"},
    "end_s": {"reaper": "the action works on whole items"},
}

OPERATIONS = (
    Operation(
        "generate",
        Generate,
        "Generate",
        "make a sound from words, after another sound, or after both",
        ("job", "prompt"),
    ),
    Operation(
        "restyle",
        Restyle,
        "Restyle",
        "move a clip, or a part of it, towards a prompt",
        ("job", "clip", "prompt"),
        _CLIP_IS_SELECTED,
        ("clip", "prompt", "strength", "structure"),
    ),
    Operation(
        "inpaint",
        Inpaint,
        "Inpaint",
        "replace regions of a clip with sound that fits their surroundings",
        ("job", "clip", "prompt", "start_s", "end_s"),
        _CLIP_IS_SELECTED,
    ),
    Operation(
        "vary",
        Vary,
        "Vary",
        "make another take of a clip, or of a part of it; no words are needed",
        ("job", "clip"),
        _CLIP_IS_SELECTED | _WITHOUT_DIALOG,
    ),
    Operation(
        "upscale",
        Upscale,
        "Upscale",
        "add the highs that a clip lacks; what it already has stays as it is",
        ("job", "clip"),
        _CLIP_IS_SELECTED | _WITHOUT_DIALOG,
    ),
)


def table() -> dict[str, Any]:
    """Return the whole table as JSON values."""
    return {
        "$schema": DIALECT,
        "version": VERSION,
        "surfaces": list(SURFACES),
        "draft_steps": DRAFT_STEPS,
        "operations": {operation.name: _operation(operation) for operation in OPERATIONS},
        "job": {"properties": dict(_properties(JobKeys, (), {}))},
    }


def written() -> str:
    """Return the table as the text of its file."""
    return json.dumps(table(), indent=1, ensure_ascii=False) + "\n"


def _operation(operation: Operation) -> dict[str, Any]:
    required = [name for name in operation.fixed if name != "job"]
    found = dict(_properties(operation.request, required, operation.leaves_out))
    return {
        "address": f"/retake/{operation.name}",
        "label": operation.label,
        "help": operation.help,
        "fixed": list(operation.fixed),
        "type": "object",
        "required": required,
        "properties": {name: found[name] for name in (*operation.first, *found)},
    }


def _properties(
    request: type, required: Collection[str], leaves_out: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a request's rows by their names on the wire, its own before those that all requests share."""
    fields: Mapping[str, FieldInfo] = request.__pydantic_fields__  # type: ignore[attr-defined]
    shared: Collection[str] = Sampling.__pydantic_fields__  # type: ignore[attr-defined]
    schemas = TypeAdapter(request).json_schema()["properties"]
    for name in sorted(fields, key=lambda name: name in shared):
        for knob in knobs_of(fields[name]):
            wire = knob.wire or name
            whole = replace(knob, wire=wire, leaves_out={**knob.leaves_out, **leaves_out.get(name, {})})
            yield wire, _property(name, whole, schemas[name], is_required=wire in required)


def _property(name: str, knob: Knob, found: Mapping[str, Any], *, is_required: bool) -> dict[str, Any]:
    """Return one row: its JSON Schema, then everything that a surface needs to show it."""
    schema = dict(knob.schema) or _flat(found)
    kind = knob.kind or _KINDS[schema["type"]]
    row = {key: value for key, value in schema.items() if key not in ("default", "title")}
    if not is_required:
        row["default"] = schema.get("default", found.get("default"))
    row |= {"x-kind": kind, "x-unit": knob.unit, "x-label": knob.label, "description": knob.help}
    if "cli" in knob.surfaces and knob.wire not in _WORDS:
        row["x-option"] = "--" + (knob.option or knob.wire.replace("_", "-"))
        row["x-metavar"] = knob.metavar or _UNIT_METAVARS.get(knob.unit) or _METAVARS.get(kind, "TEXT")
    row |= {"x-default": knob.default} if knob.default else {}
    row |= {"x-own-defaults": dict(knob.own_defaults)} if knob.own_defaults else {}
    row |= {"x-engine": name} if knob.wire != name else {}
    return row | {"x-surfaces": list(knob.surfaces), "x-leaves-out": dict(knob.leaves_out)}


def _flat(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema without the branch that only says that the value may be left out."""
    branches = [branch for branch in schema.get("anyOf", [schema]) if branch.get("type") != "null"]
    return {name: _plain(value) for name, value in {**schema, **branches[0]}.items() if name != "anyOf"}


def _plain(value: Any) -> Any:
    """Return a whole number without its `.0`."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
