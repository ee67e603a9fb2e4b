"""Results on disk, a file each: a cell is one variant of an experiment with one seed, and is computed once.

Several processes may share a folder, each with its own part: the second one waits for a cell, then reads it.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from engine.errors import CancelledError
from engine.evaluation.evaluation_errors import PaperFolderError

_CELLS, _RUN_FILE, _LOCK = "cells", "run.json", ".lock"
_ASK_EVERY_S = 1.0  # while another process holds a lock
ShouldStop = Callable[[], bool]


@dataclass(frozen=True, order=True)
class Cell:
    """What is measured: `experiment` is what was done, `variant` how."""

    experiment: str
    variant: str
    seed: int


@dataclass(frozen=True)
class CellResult:
    """What came of it."""

    cell: Cell
    figures: Mapping[str, float]
    cpu_s: float  # seconds of one core
    curve: tuple[Mapping[str, float], ...] = field(default=())  # figures in the course of a training, with their step


class Results:
    """The cells of one folder, which belongs to one budget, one model and one corpus.

    Raises:
        PaperFolderError: the folder holds something else, or results of another budget, model or corpus.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], should_stop: ShouldStop = lambda: False) -> None:
        self.folder, self._should_stop = folder, should_stop
        path = folder / _RUN_FILE
        if folder.exists() and not folder.is_dir():
            raise PaperFolderError(folder, "it is a file")
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists() and {entry.name for entry in folder.iterdir()} - {_LOCK, path.name, f"{path.name}.part"}:
            raise PaperFolderError(folder, "it holds other files")
        with self.locked("."):
            if not path.exists():
                _write(path, identity)
            began = json.loads(path.read_text(encoding="utf-8"))
        for name, value in identity.items():
            if began.get(name) != value:
                raise PaperFolderError(folder, f"its results are of {name} {began.get(name)}, not {value}")

    def find(self, cell: Cell) -> CellResult | None:
        path = self._path(cell)
        return _read(path) if path.exists() else None

    def keep(self, outcome: CellResult) -> None:
        path = self._path(outcome.cell)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, asdict(outcome))

    def all(self) -> list[CellResult]:
        """Everything measured so far, in the order of the cells."""
        return sorted((_read(path) for path in (self.folder / _CELLS).glob("*/*.json")), key=lambda one: one.cell)

    def answered(self, cell: Cell, measure: Callable[[], CellResult]) -> CellResult:
        """The cell's outcome, measured now unless it has been before."""
        if (known := self.find(cell)) is not None:
            return known
        with self.locked(f"{_CELLS}/{cell.experiment}/{cell.variant}_{cell.seed}"):
            if (known := self.find(cell)) is None:
                known = measure()
                self.keep(known)
        return known

    @contextmanager
    def locked(self, what: str) -> Iterator[None]:
        """Alone with something in the folder. Raises CancelledError when `should_stop` says so while it waits."""
        path = self.folder / f"{what}{_LOCK}" if what != "." else self.folder / _LOCK
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        while True:
            if self._should_stop():
                raise CancelledError
            try:
                lock.acquire(timeout=_ASK_EVERY_S)
                break
            except Timeout:
                continue
        try:
            yield
        finally:
            lock.release()

    def _path(self, cell: Cell) -> Path:
        return self.folder / _CELLS / cell.experiment / f"{cell.variant}_{cell.seed}.json"


def _read(path: Path) -> CellResult:
    stored = json.loads(path.read_text(encoding="utf-8"))
    return CellResult(Cell(**stored["cell"]), stored["figures"], stored["cpu_s"], tuple(stored["curve"]))


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """As a whole."""
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)
