"""The list of a batch, whatever program wrote it, as requests, each only once however often it is listed."""

import difflib
import functools
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bridge.batch.errors import BatchCellMissingError, BatchColumnError, BatchListError, BatchRowError
from bridge.clients.build_request import OPERATIONS, request_from_fields
from bridge.errors import BadValueError, BridgeError
from bridge.host.paths import check_clip, clips_of
from bridge.host.plain_file import open_plain
from bridge.operation_table import JOB_ROWS
from bridge.wire.messages import RenderRequest
from bridge.wire.parsing import to_message
from engine import Row, name_on_disk, read_rows

DEFAULTS = {"operation": "generate", "priority": "batch", "client": "batch"}
"""What a row is that does not say otherwise."""
_KEY_DIGITS = 24
_ANY_JOB = "batch"
_NO_COLUMNS = frozenset(name for name, row in JOB_ROWS.items() if "batch" not in row["x-surfaces"])
"""What the batch itself says."""
_UNTOLD = frozenset({"client", "reply", "deadline_unix", "priority"})
"""Columns that a list may have, but that are for programs."""
_RENDERS = [kind for kind in OPERATIONS.values() if issubclass(kind, RenderRequest)]
_COLUMNS = {name for kind in _RENDERS for name in (*kind.fixed, *kind.key_names())} | {
    "operation",
    "duration",
    "length",
}
"""What a column may be meant to say of an operation."""
_LIKE_A_KNOB = 0.75
"""So much alike a column's name and a knob's are when one is taken for the other misspelt."""
_HASHED_WHOLE = 2**28
"""Bytes; of a larger clip its size, its time and its ends say what it is."""
_END = 2**20


@dataclass(frozen=True)
class Item:
    """One request of a list, and its key: the same for all that ask the same of the same clips into the same folder.

    `row` is where it stands in the list, first.
    """

    key: str
    request: RenderRequest
    row: int = field(default=0, compare=False)

    def attempt(self, number: int) -> RenderRequest:
        """Return the request as the job of its attempt; the same attempt has the same id in every run."""
        return replace(self.request, job=f"batch-{self.key}-{number}")

    def is_attempt(self, job: str) -> bool:
        """Whether a job is an attempt at this request."""
        return job.startswith(f"batch-{self.key}-")


def _refuse(error: BatchRowError) -> None:
    raise error


def read_list(
    file: Path,
    folder: Path,
    on_bad_row: Callable[[BatchRowError], None] = _refuse,
    on_notes: Callable[[str], None] = lambda _: None,
) -> list[Item]:
    """Read every row, and leave out those that ask what an earlier one asks. Results go into `folder`.

    A row that can be no request is told to `on_bad_row`, which may let the others be read; by itself it is raised. A
    column that is the list's own business, such as `id` or `notes`, is told once to `on_notes`.

    Raises BatchListError, BatchRowError.
    """
    items: dict[str, Item] = {}
    rows = _rows(file)
    notes = {name for row in rows for name in row.cells if _is_note(name)}
    for name in sorted(notes):
        on_notes(name)
    for row in rows:
        try:
            item = _item(replace(row, cells={name: row.cells[name] for name in row.cells if name not in notes}), folder)
        except BridgeError as error:
            on_bad_row(BatchRowError(file, row.number, error))
        else:
            items.setdefault(item.key, item)
    return list(items.values())


def _rows(file: Path) -> list[Row]:
    try:
        rows = read_rows(file)
    except OSError as error:
        raise BatchListError(file, error.strerror or error, "check its path, and that you may read it") from error
    except ValueError as error:
        raise BatchListError(file, error, getattr(error, "hint", "")) from error
    if not rows:
        raise BatchListError(file, "it holds no request: it is empty, or has a head alone")
    if all(row.fault for row in rows):
        raise BatchListError(file, rows[0].fault)
    return rows


def _item(row: Row, folder: Path) -> Item:
    if row.fault:
        raise BridgeError(row.fault, 'write one object a line, as {"prompt": "rain"}')
    values = DEFAULTS | dict(row.cells)
    if isinstance(values["operation"], str):
        values["operation"] = values["operation"].strip().lower()
    _require_columns(values)
    for name in ("clip", "like"):
        if isinstance(values.get(name), str):
            values[name] = name_on_disk(values[name])
    request = request_from_fields(values, _ANY_JOB, {"output_dir": str(folder)})
    assert isinstance(request, RenderRequest)
    told = json.dumps([to_message(request), *(_fingerprint(path) for _, path in clips_of(request))])
    return Item(hashlib.sha256(told.encode()).hexdigest()[:_KEY_DIGITS], request, row.number)


def _is_note(name: str) -> bool:
    """Whether a column belongs to the list alone: no operation knows its name, nor one that it could be meant for."""
    return name not in _COLUMNS and not difflib.get_close_matches(name, _COLUMNS, n=1, cutoff=_LIKE_A_KNOB)


def _require_columns(values: Mapping[str, Any]) -> None:
    """Raise BadValueError, BatchColumnError or BatchCellMissingError when these are not the columns of an operation."""
    operation = values["operation"]
    kind = OPERATIONS.get(operation) if isinstance(operation, str) else None
    if kind is None or not issubclass(kind, RenderRequest):
        raise BadValueError("operation", operation, "generate, restyle, vary, inpaint or upscale")
    known = {*kind.fixed, *kind.key_names()} - _NO_COLUMNS
    for name in values:
        if name != "operation" and name not in known:
            raise BatchColumnError(name, operation, known - _UNTOLD)
    for name in kind.fixed:
        if name not in values and name != "job" and not (name == "prompt" and "like" in values):
            raise BatchCellMissingError(name)


@functools.cache
def _fingerprint(path: str) -> str:
    """Tell what a clip is by its content; of one that cannot be read the daemon says so later."""
    try:
        check_clip("clip", path)
        with open_plain(path, follow_links=True) as stream:
            status = os.fstat(stream.fileno())
            if status.st_size <= _HASHED_WHOLE:
                return hashlib.file_digest(stream, "sha256").hexdigest()
            told = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode() + stream.read(_END))
            stream.seek(-_END, os.SEEK_END)
            told.update(stream.read(_END))
            return told.hexdigest()
    except (OSError, ValueError, BridgeError):
        return ""
