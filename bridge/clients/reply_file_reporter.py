"""What `retake-send` adds to a reply file: that it began, and an end that the daemon could not write."""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bridge.clients.build_request import text_of
from bridge.errors import BridgeError, ReplyFileError
from bridge.jobs.reply_file import check_reply_file, read_reply_file, replace_reply_file
from bridge.wire.messages import Done, Fail, RenderRequest, Request

_STARTING = "starting"
_ENDS = ("done", "failed", "cancelled")


class ReplyFileReporter:
    """Writes for hosts that see neither exit code nor output; does nothing without a reply file."""

    def __init__(self, path: str | None, job: str) -> None:
        self._path = path
        self._job = job
        self._has_begun = False

    @classmethod
    def of_request(cls, request: Request) -> "ReplyFileReporter":
        return cls(request.reply, request.job) if isinstance(request, RenderRequest) else cls(None, "")

    @classmethod
    def of_file(cls, path: Path | None) -> "ReplyFileReporter":
        """Return a reporter for the file of a refused request, as far as that can be read."""
        content: Any = None
        with contextlib.suppress(OSError, ValueError, TypeError, RecursionError):
            content = json.loads(text_of(Path(path or "")))
        if not isinstance(content, dict):
            return cls(None, "")
        reply, job = content.get("reply"), content.get("job", "")
        return cls(reply if isinstance(reply, str) and Path(reply).is_absolute() else None, str(job))

    def begin(self) -> None:
        """Write that the request was taken up; keep a file that says more already."""
        if self._state() is None:
            self._write("queued", _STARTING)
        self._has_begun = True

    def end(self, last: Done | Fail | None) -> None:
        """Write the daemon's final reply, unless the file has it."""
        match last:
            case Done(paths=paths):
                self._tell_end("done", paths, None)
            case Fail(code=code, text=text, hint=hint):
                self._tell_end("cancelled" if code == "cancelled" else "failed", (), [code, text, hint])

    def fail(self, error: BridgeError) -> None:
        """Write why the daemon will not reply."""
        self._tell_end("failed", (), [error.code, error.text, error.hint])

    def _tell_end(self, state: str, paths: Sequence[str], error: list[str] | None) -> None:
        written = self._state()
        was_removed = written is None and self._has_begun  # by a host that needs no more of it
        if written not in _ENDS and not was_removed:
            self._write(state, state, paths, error)

    def _state(self) -> str | None:
        """Return the state in the file, or None."""
        with contextlib.suppress(OSError, ValueError, KeyError, RecursionError):
            return str(read_reply_file(Path(self._path or ""))["state"])
        return None

    def _write(self, state: str, stage: str, paths: Sequence[str] = (), error: list[str] | None = None) -> None:
        if self._path is None:
            return
        values = {
            "job": self._job,
            "state": state,
            "progress": 1.0 if state == "done" else 0.0,
            "stage": stage,
            "paths": list(paths),
            "warnings": [],
            "error": None if error is None else dict(zip(("code", "text", "hint"), error, strict=True)),
        }
        with contextlib.suppress(ReplyFileError, OSError):
            check_reply_file(self._path)
            replace_reply_file(Path(self._path), values, writer="send")
