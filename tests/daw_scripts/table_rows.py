"""The table of operations as a form has to show it: the rows of one surface, for the tests that read forms out."""

import json
from pathlib import Path
from typing import Any

TABLE = json.loads((Path(__file__).parents[2] / "daw_scripts" / "shared" / "operations.json").read_text("utf-8"))
OPERATIONS: dict[str, Any] = TABLE["operations"]


def fields_of(operation: str, surface: str) -> dict[str, Any]:
    """Return an operation's rows that a surface shows, by name; those of every job, such as the model, among them."""
    rows = OPERATIONS[operation]["properties"] | TABLE["job"]["properties"]
    return {name: row for name, row in rows.items() if surface in row["x-surfaces"]}


def rows_of(surface: str) -> list[tuple[str, str]]:
    """Name every field that a surface shows, as (operation, field)."""
    return [(operation, name) for operation in OPERATIONS for name in fields_of(operation, surface)]


NEW = "sparkle"
"""A field that no operation has, for the tests that a new row of the table needs no line in a host."""


def add_new_field(table: Path) -> None:
    """Give restyle one more row in a copy of the table."""
    content = json.loads(table.read_text("utf-8"))
    row = {"type": "number", "minimum": 0, "maximum": 5, "default": 2.5, "x-kind": "float", "x-unit": "dB"}
    row |= {"x-label": "Sparkle", "description": "…", "x-surfaces": content["surfaces"], "x-leaves-out": {}}
    content["operations"]["restyle"]["properties"][NEW] = row
    table.write_text(json.dumps(content), "utf-8")


def is_number(row: dict[str, Any]) -> bool:
    return row["x-kind"] in ("integer", "float")
