"""The list of a batch, in any of its formats, as requests without duplicates."""

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
"""Values of a row that has none of its own."""
_KEY_DIGITS = 24
_ANY_JOB = "batch"
_NO_COLUMNS = frozenset(name for name, row in JOB_ROWS.items() if "batch" not in row["x-surfaces"])
"""Set by the batch itself."""
_FOR_PROGRAMS = frozenset({"client", "reply", "deadline_unix", "priority"})
"""Columns that a list may have, but that are not suggested to people."""
_RENDERS = [kind for kind in OPERATIONS.values() if issubclass(kind, RenderRequest)]
_NAMES = [name for name, kind in OPERATIONS.items() if kind in _RENDERS]
_RENDERS_IN_WORDS = f"{', '.join(_NAMES[:-1])} or {_NAMES[-1]}"
_COLUMNS = {name for kind in _RENDERS for name in (*kind.fixed, *kind.key_names())} | {
    "operation",
    "duration",
    "length",
}
"""Names that a column may be meant to have."""
_MISSPELT = 0.75
"""Similarity from which on a column's name is taken for a misspelt parameter."""
_HASHED_WHOLE = 2**28
"""Bytes; a larger clip is identified by its size, its time and both ends."""
_END = 2**20


@dataclass(frozen=True)
class BatchItem:
    """One request of a list. Its key is the same for equal requests about equal clips into the same folder.

    `row` is the first row of the list that has it.
    """

    key: str
    request: RenderRequest
    row: int = field(default=0, compare=False)

    def attempt(self, number: int) -> RenderRequest:
        """Return the request of an attempt; an attempt has the same job id in every run."""
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
) -> list[BatchItem]:
    """Return the requests of all rows, without repeated ones. Results go into `folder`.

    An invalid row is passed to `on_bad_row`, which raises it by default, or lets the others be read. The name of a
    column that is no parameter, such as `id` or `notes`, is passed to `on_notes` once.

    Raises BatchListError, BatchRowError.
    """
    items: dict[str, BatchItem] = {}
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


def _item(row: Row, folder: Path) -> BatchItem:
    if row.fault:
        raise BridgeError(row.fault, 'write one object a line, as {"prompt": "rain"}')
    values = DEFAULTS | dict(row.cells)
    if isinstance(values["operation"], str):
        values["operation"] = values["operation"].strip().lower()
    _require_columns(values)
    for name in ("clip", "like", "follow"):
        if isinstance(values.get(name), str):
            values[name] = name_on_disk(values[name])
    request = request_from_fields(values, _ANY_JOB, {"output_dir": str(folder)})
    assert isinstance(request, RenderRequest)
    content = json.dumps([to_message(request), *(_fingerprint(path) for _, path in clips_of(request))])
    return BatchItem(hashlib.sha256(content.encode()).hexdigest()[:_KEY_DIGITS], request, row.number)


def _is_note(name: str) -> bool:
    """Whether a column is a note: its name is no parameter's, nor similar to one."""
    return name not in _COLUMNS and not difflib.get_close_matches(name, _COLUMNS, n=1, cutoff=_MISSPELT)


def _require_columns(values: Mapping[str, Any]) -> None:
    """Raise BadValueError, BatchColumnError or BatchCellMissingError when these are not the columns of an operation."""
    operation = values["operation"]
    kind = OPERATIONS.get(operation) if isinstance(operation, str) else None
    if kind is None or not issubclass(kind, RenderRequest):
        raise BadValueError("operation", operation, _RENDERS_IN_WORDS)
    known = {*kind.fixed, *kind.key_names()} - _NO_COLUMNS
    for name in values:
        if name != "operation" and name not in known:
            raise BatchColumnError(name, operation, known - _FOR_PROGRAMS)
    for name in kind.fixed:
        if name not in values and name != "job" and not (name == "prompt" and "like" in values):
            raise BatchCellMissingError(name)


@functools.cache
def _fingerprint(path: str) -> str:
    """Return a digest of a clip's content; "" if it cannot be read, which the daemon reports later."""
    try:
        check_clip("clip", path)
        with open_plain(path, follow_links=True) as stream:
            status = os.fstat(stream.fileno())
            if status.st_size <= _HASHED_WHOLE:
                return hashlib.file_digest(stream, "sha256").hexdigest()
            digest = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode() + stream.read(_END))
            stream.seek(-_END, os.SEEK_END)
            digest.update(stream.read(_END))
            return digest.hexdigest()
    except (OSError, ValueError, BridgeError):
        return ""
