"""The last jobs of a journal for a support bundle: read without a daemon, in any version of the journal, unchanged."""

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge.diagnosis.redaction import FOLDER, PROMPT, TEXT, Redactor, anonymous_id, folder_of, last_part
from bridge.wire.arguments import ARGUMENTS, PATH
from bridge.wire.messages import REQUESTS

_WORDS = ("prompt", "negative")
_FOLDER = "output_dir"
_JOB = "job"
_STANDS_FOR = {**dict.fromkeys(_WORDS, PROMPT), _FOLDER: FOLDER}
_NAMES = ("model", "sampler")
_REFUSALS = ("bad_value", "model_missing", "model_broken")
"""Codes of errors after which a name may be any text that a user entered."""
_NAME = re.compile(r"[\w.+-]{1,64}")
_SHOWN = ("id", "state", "address", "stage", "created_at", "changed_at")
_LISTS = ("warnings", "error")


def read_jobs(file: Path, limit: int) -> list[dict[str, Any]]:
    """Return the rows of the last jobs, the newest first, with all columns.

    Raises sqlite3.Error when the file is no journal.
    """
    if not file.is_file():
        return []
    uri = file.absolute().as_uri()
    try:
        return _select(f"{uri}?mode=ro", limit)
    except sqlite3.OperationalError:  # in a read-only folder SQLite opens only immutable files
        return _select(f"{uri}?mode=ro&immutable=1", limit)


def _select(uri: str, limit: int) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(uri, uri=True)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM jobs ORDER BY rowid DESC LIMIT ?", (limit,))]


def arguments_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job's arguments; the last value of a repeated key, and nothing from an unreadable row."""
    kind = REQUESTS.get(str(row.get("address")))
    values = _listed(row.get("arguments"))
    if kind is None:
        return {}
    count = len(kind.fixed)
    pairs = zip(values[count::2], values[count + 1 :: 2], strict=False)
    return dict(zip(kind.fixed, values, strict=False)) | {str(key): value for key, value in pairs}


def paths_of(row: Mapping[str, Any]) -> list[str]:
    """Return a job's results."""
    return [path for path in _listed(row.get("paths")) if isinstance(path, str)]


def _listed(text: Any) -> list[Any]:
    try:
        values = json.loads(text)
    except (ValueError, TypeError):
        return []
    return values if isinstance(values, list) else []


def redactor_for(row: Mapping[str, Any], general: Redactor) -> Redactor:
    """Return a redactor that also knows the words and paths of a job."""
    arguments = arguments_of(row)
    prompts = [str(arguments[name]) for name in _WORDS if arguments.get(name)]
    files = [value for name, value in arguments.items() if _is_path(name, value) and name != _FOLDER]
    files += paths_of(row)
    folders = [str(arguments.get(_FOLDER, "")), *map(folder_of, files)]
    return replace(general, prompts=tuple(prompts), files=tuple(files), folders=tuple(folders))


def _is_path(name: str, value: Any) -> bool:
    return isinstance(value, str) and name in ARGUMENTS and ARGUMENTS[name] is PATH


def redacted(row: Mapping[str, Any], general: Redactor) -> dict[str, Any]:
    """Return a job for the bundle: state, times, settings, error; words and paths only as far as allowed."""
    redactor = redactor_for(row, general)
    shown = {name: row[name] for name in _SHOWN if name in row}
    if not redactor.keeps_prompts:
        shown["id"] = anonymous_id(str(row.get("id", "")))
    numbers = {name: value for name, value in row.items() if isinstance(value, int | float)}
    code = next(iter(_listed(row.get("error"))), None)
    arguments = {name: _redacted_argument(name, value, redactor, code) for name, value in arguments_of(row).items()}
    lists = {name: redactor.clean_all(_listed(row.get(name))) for name in _LISTS}
    results = [redactor.clean(path) for path in paths_of(row)]
    return shown | numbers | {"settings": arguments, **lists, "results": results}


def _redacted_argument(name: str, value: Any, redactor: Redactor, code: object) -> Any:
    """Return an argument, or its placeholder; `code` is that of the job's error."""
    if not isinstance(value, str):
        return value
    if redactor.keeps_prompts or not value:
        return redactor.clean(value)
    if name in _STANDS_FOR:
        return _STANDS_FOR[name]
    if name == _JOB:
        return anonymous_id(value)
    if name in _NAMES:
        return value if _NAME.fullmatch(value) and code not in _REFUSALS else TEXT
    return redactor.clean(last_part(value)) if _is_path(name, value) else TEXT
