"""The reply file: the state of a job, as JSON that is replaced whole, for hosts that cannot listen to a socket."""

import json
import logging
import os
import zlib
from pathlib import Path
from stat import S_ISREG
from typing import Any

from bridge.errors import ReplyFileError
from bridge.host.plain_file import open_plain
from bridge.jobs.job import Job

_FIELDS = ("job", "state", "progress", "stage", "paths", "warnings", "error")
_MAX_BYTES = 1_000_000
_NO_REPLY = b"-"

log = logging.getLogger(__name__)


def read_reply_file(path: Path) -> dict[str, Any]:
    """Return the content of a reply file. Raises OSError, ValueError when there is none at that path."""
    content = json.loads(_content(path))
    if not isinstance(content, dict):
        raise ValueError(f"{path} is no reply")  # noqa: TRY004 - as for everything else that a file may hold
    return content


def check_reply_file(path: str) -> None:
    """Raise ReplyFileError unless `path` may be written: it ends in .json, and holds nothing or an earlier reply."""
    if not path.lower().endswith(".json"):
        raise ReplyFileError(path, "its name does not end in .json")
    file = Path(path)
    try:
        if not file.parent.is_dir():
            raise ReplyFileError(path, f"there is no folder {file.parent}")
        if not os.access(file.parent, os.W_OK):
            raise ReplyFileError(path, f"the folder {file.parent} may not be written to")
        if not _is_reply(_content(file)):
            raise ReplyFileError(path, "it holds something that Retake did not write")
    except FileNotFoundError:
        return
    except OSError as error:
        raise ReplyFileError(path, str(error)) from error


def _content(file: Path) -> bytes:
    """Read the file that is at a path now, which may have changed: through no link, and without waiting for a pipe."""
    if not S_ISREG(file.lstat().st_mode):
        return _NO_REPLY
    with open_plain(file) as opened:
        return opened.read(_MAX_BYTES + 1)


def _is_reply(content: bytes) -> bool:
    try:
        return not content or (len(content) <= _MAX_BYTES and set(json.loads(content)) == set(_FIELDS))
    except (ValueError, TypeError, RecursionError):
        return False


def describe(job: Job) -> dict[str, Any]:
    """Return the state of a job as JSON values; `error` is null or holds code, text and hint."""
    error = None if job.error is None else {"code": job.error.code, "text": job.error.text, "hint": job.error.hint}
    values = (job.id, str(job.state), round(job.fraction, 4), job.stage, list(job.paths), list(job.warnings), error)
    return dict(zip(_FIELDS, values, strict=True))


def write_reply_file(job: Job) -> None:
    """Bring the job's reply file, if it asked for one, up to date; errors are logged and do not stop the job."""
    if job.request.reply is None:
        return
    path = Path(job.request.reply)
    try:
        _require_unmoved(path)
        check_reply_file(str(path))
        replace_reply_file(path, describe(job))
    except (ReplyFileError, OSError) as error:
        log.warning("job %s: the reply file could not be written: %s", job.id, error)


def _require_unmoved(path: Path) -> None:
    """Raise ReplyFileError when the folder is behind a link: it was not when the job was accepted."""
    if os.path.realpath(path.parent) != str(path.parent):
        raise ReplyFileError(str(path), "its folder leads somewhere else by now")


def replace_reply_file(path: Path, values: dict[str, Any], writer: str = "daemon") -> None:
    """Put a whole new text in place of a reply file. Raises OSError; then the old one is still there.

    The draft's name depends on file and writer only, so that the next daemon replaces what a killed one left.
    """
    name = zlib.crc32(os.fsencode(path.name))
    fresh = path.with_name(f".retake-reply-{writer}-{name:08x}.tmp")
    try:
        text = json.dumps(values, ensure_ascii=False, indent=1)
        fresh.unlink(missing_ok=True)
        with fresh.open("x", encoding="utf-8", errors="backslashreplace") as file:  # of names that are not Unicode
            file.write(text)
        os.replace(fresh, path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
