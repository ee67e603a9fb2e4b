"""How a model reaches a node: as a parcel of hashes first, then whatever of its files the node lacks."""

import hashlib
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from bridge.errors import FarmLostError
from bridge.farm.actor import ModelManifest

_PART_BYTES = 2**25


class Call(Protocol):
    """How an actor is asked: its method by name, with arguments; raises FarmLostError when it is no longer there."""

    def __call__(self, method: str, *args: Any, **keys: Any) -> Any: ...


class ModelUploader:
    """Brings models to nodes, each once; knows how each folder looked when it was first sent."""

    def __init__(self) -> None:
        self._parcels: dict[tuple[Path, int], ModelManifest] = {}
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def bring(self, folder: Path, node: str, call: Call) -> ModelManifest:
        """See that all of a model's folder is on a node, each file what it is here. Raises FarmLostError, OSError."""
        with self._turns[node]:  # the second actor of a node finds it there
            parcel = self._parcel(folder)
            for name in call("missing", parcel):
                for part, is_first, is_last in _parts(folder / name):
                    call("receive", parcel, name, part, is_first=is_first, is_last=is_last)
            if damaged := call("missing", parcel):
                raise FarmLostError(f"{', '.join(damaged)} of the model {parcel.name} did not reach {node} whole")
        return parcel

    def _parcel(self, folder: Path) -> ModelManifest:
        files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
        stamp = (folder, max((file.stat().st_mtime_ns for file in files), default=0))
        if stamp not in self._parcels:
            digests = tuple((file.name, _digest(file)) for file in files)
            key = hashlib.sha256(repr(digests).encode()).hexdigest()[:32]
            self._parcels[stamp] = ModelManifest(folder.name, key, digests)
        return self._parcels[stamp]


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _parts(file: Path) -> Iterator[tuple[bytes, bool, bool]]:
    """Give a file's bytes in parts, each with whether it is the first and the last; an empty file is one part."""
    size, at = file.stat().st_size, 0
    with file.open("rb") as stream:
        while at < size or at == 0:
            part = stream.read(_PART_BYTES)
            yield part, at == 0, at + len(part) >= size
            at += len(part) or 1
