"""The daemon's log: one line an event, the id of the job that it is about in a fixed place, nothing forged.

    2026-01-31 12:00:00,000 INFO [take-17] bridge.daemon.dispatcher: job take-17: accepted /retake/generate

`about_job` says which job the code inside it works for. Whatever a prompt, an id or a path contains, an entry cannot
begin a line of its own: control characters are written as escapes, and each line of a traceback gets the same head.
"""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from bridge.host.plain_file import AT_ONCE

LOG_FILE = "daemon.log"
NO_JOB = "-"
LINE = re.compile(r"(?P<time>\S+ \S+) (?P<level>[A-Z]+) \[(?P<job>[^\]\s]+)\] (?P<name>[\w.]+): (?P<text>.*)")
"""A line of the log."""

_LOG_BYTES = 1_000_000
_LOG_FILES = 3
_MAX_ID = 100
_MARK = "\x1ejob:"
"""Begins a line by which a render process names the job of its next lines; no logged line can begin like this."""

_job: ContextVar[str] = ContextVar("job", default="")


@contextmanager
def about_job(job_id: str) -> Iterator[None]:
    """Put a job's id on everything that this thread or task logs meanwhile; an empty one stands for none.

    A context variable, and not an argument: a task that is started inside keeps it, and concurrent ones stay apart.
    """
    token = _job.set(job_id)
    try:
        yield
    finally:
        _job.reset(token)


class LineFormatter(logging.Formatter):
    """Writes a record as lines that each have the whole head."""

    def __init__(self, head: str = "%(asctime)s %(levelname)s [%(job)s] %(name)s: ") -> None:
        super().__init__()
        self._head = logging.PercentStyle(head)

    def format(self, record: logging.LogRecord) -> str:
        record.job = _id_column(_job.get())
        record.asctime = self.formatTime(record)
        head = self._head.format(record)
        lines = [_escaped(record.getMessage())]
        if record.exc_info:
            lines += [_escaped(line) for line in self.formatException(record.exc_info).splitlines()]
        return "\n".join(head + line for line in lines)


def _escaped(text: str) -> str:
    """Write what cannot be seen, line breaks above all, as escapes."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in text
    )


def _id_column(job_id: str) -> str:
    """Return an id as one word without brackets, and NO_JOB for an empty one."""
    if job_id == NO_JOB:
        return r"\x2d"
    return re.sub(r"[\s\[\]]", lambda found: f"\\x{ord(found[0]):02x}", _escaped(job_id[:_MAX_ID])) or NO_JOB


class PrivateRotatingFile(RotatingFileHandler):
    """A log file that only its user may read, and that goes on growing where the system does not let it be renamed."""

    def _open(self) -> IO[str]:  # type: ignore[override]
        file = open(self.baseFilename, self.mode, encoding=self.encoding, opener=_open_private)  # noqa: SIM115
        if sys.platform != "win32":
            os.fchmod(file.fileno(), 0o600)
        return file

    def doRollover(self) -> None:  # noqa: N802 - the name that logging calls
        try:
            super().doRollover()
        except OSError:  # on Windows, while another program has the file open
            self.stream = self._open()  # type: ignore[assignment]


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | AT_ONCE, 0o600)


def start_log(folder: Path, level: str) -> None:
    """Log into `daemon.log` of a folder, and three older files of a megabyte each. Raises OSError."""
    file = PrivateRotatingFile(folder / LOG_FILE, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8")
    file.setFormatter(LineFormatter())
    logging.basicConfig(level=level.upper(), handlers=[file])


# ------------------------------------------------------------------------------------- the render process


def start_child_log(level: int = logging.INFO) -> None:
    """Log to stderr, for the daemon to read; it adds time and job."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter("%(levelname)s %(name)s: "))
    logging.basicConfig(level=level, handlers=[handler])


def mark_job(job_id: str) -> None:
    """Mark, in stderr itself, that what follows is about a job; an empty id ends that.

    Log lines travel in another pipe than replies, so only a mark among them is sure to come at the right place.
    """
    sys.stderr.write(f"{_MARK}{_escaped(job_id)}\n")
    sys.stderr.flush()


def marked_job(line: str) -> str | None:
    """Read the id from a line of `mark_job`; None from any other line."""
    return line.removeprefix(_MARK).rstrip("\r\n") if line.startswith(_MARK) else None
