"""Uploading a model to a node: a manifest of hashes first, then the files that the node lacks."""

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
    """Calls a method of an actor by its name. Raises FarmLostError when the actor is lost."""

    def __call__(self, method: str, *args: Any, **keys: Any) -> Any: ...


class ModelUploader:
    """Uploads models to nodes, each once; keeps the manifest of each folder, by the time of its newest file."""

    def __init__(self) -> None:
        self._manifests: dict[tuple[Path, int], ModelManifest] = {}
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def upload(self, folder: Path, node: str, call: Call) -> ModelManifest:
        """Upload what a node lacks of a model's folder, and return its manifest. Raises FarmLostError, OSError."""
        with self._turns[node]:  # the second actor of a node waits for the first, and finds the model there
            manifest = self._manifest(folder)
            for name in call("missing", manifest):
                for part, is_first, is_last in _parts(folder / name):
                    call("receive", manifest, name, part, is_first=is_first, is_last=is_last)
            if damaged := call("missing", manifest):
                raise FarmLostError(f"{', '.join(damaged)} of the model {manifest.name} did not reach {node} whole")
        return manifest

    def _manifest(self, folder: Path) -> ModelManifest:
        files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
        stamp = (folder, max((file.stat().st_mtime_ns for file in files), default=0))
        if stamp not in self._manifests:
            digests = tuple((file.name, _digest(file)) for file in files)
            key = hashlib.sha256(repr(digests).encode()).hexdigest()[:32]
            self._manifests[stamp] = ModelManifest(folder.name, key, digests)
        return self._manifests[stamp]


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _parts(file: Path) -> Iterator[tuple[bytes, bool, bool]]:
    """Yield a file's bytes in parts, each with whether it is the first and the last; an empty file is one part."""
    size, at = file.stat().st_size, 0
    with file.open("rb") as stream:
        while at < size or at == 0:
            part = stream.read(_PART_BYTES)
            yield part, at == 0, at + len(part) >= size
            at += len(part) or 1
