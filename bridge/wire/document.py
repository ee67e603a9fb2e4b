"""`python -m bridge.wire.document`: write the tables of documents that the table of operations holds. Nothing else.

Between `<!-- name -->` and `<!-- end -->` a document belongs to this file; a test holds both equal.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bridge.operation_table import JOB_ROWS, OPERATIONS, Row, rows_of, shown_on
from bridge.wire.arguments import ARGUMENTS
from bridge.wire.messages import RENDER_REQUESTS

_ROOT = Path(__file__).parents[2]
DOCUMENTS = (_ROOT / "bridge" / "PROTOCOL.md", _ROOT / "daw_scripts" / "ableton" / "README.md")

_MARKED = re.compile(r"(?<=<!-- )(?!end )(\w+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)


def generated(text: str) -> str:
    """Return a document with its marked parts as they should be. Raises KeyError for a mark that means nothing."""
    return _MARKED.sub(lambda found: found[1] + found[2] + _parts()[found[1]], text)


def _parts() -> dict[str, str]:
    lines = {name: _section(name) for name in OPERATIONS} | {"keys": _keys(), "live_keys": _live_keys()}
    return {name: "\n".join(part) + "\n" for name, part in lines.items()}


def _section(operation: str) -> Iterator[str]:
    """Yield an operation's fixed arguments, and the keys that it has beside those of all jobs."""
    rows = JOB_ROWS | rows_of(operation)
    fixed = OPERATIONS[operation]["fixed"]
    yield from _table(("argument", "type", "meaning"), ((name, _type(name), _argument(rows[name])) for name in fixed))
    own = ", ".join(f"`{name}`" for name in rows_of(operation) if name not in fixed and name not in _shared())
    yield f"\nKeys: {own}, and [those of all jobs](#keys). Token needed."


def _keys() -> Iterator[str]:
    """Yield the keys of all jobs, then those of some operations."""
    shared = _shared() | {name: row for name, row in JOB_ROWS.items() if name not in ("job", "token")}
    own: dict[str, dict[str, Row]] = {}
    for operation in OPERATIONS:
        for name, row in rows_of(operation).items():
            if name not in OPERATIONS[operation]["fixed"] and name not in shared:
                own.setdefault(name, {})[operation] = row
    yield "Keys of all jobs:\n"
    facts = ("type", "range", "if not sent", "meaning")
    yield from _table(("key", *facts), ((name, *_facts(name, {"": row})) for name, row in shared.items()))
    yield "\nKeys of some operations:\n"
    yield from _table(
        ("key", *facts, "operations"), ((name, *_facts(name, rows), ", ".join(rows)) for name, rows in own.items())
    )


def _live_keys() -> Iterator[str]:
    """Yield the keys that Live's control surface takes, those of every command first."""
    keys = {
        name: [key for key in (*shown_on("live_surface", name), *_of_jobs()) if key not in OPERATIONS[name]["fixed"]]
        for name in OPERATIONS
    }
    of_all = [key for key in keys["generate"] if all(key in others for others in keys.values())]
    own = {name: [key for key in found if key not in of_all] for name, found in keys.items()}
    yield from _table(
        ("command", "keys"),
        ((name, ", ".join(f"`{key}`" for key in found)) for name, found in ({"all": of_all} | own).items()),
    )


def _of_jobs() -> Iterator[str]:
    return (name for name, row in JOB_ROWS.items() if "live_surface" in row["x-surfaces"])


def _shared() -> dict[str, Row]:
    names = set.intersection(*(set(kind.key_names()) for kind in RENDER_REQUESTS))
    return {name: row for name, row in rows_of("generate").items() if name in names}


def _table(head: Iterable[str], lines: Iterable[Iterable[str]]) -> Iterator[str]:
    head = tuple(head)
    for cells in (head, ["---"] * len(head), *lines):
        yield f"| {' | '.join(cells)} |".replace("| --- ", "|---").replace("--- |", "---|")


def _type(name: str) -> str:
    return ARGUMENTS[name].expected


def _facts(name: str, rows: Mapping[str, Row]) -> tuple[str, str, str, str]:
    """Return type, range, default and meaning of a key in the operations that have it."""
    row = next(iter(rows.values()))
    defaults = {operation: _default(row) for operation, row in rows.items()}
    if len(set(defaults.values())) > 1:
        default = ", ".join(f"{value} to {operation}" for operation, value in defaults.items())
    else:
        default = next(iter(defaults.values()))
    return _type(name), _range(row), default, _meaning(rows.values())


def _argument(row: Row) -> str:
    return _meaning([row]) + (f", in {row['x-unit']}" if row["x-unit"] else "")


def _meaning(rows: Iterable[Row]) -> str:
    rows = list(rows)
    again = "; may be sent several times" if rows[0]["x-kind"] == "region" else ""
    return " / ".join(dict.fromkeys(row["description"] for row in rows)) + again


def _range(row: Row) -> str:
    if "enum" in row and row["x-kind"] in ("string", "bits"):
        return ", ".join(f"`{name}`" for name in row["enum"])
    if "maximum" in row:
        return f"{row['minimum']} to {row['maximum']} {row['x-unit']}".strip()
    return str(row["x-unit"])


def _default(row: Row) -> str:
    if "x-default" in row:
        return str(row["x-default"])
    match row.get("default"):
        case bool() as on:
            return str(int(on))
        case None | "" | []:
            return "none"
        case value:
            return str(value)


def main() -> None:
    """Write the documents' tables again."""
    for document in DOCUMENTS:
        document.write_text(generated(document.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
        print(document)


if __name__ == "__main__":
    main()
