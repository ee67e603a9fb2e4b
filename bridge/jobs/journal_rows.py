"""Between a job and its row in the journal. A row is read whole or not at all; nothing in it is taken on trust."""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from bridge.jobs.job import Job, JobState
from bridge.wire.messages import Fail, RenderRequest
from bridge.wire.parsing import parse_request, to_message

SELECT = """
SELECT id, state, address, arguments, stage, warnings, paths, error, attempts,
    (julianday(created_at) - 2440587.5) * 86400.0 FROM jobs
"""
UPSERT = """
INSERT INTO jobs (id, state, address, arguments, stage, warnings, paths, error, attempts, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', ?, 'unixepoch'))
ON CONFLICT (id) DO UPDATE SET state = excluded.state, stage = excluded.stage, warnings = excluded.warnings,
    paths = excluded.paths, error = excluded.error, attempts = excluded.attempts,
    changed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
"""

Row = tuple[Any, ...]
"""The columns of SELECT, as SQLite holds them: of any type."""

log = logging.getLogger(__name__)


def values_of(job: Job) -> tuple[Any, ...]:
    """Return the values of UPSERT, without the token."""
    address, args = to_message(replace(job.request, token=""))
    error = None if job.error is None else json.dumps([job.error.code, job.error.text, job.error.hint])
    listed = (json.dumps(job.warnings), json.dumps(job.paths))
    return (
        job.id,
        str(job.state),
        address,
        json.dumps(args),
        job.stage,
        *listed,
        error,
        job.attempts,
        job.accepted_at,
    )


def read_rows(rows: Iterable[Row]) -> Iterator[Job]:
    """Yield the jobs that can be read: one damaged row, or one of a later version, must not hide the others."""
    for row in rows:
        try:
            yield read_row(row)
        except Exception as error:  # noqa: BLE001 - what a row may hold is beyond foreseeing
            name = str(row[0])[:100] if row else ""
            log.warning("the job %s in the journal is not understood and passed over: %r", name, error)


def read_row(row: Row) -> Job:
    """Read a row. Raises BridgeError, ValueError and whatever else damaged values cause."""
    _, state, address, arguments, stage, warnings, paths, error, attempts, accepted_at = row
    request = parse_request(address, json.loads(arguments))
    if not isinstance(request, RenderRequest):
        raise TypeError(f"{address} asks for no job")
    return Job(
        request=request,
        state=JobState(state),
        fraction=1.0 if state == JobState.DONE else 0.0,
        stage=_text(stage),
        warnings=_texts(warnings),
        paths=_texts(paths),
        error=None if error is None else _failure(request, _texts(error)),
        attempts=int(attempts),
        accepted_at=float(accepted_at),
    )


def _failure(request: RenderRequest, parts: tuple[str, ...]) -> Fail:
    code, text, hint = parts
    return Fail(request.address, request.job, code, text, hint)


def _texts(column: str) -> tuple[str, ...]:
    values = json.loads(column)
    if not isinstance(values, list):
        raise TypeError(f"expected a list, found {type(values).__name__}")
    return tuple(_text(value) for value in values)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, found {type(value).__name__}")
    return value
