"""Lists from users and their programs, as rows: CSV with any separator, JSON, JSON lines, plain lines.

Tolerant in form: byte order marks and encodings, semicolons, tabs, decimal commas, blanks and capitals in a head,
empty columns and rows, an index column, whole numbers spelt 1.0, and the many words for nothing (nan, None, NULL).
Strict in content: a quote that is never closed, and a cell that no column is there for, are errors with their line;
no cell is cut off and none becomes part of its neighbour. `engine` exports this module, since batches read lists too.
"""

import csv
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.text_file import read_text

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".json")
_NOTHING = frozenset({"", "nan", "-nan", "none", "null", "<na>", "n/a", "#n/a", "nat"})
_INDEX = re.compile(r"(unnamed:_\d+)?")  # what pandas calls the column of its row numbers
_DECIMAL_COMMA = re.compile(r"[+-]?\d+(,\d+)?(e[+-]?\d+)?(\s+[+-]?\d+(,\d+)?(e[+-]?\d+)?)*", re.IGNORECASE)
_THOUSANDS = re.compile(r",\d{3}(?!\d)")
_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # Excel's own first line
_EXACT = 2**53  # up to here a 64-bit float is every integer
_LONGEST_CELL = 2**31 - 1  # characters; the caller decides what is too long
_SHOWN = 40


class ListError(ValueError):
    """A list that cannot be read as one; the sentence names the line, and `hint` says what to do about it, if known."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


@dataclass(frozen=True)
class Row:
    """The cells of a row by column name in lower case, without empty ones.

    `number` is the line of the file at which it begins, or its place in a JSON list, from 1. A row that cannot be read
    while the others can has no cells, and `fault` says why.
    """

    number: int
    cells: Mapping[str, Any]
    fault: str = ""


def read_rows(path: Path, column: str = "prompt", pair: tuple[str, str] | None = None) -> list[Row]:
    """Read a list, by the ending of its name; empty rows are left out.

    `column` is what the lines of a .txt are; a .txt with tabs is a table, as Excel saves Unicode text. A JSON object
    of texts is a list where `pair` names its keys and its values.

    Raises ListError; OSError when the file is missing or out of reach.
    """
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise ListError(f"its name ends in {path.suffix or 'nothing'}; expected one of {', '.join(SUFFIXES)}")
    try:
        text = read_text(path)
    except ValueError as error:
        raise ListError(str(error), getattr(error, "hint", "save it as UTF-8 text")) from error
    if kind in (".jsonl", ".ndjson", ".json") or isinstance(_line_of_json(text.lstrip().partition("\n")[0]), dict):
        rows: Iterator[Row] = _from_json(text, pair, is_lines=kind != ".json")
    elif kind == ".txt" and "\t" not in text.lstrip().partition("\n")[0]:
        rows = _from_lines(text, column)
    else:
        rows = _from_table(text)
    return [row for row in rows if row.cells or row.fault]


def _from_lines(text: str, column: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.lstrip().startswith("#"):
            yield Row(number, {column: line.strip()} if line.strip() else {})


# ------------------------------------------------------------------------------------------------- JSON


def _from_json(text: str, pair: tuple[str, str] | None, *, is_lines: bool) -> Iterator[Row]:
    """Read one JSON text, or one a line, whatever the name promises."""
    try:
        content = json.loads(text)
    except RecursionError:
        raise ListError("its objects are nested too deeply") from None
    except ValueError as error:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        if not is_lines and not (len(lines) > 1 and isinstance(_line_of_json(lines[0][1]), dict)):
            raise ListError(_fault_of_json(error)) from error
        yield from (_row_of_line(number, line) for number, line in lines)
        return
    objects = [content] if is_lines and isinstance(content, dict) and "data" not in content else content
    yield from (Row(number, _said(cells)) for number, cells in enumerate(_objects(objects, pair), 1))


def _row_of_line(number: int, line: str) -> Row:
    content = _line_of_json(line)
    if isinstance(content, dict):
        return Row(number, _said(content))
    return Row(number, {}, f"line {number} is no JSON object: {line.strip()[:_SHOWN]}")


def _line_of_json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _fault_of_json(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON, or cut off, at line {error.lineno}, character {error.colno}"
    return "it holds a number with too many digits"


def _objects(content: Any, pair: tuple[str, str] | None) -> Sequence[Mapping[str, Any]]:
    rows = content.get("data") if isinstance(content, dict) and isinstance(content.get("data"), list) else content
    if isinstance(rows, dict) and pair is not None:
        return [dict(zip(pair, item, strict=True)) for item in rows.items()]
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise ListError(
        "expected an object or a list of objects" if pair else 'expected a list of objects, or {"data": [...]}'
    )


# ------------------------------------------------------------------------------------------------ tables


def _from_table(text: str) -> Iterator[Row]:
    text, separator, skipped = _separator_of(text)
    records = _records(text, separator, skipped)
    _, head = next(records, (0, []))
    names = [_name(cell) for cell in head]
    _require_head(names)
    first = next((place for place, name in enumerate(names) if not _INDEX.fullmatch(name)), 0)
    for number, cells in records:
        known = {name: cell for name, cell in zip(names[first:], cells[first:], strict=False) if name}
        surplus = [cell for place, cell in enumerate(cells) if place >= first and cell and not _at(names, place)]
        if surplus:
            raise ListError(
                f"line {number} has more cells than the head has columns: {surplus[0][:_SHOWN]!r} is one too many",
                f"put a text that holds a {_SPELT.get(separator, separator)} into double quotes",
            )
        yield Row(number, _said({name: _number(cell, separator) for name, cell in known.items()}))


_SPELT = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def _separator_of(text: str) -> tuple[str, str, int]:
    """The text of the table, what separates its cells, and how many lines stood before it."""
    head, _, rest = text.lstrip("\n").partition("\n")
    if separator := _SEPARATOR.fullmatch(head.strip()):
        return rest, separator[1], text.index(head) + 1
    unquoted = re.sub(r'"[^"]*"', "", head)
    most = max(",\t;|", key=unquoted.count)  # the comma where there is none of them
    return text, "\t" if "\t" in unquoted else most, 0


def _records(text: str, separator: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table that are not empty, each with the line at which it begins."""
    csv.field_size_limit(_LONGEST_CELL)
    lines = (line + "\n" for line in text.split("\n"))
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=separator != "\t")
    while True:
        number = skipped + reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            is_open = "unexpected end" in str(error)
            reason = "that is never closed" if is_open else "that is not closed where its cell ends"
            raise ListError(
                f"line {number} has a quote {reason}", 'close it; a quote inside a quoted text is written twice ("")'
            ) from error
        if any(cells):
            yield number, cells


def _require_head(names: Collection[str]) -> None:
    named = [name for name in names if name]
    if named and not any(re.search("[a-z]", name) for name in named):
        raise ListError(f"its head could not be decoded into names of columns: {', '.join(named)[:_SHOWN]}")
    for name in named:
        if named.count(name) > 1:
            raise ListError(f"two columns of its head have the name {name!r}")


def _name(cell: str) -> str:
    """The name of a column or key as programs spell it: `File Name ` -> `file_name`."""
    return re.sub(r"[\s-]+", "_", cell.strip().lower())


def _at(names: Sequence[str], place: int) -> str:
    return names[place] if place < len(names) else ""


def _number(cell: str, separator: str) -> str:
    """Where commas separate no cells they are decimal commas; of regions, too: `0,5 1,5`.

    Where they do, a quoted `0,5` has one, but `1,500` may be more than a thousand.
    """
    is_one = separator != "," or not _THOUSANDS.search(cell)
    return cell.replace(",", ".") if is_one and _DECIMAL_COMMA.fullmatch(cell) else cell


def _said(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells that are not empty, by name; whole numbers given as floats become integers."""
    values = {_name(str(name)): _plain(value) for name, value in cells.items()}
    return {name: value for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return None if value.strip().casefold() in _NOTHING or value.strip() == "NA" else value
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return int(value) if value.is_integer() and abs(value) <= _EXACT else value
    return value
