"""The table of operations, as the engine writes it for all surfaces: what can be asked for, field by field.

The daemon and its clients start in a fraction of a second, so they read the file and import neither pydantic nor the
engine. A row is a JSON Schema with labels; engine/requests/ says what each of them means.
"""

import json
from pathlib import Path
from typing import Any

TABLE_FILE = Path(__file__).parents[1] / "daw_scripts" / "shared" / "operations.json"

Row = dict[str, Any]

_TABLE: dict[str, Any] = json.loads(TABLE_FILE.read_bytes())

OPERATIONS: dict[str, dict[str, Any]] = _TABLE["operations"]
"""By name: the address, label, help and fixed arguments of each, and its rows as `properties`."""
JOB_ROWS: dict[str, Row] = _TABLE["job"]["properties"]
"""What a job has beside its operation."""
DRAFT_STEPS: int = _TABLE["draft_steps"]
"""As many sampling steps or fewer are a draft; as many as the engine gives one of a model without a draft net."""

SEEDS: int = OPERATIONS["generate"]["properties"]["seed"]["maximum"] + 1
"""How many seeds there are, from 0."""


def rows_of(operation: str) -> dict[str, Row]:
    """Return an operation's own rows by the names of their keys."""
    rows: dict[str, Row] = OPERATIONS[operation]["properties"]
    return rows


def row_of(operation: str, name: str) -> Row:
    """Return one row, such as `row_of("generate", "seconds")`."""
    return rows_of(operation)[name]


def shown_on(surface: str, operation: str) -> dict[str, Row]:
    """Return the rows of an operation that a surface has; why it leaves out the others stands in these."""
    return {name: row for name, row in rows_of(operation).items() if surface in row["x-surfaces"]}
