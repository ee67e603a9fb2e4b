"""The list of a batch: a CSV, JSONL or text file as requests, each only once however often it is listed."""

import csv
import functools
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bridge.batch_errors import BatchListError, BatchRowError
from bridge.compose import request_from_fields
from bridge.errors import BadValueError, BridgeError
from bridge.messages import RenderRequest
from bridge.paths import clips_of
from bridge.protocol import to_message

DEFAULTS = {"operation": "generate", "priority": "batch", "client": "batch"}
"""What a row is that does not say otherwise."""
_KEY_DIGITS = 24
_ANY_JOB = "batch"


@dataclass(frozen=True)
class Item:
    """One request of a list, and its key: the same for all that ask the same of the same clips into the same folder."""

    key: str
    request: RenderRequest

    def attempt(self, number: int) -> RenderRequest:
        """Give the request as the job of its attempt; the same attempt has the same id in every run."""
        return replace(self.request, job=f"batch-{self.key}-{number}")


def read_list(file: Path, folder: Path) -> list[Item]:
    """Read every row, and leave out those that ask what an earlier one asks. Results go into `folder`.

    Raises BatchListError, BatchRowError.
    """
    items: dict[str, Item] = {}
    for number, row in _rows(file):
        try:
            item = _item(row, folder)
        except BridgeError as error:
            raise BatchRowError(file, number, error) from error
        items.setdefault(item.key, item)
    if not items:
        raise BatchListError(file, "it is empty")
    return list(items.values())


def _item(row: Mapping[str, Any], folder: Path) -> Item:
    request = request_from_fields(DEFAULTS | dict(row), _ANY_JOB, {"output_dir": str(folder)})
    if not isinstance(request, RenderRequest):
        raise BadValueError("operation", row["operation"], "generate, restyle, vary, inpaint or upscale")
    told = json.dumps([to_message(request), *(_fingerprint(path) for _, path in clips_of(request))])
    return Item(hashlib.sha256(told.encode()).hexdigest()[:_KEY_DIGITS], request)


@functools.cache
def _fingerprint(path: str) -> str:
    """Tell what a clip is by its content; of one that cannot be read the daemon says so later."""
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _rows(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Give every row with its number in the file, from 1; what a row leaves empty it does not say."""
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise BatchListError(file, f"its name ends in {file.suffix or 'nothing'}")
    try:
        for number, row in reader(file.read_text(encoding="utf-8-sig")):
            said = {name: value for name, value in row.items() if value not in ("", None)}
            if said:
                yield number, said
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise BatchListError(file, error) from error


def _from_csv(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", skipinitialspace=True)
    for row in reader:
        if "" in row:
            raise ValueError(f"line {reader.line_num} has more columns than the head")
        yield reader.line_num, row


def _from_jsonl(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError(f"line {number} is no object")
            yield number, row


def _from_text(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        yield number, {"prompt": line.strip()}


_READERS = {".csv": _from_csv, ".jsonl": _from_jsonl, ".ndjson": _from_jsonl, ".txt": _from_text}
