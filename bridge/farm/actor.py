"""What lives on a node of the farm: an engine that stays warm, and the models that have come to this node.

Ray calls each method on a thread of its own, `render` one at a time; so news are told and cancels heard meanwhile.
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
"""How long a question for news waits for some."""


@dataclass(frozen=True)
class ModelManifest:
    """A model's folder as names and SHA-256 of its files; `key` tells it from every other."""

    name: str
    key: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TaskProgress:
    """How far a task is; `index` is its place among those that are rendered together."""

    index: int
    stage: str
    fraction: float


def cache_folder() -> Path:
    """Give the folder for models that came over the network; RETAKE_FARM_CACHE moves it."""
    return Path(os.environ.get("RETAKE_FARM_CACHE") or platformdirs.user_cache_path("retake", appauthor=False) / "farm")


class FarmActor:
    """One place of the farm."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._studio: Any = None
        self._loaded: tuple[str, str] | None = None
        self._changed = threading.Condition()
        self._order = 0
        self._news: list[TaskProgress] = []
        self._cancelled: set[tuple[int, int]] = set()

    def hello(self) -> tuple[str, str]:
        """Give this node's name and its version of Retake."""
        return platform.node(), __version__

    def missing(self, parcel: ModelManifest) -> list[str]:
        """Name the files of a model that are not here, or not what they should be."""
        folder = self._folder(parcel)
        return [name for name, digest in parcel.files if _digest(folder / name) != digest]

    def receive(self, parcel: ModelManifest, name: str, part: bytes, *, is_first: bool, is_last: bool) -> None:
        """Take a part of a file; after the last one the file has its name."""
        if name not in dict(parcel.files):
            raise ValueError(f"{name!r} is no file of the model {parcel.name}")
        folder = self._folder(parcel)
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{name}.{os.getpid()}"
        with partial.open("wb" if is_first else "ab") as stream:
            stream.write(part)
        if is_last:
            os.replace(partial, folder / name)

    def load(self, name: str, parcel: ModelManifest | None) -> tuple[str, int] | BaseException:
        """Load a model, unless it is loaded; give the device and the model's rate in Hz, or the engine's error.

        `parcel` is what came to this node before; None for a model that is part of Retake.
        """
        wanted = (name, "" if parcel is None else parcel.key)
        models = None if parcel is None else self._folder(parcel).parent
        if models is not None:
            os.environ["RETAKE_MODELS"] = str(models)  # a story then names the model, not this cache
        render = importlib.import_module("bridge.rendering.renderer")  # late, because it imports torch
        try:
            if self._studio is None or self._loaded != wanted:
                self._studio = None
                self._studio, self._loaded = render.open_studio(name, self._device, models), wanted
        except render.EngineError as error:
            return error  # type: ignore[no-any-return]
        return self._studio.device_name, self._studio.sample_rate

    def render(self, order: int, tasks: Sequence[Any]) -> Any:
        """Render tasks, see `render.answer_tasks`; `order` is the number by which others ask about it."""
        with self._changed:
            self._order, self._news = order, []
        render = importlib.import_module("bridge.rendering.renderer")
        return render.answer_tasks(self._studio, tasks, self._report, lambda index: (order, index) in self._cancelled)

    def news(self, order: int, seen: int) -> list[TaskProgress]:
        """Give the news of an order after the first `seen`; wait a moment when there are none."""
        with self._changed:
            self._changed.wait_for(lambda: self._order == order and len(self._news) > seen, _POLL_S)
            return self._news[seen:] if self._order == order else []

    def cancel(self, order: int, index: int) -> None:
        """Let the task at that place of an order stop at its next step."""
        self._cancelled.add((order, index))

    def _report(self, index: int, stage: str, fraction: float) -> None:
        with self._changed:
            self._news.append(TaskProgress(index, stage, fraction))
            self._changed.notify_all()

    @staticmethod
    def _folder(parcel: ModelManifest) -> Path:
        return cache_folder() / parcel.key / parcel.name


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
