"""The manifest of a batch: a line for every request that has ended, on disk before the next one is asked for.

`manifest.jsonl` lies in the folder of the results. While a batch runs it only grows, so that whatever ends the batch
costs at most the line that was being written; in the end it is put in order, and told once more as `manifest.csv`.
"""

import contextlib
import csv
import json
import os
import struct
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from bridge.errors import JobCancelledError
from bridge.messages import Done, Fail, RenderRequest

MANIFEST_FILE, TABLE_FILE = "manifest.jsonl", "manifest.csv"
_FORMAT, _DATA = b"fmt ", b"data"


@dataclass(frozen=True)
class Entry:
    """What became of a request. The facts are those of its best take; `others` are the other candidates' paths.

    `clap_score` is the cosine of prompt and take, `duration_s` in seconds; None where there is no such fact.
    """

    key: str
    attempt: int
    job: str
    state: str
    operation: str
    prompt: str
    seed: int | None = None
    model: str | None = None
    clap_score: float | None = None
    path: str = ""
    duration_s: float | None = None
    others: tuple[str, ...] = ()
    error: str = ""
    error_text: str = ""

    @property
    def is_done(self) -> bool:
        """Whether it was rendered, and its files are where they were."""
        return self.state == "done" and all(Path(path).is_file() for path in (self.path, *self.others))

    def num_bytes(self) -> int:
        """Add up its files that are there, each with the story beside it."""
        num_bytes = 0
        for path in filter(None, (self.path, *self.others)):
            for file in (Path(path), Path(path).with_suffix(".json")):
                with contextlib.suppress(OSError):
                    num_bytes += file.stat().st_size
        return num_bytes


def entry_of(key: str, attempt: int, request: RenderRequest, end: Done | Fail) -> Entry:
    """Tell of a request what its end says, and the files that it left."""
    operation = request.address.rpartition("/")[2]
    facts: dict[str, Any] = {"seed": request.seed, "model": request.model}
    if isinstance(end, Fail):
        state = "cancelled" if end.code == JobCancelledError.code else "failed"
        facts |= {"error": end.code, "error_text": end.text}
    else:
        state = "done"
        path, *others = map(Path, end.paths)
        story = _story(path)
        facts |= {name: story.get(name, facts[name]) for name in ("seed", "model")}
        facts |= {"clap_score": story.get("score"), "path": str(path), "duration_s": duration_s(path)}
        facts["others"] = tuple(map(str, others))
    return Entry(key, attempt, request.job, state, operation, request.prompt, **facts)


def _story(take: Path) -> dict[str, Any]:
    try:
        story = json.loads(take.with_suffix(".json").read_bytes())
    except (OSError, ValueError):
        return {}
    return story if isinstance(story, dict) else {}


def duration_s(wav: Path) -> float | None:
    """Give the length of a WAV by its header; None of what has none that is plain."""
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


class Manifest:
    """The entries of a folder, the latest of each request; closed at the end of its `with`."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / MANIFEST_FILE
        self._table = folder / TABLE_FILE
        self.entries = {entry.key: entry for entry in _read(self._file)}
        self._stream: BinaryIO = self._file.open("ab")
        if self._stream.tell():
            self._stream.write(b"\n")  # the last line may have been cut off; empty ones are nothing
            self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def add(self, entry: Entry) -> None:
        """Keep an entry, on disk before anything else happens. Raises OSError."""
        self.entries[entry.key] = entry
        self._stream.write(_line(entry))
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def put_in_order(self, order: Iterable[str]) -> None:
        """Write both files in the order of these keys, then what earlier lists asked for. Raises OSError."""
        self._stream.close()
        keys = dict.fromkeys([*(key for key in order if key in self.entries), *self.entries])
        entries = [self.entries[key] for key in keys]
        _replace(self._file, b"".join(map(_line, entries)))
        names = [entry.name for entry in fields(Entry)]
        fresh = self._table.with_name(f".{self._table.name}.new")
        with fresh.open("w", encoding="utf-8", newline="") as stream:
            table = csv.DictWriter(stream, names)
            table.writeheader()
            table.writerows(asdict(entry) | {"others": " | ".join(entry.others)} for entry in entries)
        os.replace(fresh, self._table)


def _line(entry: Entry) -> bytes:
    return json.dumps(asdict(entry), ensure_ascii=False).encode() + b"\n"


def _replace(file: Path, content: bytes) -> None:
    fresh = file.with_name(f".{file.name}.new")
    with fresh.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(fresh, file)


def _read(file: Path) -> Iterable[Entry]:
    """Give what can be read; a line that was cut off, or is not ours, is none."""
    if not file.exists():
        return
    for line in file.read_bytes().split(b"\n"):
        try:
            values = json.loads(line)
            yield Entry(**values | {"others": tuple(values["others"])})
        except (ValueError, TypeError, KeyError):
            continue
