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


def is_number(row: dict[str, Any]) -> bool:
    return row["x-kind"] in ("integer", "float")
