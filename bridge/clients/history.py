"""`retake jobs`: what was rendered when, and how it ended; the journal is only read, so no daemon needs to run."""

import argparse
import json
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bridge.clients.send import deliver
from bridge.errors import BridgeError, UnknownJobError
from bridge.host.discovery import state_folder
from bridge.host.option_parser import OptionParser
from bridge.jobs.job import Job, JobState
from bridge.jobs.journal import JOURNAL_FILE, find_in_file, search_file
from bridge.operation_table import SEEDS
from bridge.plain_words import at_terminal
from bridge.wire.messages import RenderRequest

_LIMIT = 20


def main(argv: Sequence[str] | None = None) -> int:
    """List jobs, show one, or request one again."""
    options = _parser().parse_args(argv)
    file = state_folder(os.environ) / JOURNAL_FILE
    try:
        if options.again is not None:
            return deliver(again(_require(file, options.again), options.seed), options)
        jobs = [_require(file, options.show)] if options.show else _search(file, options)
    except BridgeError as error:
        print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps([_facts(job) for job in jobs], indent=1))
    elif options.show:
        print("\n".join(f"{name}: {text}" for name, value in _facts(jobs[0]).items() if (text := _spelled(value))))
    else:
        print("\n".join(_line(job) for job in jobs) or "no such jobs")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = OptionParser(prog="retake jobs", description="Show earlier jobs and how they ended, newest first.")
    parser.add_argument(
        "text", nargs="?", default="", help="show only jobs whose id, prompt, settings or files contain this text"
    )
    parser.add_argument("--state", default="", type=_state, metavar="STATE", help=", ".join(JobState))
    parser.add_argument(
        "--limit", type=int, default=_LIMIT, metavar="N", help=f"show at most this many (default {_LIMIT})"
    )
    parser.add_argument("--show", metavar="JOB", help="one job in detail")
    parser.add_argument("--again", metavar="JOB", help="repeat a job, with a new seed or with --seed")
    parser.add_argument(
        "--seed", type=_seed, metavar="N", help="with --again: this seed; the job's own seed repeats it exactly"
    )
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.set_defaults(start=True, stop_after=False, no_wait=False, timeout=None)
    return parser


def _seed(word: str) -> int | None:
    """Read a seed; None for `random`, as where none is given. Raises ArgumentTypeError for anything else."""
    if word == "random":
        return None
    try:
        return int(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is no seed; give a whole number, or random") from None


def _state(word: str) -> str:
    """Read a state. Raises ArgumentTypeError, which says which there are."""
    if word and word not in set(JobState):
        raise argparse.ArgumentTypeError(f"there is no state {word!r}; choose one of {', '.join(JobState)}")
    return word


def _search(file: Path, options: argparse.Namespace) -> list[Job]:
    return search_file(file, options.text, options.state, max(options.limit, 1)) if file.exists() else []


def _require(file: Path, job_id: str) -> Job:
    job = find_in_file(file, job_id) if file.exists() else None
    if job is None:
        raise UnknownJobError(job_id)
    return job


def again(job: Job, seed: int | None) -> RenderRequest:
    """Return the request under a new id, without where the earlier one sent its answers."""
    fresh = f"again-{secrets.token_hex(6)}"
    seed = secrets.randbelow(SEEDS) if seed is None else seed
    return replace(job.request, job=fresh, seed=seed, reply=None, deadline_unix=None)


def _facts(job: Job) -> dict[str, Any]:
    """Return everything that is known about a job, in the words of the wire."""
    settings = {
        name: value
        for name, value in vars(job.request).items()
        if value is not None and name not in {"job", "token", "reply"}
    }
    error = None if job.error is None else {"code": job.error.code, "text": job.error.text, "hint": job.error.hint}
    return {
        "job": job.id,
        "state": str(job.state),
        "command": job.request.address,
        "accepted_at": _moment(job),
        "attempts": job.attempts,
        **settings,
        "warnings": list(job.warnings),
        "paths": list(job.paths),
        "error": error,
    }


def _spelled(value: Any) -> str:
    """Return a fact as people write it; "" for none."""
    match value:
        case None | []:
            return ""
        case {"text": text, "hint": hint}:
            return f"{at_terminal(text)}; {at_terminal(hint)}"
        case list() | tuple():
            return ", ".join(map(_spelled, value))
        case bool():
            return "yes" if value else "no"
    return at_terminal(str(value))


def _moment(job: Job) -> str:
    return datetime.fromtimestamp(job.accepted_at, UTC).astimezone().isoformat(sep=" ", timespec="seconds")


def _line(job: Job) -> str:
    operation = job.request.address.rpartition("/")[2]
    end = job.paths[0] if job.paths else "" if job.error is None else job.error.text
    asked = f"{operation} '{job.request.prompt}'"
    return f"{_moment(job)[:19]}  {job.state:<9}  {job.id}  {asked}  {at_terminal(end)}".rstrip()
