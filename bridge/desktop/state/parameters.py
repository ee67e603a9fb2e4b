"""The parameters that the Create page shows, read from the table of operations. Pure.

A parameter is a row of the table: a JSON Schema with `x-label`, `x-unit`, `description` and the rest. Nothing about it
is written down here but where on the page it has its place.
"""

from bridge import operation_table
from bridge.operation_table import JOB_ROWS, OPERATIONS, Row

SURFACE = "window"
TITLES = {name: str(operation["label"]) for name, operation in OPERATIONS.items()}
"""Operations as people read them, in the order of the window."""
FIRST_SIGHT = ("seconds", "strength", "seed", "candidates", "model", "draft")
"""Always in view; all other parameters are behind *More*."""
ON_THE_PAGE = ("prompt", "clip", "start_s", "end_s")
"""Set by the prompt line, and by the clip and its waveform."""
ALWAYS_SENT = ("seconds", "strength")
"""Part of a request also when they are as the table says, so that the history shows them."""


def rows_of(operation: str) -> dict[str, Row]:
    """Return every row of an operation by its name on the wire, the job's own rows last."""
    return {**operation_table.rows_of(operation), **JOB_ROWS}


def parameters_of(operation: str) -> dict[str, Row]:
    """Return the rows that the page has a field for, those at first sight before the others."""
    shown = {
        name: row
        for name, row in rows_of(operation).items()
        if SURFACE in row["x-surfaces"] and name not in ON_THE_PAGE
    }
    first = {name: shown[name] for name in FIRST_SIGHT if name in shown}
    return first | shown


def needs(operation: str, name: str) -> bool:
    """Whether an operation cannot do without an argument."""
    return name in OPERATIONS[operation]["required"]


def has(operation: str, name: str) -> bool:
    return name in OPERATIONS[operation]["properties"]


def help_of(row: Row) -> str:
    """Return a parameter's long help as sentences: what it does, then what holds without a value."""
    text = str(row["description"])
    default = row.get("x-own-defaults", {}).get(SURFACE) or row.get("x-default") or spelled(row, row.get("default"))
    return f"{text[:1].upper()}{text[1:]}." + (f" Default: {default}." if default else "")


def spelled(row: Row, value: object) -> str:
    """Return a value as people read it, with its unit; "" for none."""
    if value is None or value is False or value == "":
        return ""
    if value is True:
        return "on"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{text} {row['x-unit']}" if row["x-unit"] else text
