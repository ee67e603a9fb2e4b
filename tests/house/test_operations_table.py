"""The one table of operations: its file is what the models say, and every surface has each field or says why not."""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from bridge.batch.request_list import read_list
from bridge.wire.arguments import ARGUMENTS, KINDS
from bridge.wire.messages import RENDER_REQUESTS
from engine.cli import COMMANDS, build_parser
from engine.diffusion.solvers import SAMPLERS
from engine.operation_table import TABLE_FILE
from engine.requests.knob import SURFACES
from engine.requests.schema import OPERATIONS, written

TABLE = json.loads(TABLE_FILE.read_text(encoding="utf-8"))
ROWS = {
    f"{name} {key}": row
    for name, operation in TABLE["operations"].items()
    for key, row in operation["properties"].items()
} | {f"job {key}": row for key, row in TABLE["job"]["properties"].items()}


def test_the_file_is_what_the_models_say() -> None:
    assert TABLE_FILE.read_text(encoding="utf-8") == written(), "run `python -m engine.requests`"


def test_the_operations_come_in_their_order() -> None:
    assert list(TABLE["operations"]) == ["generate", "restyle", "inpaint", "vary", "upscale"]


@pytest.mark.parametrize("surface", SURFACES)
def test_a_surface_has_a_field_or_says_why_not(surface: str) -> None:
    silent = [name for name, row in ROWS.items() if (surface in row["x-surfaces"]) == (surface in row["x-leaves-out"])]
    unreasoned = [name for name, row in ROWS.items() if not row["x-leaves-out"].get(surface, "a reason").strip()]

    assert silent == unreasoned == []


def test_every_row_can_be_shown() -> None:
    assert [name for name, row in ROWS.items() if not (row["x-label"] and row["description"] and row["x-kind"])] == []


def test_fixed_arguments_are_rows_without_a_default() -> None:
    for operation in TABLE["operations"].values():
        assert operation["required"] == [name for name in operation["fixed"] if name != "job"]
        rows = operation["properties"]
        assert {name for name in rows if "default" not in rows[name]} == set(operation["required"])


def test_one_field_has_one_kind_and_unit_in_all_operations() -> None:
    kinds: dict[str, set[tuple[str, str]]] = {}
    for operation in TABLE["operations"].values():
        for name, row in operation["properties"].items():
            kinds.setdefault(name, set()).add((row["x-kind"], row["x-unit"]))

    assert {name: found for name, found in kinds.items() if len(found) > 1} == {}


def test_the_samplers_are_those_that_there_are() -> None:
    assert {tuple(row["enum"]) for name, row in ROWS.items() if name.endswith(" sampler")} == {tuple(SAMPLERS)}


def test_every_request_of_the_engine_is_an_operation() -> None:
    assert [row.request.__name__.lower() for row in OPERATIONS] == list(TABLE["operations"])


# ------------------------------------------------------------------- each surface as it runs; the forms of the window
# and of the DAWs have their own tests, beside their programs: test_form_from_table.py and tests/daw_scripts/


def shown_on(surface: str) -> list[Any]:
    return [
        pytest.param(operation, key, id=f"{operation}-{key}")
        for operation, entry in TABLE["operations"].items()
        for key, row in (entry["properties"] | TABLE["job"]["properties"]).items()
        if surface in row["x-surfaces"]
    ]


def row_of(operation: str, key: str) -> dict[str, Any]:
    row: dict[str, Any] = (TABLE["job"]["properties"] | TABLE["operations"][operation]["properties"])[key]
    return row


def options_of(operation: str) -> dict[str, argparse.Action]:
    """Return the options of a command by their names, its words by theirs."""
    command = next(row for row in COMMANDS if row.name == operation)
    subcommands = build_parser(COMMANDS, command)._subparsers
    assert subcommands is not None
    parser = subcommands._group_actions[0].choices[operation]  # type: ignore[index]
    return {name: action for action in parser._actions for name in (action.option_strings or [action.dest])}


@pytest.mark.parametrize("entry", OPERATIONS, ids=lambda entry: entry.name)
def test_the_engine_has_each_row_and_its_default(entry: Any) -> None:
    fields = {field.name: field for field in dataclasses.fields(entry.request)}
    rows = TABLE["operations"][entry.name]["properties"]

    assert {row.get("x-engine", key) for key, row in rows.items()} == set(fields)
    for key, row in rows.items():
        if "default" in row and row.get("x-engine") != "regions":
            assert fields[row.get("x-engine", key)].default == row["default"], key


@pytest.mark.parametrize(("operation", "key"), shown_on("cli"))
def test_the_command_line_has_each_row_its_default_and_its_help(operation: str, key: str) -> None:
    row = row_of(operation, key)
    action = options_of(operation)[row.get("x-option", key)]

    assert key == "model" or (action.help or "").replace("%%", "%").startswith(row["description"])
    choices = row.get("enum", [])
    is_list = any("," in choice for choice in choices)  # which may be in any order, so that the request checks it
    assert list(action.choices or []) == ([] if is_list else choices)
    if "default" in row and key not in ("model", "seed"):
        assert action.default == row["default"]


@pytest.mark.parametrize("operation", TABLE["operations"])
def test_the_command_line_has_no_option_without_a_row(operation: str) -> None:
    rows = {row.get("x-option", key) for key, row in TABLE["operations"][operation]["properties"].items()}

    assert set(options_of(operation)) - rows == {"-h", "--help", "-o", "--output", "--model", "--device", "--json"}


def test_the_wire_has_a_request_for_each_operation() -> None:
    assert {kind.address for kind in RENDER_REQUESTS} == {entry["address"] for entry in TABLE["operations"].values()}


@pytest.mark.parametrize("kind", RENDER_REQUESTS, ids=lambda kind: kind.__name__)
def test_the_wire_has_each_row_and_its_kind(kind: Any) -> None:
    entry = TABLE["operations"][kind.address.rpartition("/")[2]]
    rows = entry["properties"] | TABLE["job"]["properties"]

    assert {*kind.fixed, *kind.key_names()} == {key for key, row in rows.items() if "wire" in row["x-surfaces"]}
    assert (kind.address, list(kind.fixed)) == (entry["address"], entry["fixed"])
    assert all(ARGUMENTS[key] is KINDS[row["x-kind"]] for key, row in rows.items())


SAMPLES = {
    "string": "rain",
    "integer": 4_000,
    "float": 0.5,
    "switch": 1,
    "region": ["2 3"],
    "priority": "batch",
    "bits": "16",
}


@pytest.mark.parametrize(("operation", "key"), shown_on("batch"))
def test_a_batch_list_has_a_column_for_each_row(operation: str, key: str, tmp_path: Path) -> None:
    def sample(name: str) -> Any:
        kind = row_of(operation, name)["x-kind"]
        return str(tmp_path / "a.wav") if kind == "path" else 1.5 if name == "end_s" else SAMPLES[kind]

    names = {*TABLE["operations"][operation]["required"], key}
    listed = {"operation": operation, **{name: sample(name) for name in sorted(names)}}
    (tmp_path / "list.jsonl").write_text(json.dumps(listed), encoding="utf-8")

    (item,) = read_list(tmp_path / "list.jsonl", tmp_path)

    assert getattr(item.request, key) == (((2.0, 3.0),) if key == "region" else sample(key))
