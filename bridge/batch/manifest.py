"""The manifest of a batch: a line for every finished request, on disk before the next one is sent.

`retake-batch.jsonl` is in the folder of the results. While a batch runs the file only grows, so that a crash costs at
most the line being written; at the end its lines are sorted, and written once more as `retake-batch.csv`. A file of
that name is ours when every line of it is what a batch writes; a table, when each of its rows is in the manifest, too.
Other files, also changed or linked ones, are never touched: the next free name is used. `manifest.jsonl`, as earlier
versions called it, is read and left alone.
"""

import contextlib
import csv
import io
import itertools
import json
import os
import re
import secrets
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, BinaryIO, Self

from pydantic import BaseModel, ConfigDict, InstanceOf
from pydantic.dataclasses import dataclass

from bridge.errors import JobCancelledError
from bridge.host.plain_file import open_plain
from bridge.wire.messages import Done, Fail, RenderRequest

MANIFEST_FILE, TABLE_FILE = "retake-batch.jsonl", "retake-batch.csv"
LOCK_FILE = ".retake-batch.lock"
"""Held by the one batch that writes into a folder. Its owner is how a network share sees this user."""
_EARLIER_FILE = "manifest.jsonl"
_DRAFT = re.compile(r"\.retake-batch-[0-9a-f]{16}\.new")
_BEGINNING = b'{"key": "'
"""How every line begins, also one that was cut off."""
_FORMAT, _DATA = b"fmt ", b"data"


Words = Annotated[str, InstanceOf()]
"""Any text, also one with bytes of a file's name that are not UTF-8, which pydantic's own check refuses."""


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class ManifestEntry:
    """The outcome of a request. The facts are those of its best take; `others` are the other candidates' paths.

    `clap_score` is the cosine of prompt and take, `duration_s` in seconds; None where they are unknown. Raises
    ValidationError for a value of another type.
    """

    key: str
    attempt: int
    job: str
    state: str
    operation: str
    prompt: Words
    seed: int | None = None
    model: Words | None = None
    clap_score: float | None = None
    path: Words = ""
    duration_s: float | None = None
    others: tuple[Words, ...] = ()
    error: str = ""
    error_text: Words = ""

    @property
    def is_done(self) -> bool:
        """Whether it was rendered, and its files still exist."""
        return self.state == "done" and all(Path(path).is_file() for path in (self.path, *self.others))

    def num_bytes(self) -> int:
        """Return the size of its existing files, each with the sidecar beside it."""
        num_bytes = 0
        for path in filter(None, (self.path, *self.others)):
            for file in (Path(path), Path(path).with_suffix(".json")):
                with contextlib.suppress(OSError):
                    num_bytes += file.stat().st_size
        return num_bytes


def entry_of(key: str, attempt: int, request: RenderRequest, end: Done | Fail) -> ManifestEntry:
    """Return the entry for a request from its final reply and its files."""
    operation = request.address.rpartition("/")[2]
    facts: dict[str, Any] = {"seed": request.seed, "model": request.model}
    if isinstance(end, Fail):
        state = "cancelled" if end.code == JobCancelledError.code else "failed"
        facts |= {"error": end.code, "error_text": end.text}
    else:
        state = "done"
        path, *others = map(Path, end.paths)
        story = _story(path)
        facts |= story.model_dump(include={"seed", "model"}, exclude_unset=True)
        facts |= {"clap_score": story.score, "path": str(path), "duration_s": duration_s(path)}
        facts["others"] = tuple(map(str, others))
    return ManifestEntry(key, attempt, request.job, state, operation, request.prompt, **facts)


class _Story(BaseModel):
    """What a batch remembers of a take's story."""

    model_config = ConfigDict(strict=True)

    seed: int | None = None
    model: Words | None = None
    score: float | None = None


def _story(take: Path) -> _Story:
    """Read the story beside a take; what is missing or damaged says nothing."""
    try:
        return _Story.model_validate(json.loads(take.with_suffix(".json").read_bytes()))
    except (OSError, ValueError, RecursionError):
        return _Story()


def duration_s(wav: Path) -> float | None:
    """Return the length of a WAV from its header; None for an unusual one."""
    rate_bytes = 0
    try:
        with wav.open("rb") as stream:
            if stream.read(4) != b"RIFF":
                return None
            stream.seek(12)
            while len(head := stream.read(8)) == 8:
                name, size = struct.unpack("<4sI", head)
                if name == _FORMAT:
                    rate_bytes = struct.unpack("<8xI", stream.read(12))[0]
                    size -= 12
                if name == _DATA:
                    return round(size / rate_bytes, 6) if rate_bytes else None
                stream.seek(size + size % 2, os.SEEK_CUR)
    except (OSError, struct.error):
        return None
    return None


class BatchManifest:
    """The entries of a folder, the latest of each request; a context manager. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        _clear_drafts(folder)
        earlier = _read_lines(folder / _EARLIER_FILE)
        self.file, self._stream, lines = _open_own(folder)
        entries = [entry for line in (*earlier, *lines) if (entry := _entry(line)) is not None]
        self.entries = {entry.key: entry for entry in entries}
        self._known_rows = {_row(entry) for entry in entries}
        if self._stream.tell():
            self._stream.write(b"\n")  # the last line may have been cut off; empty lines are ignored
            self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def add(self, entry: ManifestEntry) -> None:
        """Add an entry, and wait until it is on disk. Raises OSError."""
        self.entries[entry.key] = entry
        self._known_rows.add(_row(entry))
        self._stream.write(_line(entry))
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def put_in_order(self, order: Iterable[str]) -> None:
        """Write both files in the order of these keys, then entries of earlier lists. Raises OSError."""
        opened = os.fstat(self._stream.fileno())
        self._stream.close()
        keys = dict.fromkeys([*(key for key in order if key in self.entries), *self.entries])
        entries = [self.entries[key] for key in keys]
        # The table first: its rows must be in the manifest for it to be recognised as ours, whenever we are killed.
        _replace(self._own_table(), _table(entries))
        if os.path.samestat(os.lstat(self.file), opened):  # still the same file
            _replace(self.file, b"".join(map(_line, entries)))

    def _own_table(self) -> Path:
        return next(path for path in _names(self._folder, TABLE_FILE) if self._is_own_table(path))

    def _is_own_table(self, path: Path) -> bool:
        """Whether the table at this path is missing, or may be replaced without losing anything."""
        if not os.path.lexists(path):
            return True
        try:
            with _opened(path) as file:
                text = io.StringIO(file.read().decode(), newline="")
            head, *rows = map(tuple, csv.reader(text, strict=True))
        except (OSError, ValueError, csv.Error):
            return False
        return head == _NAMES and self._known_rows.issuperset(rows)


_NAMES = tuple(entry.name for entry in fields(ManifestEntry))


def _names(folder: Path, name: str) -> Iterator[Path]:
    """Yield `a.csv`, `a (2).csv`, `a (3).csv` and so on."""
    stem, suffix = os.path.splitext(name)
    return (folder / (name if number == 1 else f"{stem} ({number}){suffix}") for number in itertools.count(1))


def _open_own(folder: Path) -> tuple[Path, BinaryIO, list[bytes]]:
    """Open the first manifest that is ours or new for appending, and read its lines."""
    for path in _names(folder, MANIFEST_FILE):
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
        except FileExistsError:
            with contextlib.suppress(OSError, ValueError):
                stream = _opened(path, to_append=True)
                lines = stream.read().split(b"\n")
                if all(_entry(line) or _is_cut_off(line) or not line.strip() for line in lines):
                    return path, stream, lines
                stream.close()
        else:
            return path, os.fdopen(descriptor, "a+b"), []
    raise AssertionError("itertools.count ends")


_BINARY = getattr(os, "O_BINARY", 0)


def _opened(path: Path, *, to_append: bool = False) -> BinaryIO:
    """Open a file of this user, but no link and nothing that could block. Raises OSError, ValueError."""
    stream = open_plain(path, to_append=to_append)
    if not _is_users(os.fstat(stream.fileno()), path.parent):
        stream.close()
        raise ValueError(path)
    return stream


def _is_users(status: os.stat_result, folder: Path) -> bool:
    """Whether a file belongs to this user, as the file system of its folder sees us."""
    if sys.platform == "win32" or status.st_uid == os.geteuid():
        return True
    with contextlib.suppress(OSError):
        return status.st_uid == os.lstat(folder / LOCK_FILE).st_uid
    return False


def _read_lines(file: Path) -> list[bytes]:
    try:
        with _opened(file) as stream:
            return stream.read().split(b"\n")
    except (OSError, ValueError):
        return []


def _entry(line: bytes) -> ManifestEntry | None:
    """Read a line; None when it was cut off, or is not ours."""
    try:
        values = json.loads(line)
        entry = ManifestEntry(**values | {"others": tuple(values["others"])})
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return entry if entry.job == f"batch-{entry.key}-{entry.attempt}" else None


def _is_cut_off(line: bytes) -> bool:
    return line.startswith(_BEGINNING) and not line.rstrip().endswith(b"}")


def _line(entry: ManifestEntry) -> bytes:
    return json.dumps(asdict(entry), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _row(entry: ManifestEntry) -> tuple[str, ...]:
    """Return an entry as cells of the table; bytes of a name that are not text are escaped."""
    values = asdict(entry) | {"others": " | ".join(entry.others)}
    cells = ("" if value is None else str(value) for value in values.values())
    return tuple(cell.encode("utf-8", "backslashreplace").decode() for cell in cells)


def _table(entries: Iterable[ManifestEntry]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_NAMES, *map(_row, entries)])
    return text.getvalue().encode()


def _replace(file: Path, content: bytes) -> None:
    fresh = file.with_name(f".retake-batch-{secrets.token_hex(8)}.new")
    try:
        with fresh.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(fresh, file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _clear_drafts(folder: Path) -> None:
    """Remove partial files of a killed batch; the folder's lock excludes other writers."""
    with os.scandir(folder) as entries:
        drafts = [entry.path for entry in entries if _DRAFT.fullmatch(entry.name)]
    for draft in drafts:
        with contextlib.suppress(OSError):
            os.unlink(draft)
