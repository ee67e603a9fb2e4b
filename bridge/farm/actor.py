"""What lives on a node of the farm: an engine that stays warm, and the models that have come to this node.

Ray calls each method on a thread of its own, `render` one at a time; so `progress` and `cancel` work meanwhile.
"""

import hashlib
import importlib
import os
import platform
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from bridge import __version__

_POLL_S = 0.5
"""How long a call of `progress` waits for some."""


@dataclass(frozen=True)
class ModelManifest:
    """A model's folder as names and SHA-256 of its files; `key` tells it from every other."""

    name: str
    key: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TaskProgress:
    """How far a task is; `index` is its position among those that are rendered together."""

    index: int
    stage: str
    fraction: float


def cache_folder() -> Path:
    """Return the folder for models that came over the network; RETAKE_FARM_CACHE moves it."""
    return Path(os.environ.get("RETAKE_FARM_CACHE") or platformdirs.user_cache_path("retake", appauthor=False) / "farm")


class FarmActor:
    """One slot of the farm."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._backend: Any = None
        self._loaded: tuple[str, str] | None = None
        self._changed = threading.Condition()
        self._number = 0
        self._progress: list[TaskProgress] = []
        self._cancelled: set[tuple[int, int]] = set()

    def hello(self) -> tuple[str, str]:
        """Return this node's name and its version of Retake."""
        return platform.node(), __version__

    def missing(self, manifest: ModelManifest) -> list[str]:
        """Return the names of a model's files that are missing here, or differ."""
        folder = self._folder(manifest)
        return [name for name, digest in manifest.files if _digest(folder / name) != digest]

    def receive(self, manifest: ModelManifest, name: str, part: bytes, *, is_first: bool, is_last: bool) -> None:
        """Take a part of a file; after the last one the file has its name."""
        if name not in dict(manifest.files):
            raise ValueError(f"{name!r} is no file of the model {manifest.name}")
        folder = self._folder(manifest)
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{name}.{os.getpid()}"
        with partial.open("wb" if is_first else "ab") as stream:
            stream.write(part)
        if is_last:
            os.replace(partial, folder / name)

    def load(self, name: str, manifest: ModelManifest | None) -> tuple[str, int] | BaseException:
        """Load a model, unless it is loaded; return the device and the model's rate in Hz, or the engine's error.

        `manifest` is that of a model that was uploaded before; None for a model that is part of Retake.
        """
        wanted = (name, "" if manifest is None else manifest.key)
        models = None if manifest is None else self._folder(manifest).parent
        if models is not None:
            os.environ["RETAKE_MODELS"] = str(models)  # so that a story names the model, and not this cache
        render = importlib.import_module("bridge.rendering.renderer")  # late, because it imports torch
        try:
            if self._backend is None or self._loaded != wanted:
                self._backend = None
                self._backend, self._loaded = render.open_backend(name, self._device, models), wanted
        except render.EngineError as error:
            return error  # type: ignore[no-any-return]
        return self._backend.device_name, self._backend.sample_rate

    def render(self, number: int, tasks: Sequence[Any]) -> Any:
        """Render tasks, see `renderer.answer_tasks`; `number` is the one by which `progress` and `cancel` name them."""
        with self._changed:
            self._number, self._progress = number, []
        render = importlib.import_module("bridge.rendering.renderer")
        return render.answer_tasks(self._backend, tasks, self._report, lambda index: (number, index) in self._cancelled)

    def progress(self, number: int, seen: int) -> list[TaskProgress]:
        """Return the progress of a call of `render` after `seen` entries; wait a moment when there is none."""
        with self._changed:
            self._changed.wait_for(lambda: self._number == number and len(self._progress) > seen, _POLL_S)
            return self._progress[seen:] if self._number == number else []

    def cancel(self, number: int, index: int) -> None:
        """Stop a task of a call of `render` at its next step; one that has not begun yet stops then."""
        self._cancelled.add((number, index))

    def _report(self, index: int, stage: str, fraction: float) -> None:
        with self._changed:
            self._progress.append(TaskProgress(index, stage, fraction))
            self._changed.notify_all()

    @staticmethod
    def _folder(manifest: ModelManifest) -> Path:
        return cache_folder() / manifest.key / manifest.name


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
