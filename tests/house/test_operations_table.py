"""The one table of operations: its file is what the models say, and every surface has each field or says why not."""

import json

import pytest

from engine.diffusion.samplers import SAMPLERS
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
