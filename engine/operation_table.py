"""Where the written table of operations is, for those who read it and import no pydantic; engine/requests writes it."""

import functools
import json
from pathlib import Path
from typing import Any

TABLE_FILE = Path(__file__).parents[1] / "daw_scripts" / "shared" / "operations.json"


@functools.cache
def read_table() -> dict[str, Any]:
    """Return the table; do not change it."""
    table: dict[str, Any] = json.loads(TABLE_FILE.read_bytes())
    return table


def rows_of(operation: str) -> dict[str, dict[str, Any]]:
    """Return an operation's fields by their names on the wire: each a JSON Schema with labels."""
    rows: dict[str, dict[str, Any]] = read_table()["operations"][operation]["properties"]
    return rows
