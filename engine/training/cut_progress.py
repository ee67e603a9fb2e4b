"""Progress of cutting a library into windows: the windows so far, and a line for each complete file.

wav.part and mel.part hold the windows one after the other, cut.part their descriptions: its first line names the list,
then comes a line a file. After an interruption, cutting resumes at the next file.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.training.manifest import Skipped

_WAVES, _MELS, _LINES = "wav.part", "mel.part", "cut.part"
PARTS = {"wav": _WAVES, "mel": _MELS}


class CutProgress:
    """An interrupted cutting of the same list taken up again, or a new one; to be closed."""

    def __init__(self, folder: Path, origin: dict[str, Any], bytes_a_window: tuple[int, int]) -> None:
        """`bytes_a_window`: of the waveform and of the log-mel."""
        self.folder, self.num_files = folder, 0
        self.about: list[dict[str, Any]] = []  # of every window
        self.skipped: list[Skipped] = []  # files that could not be used
        folder.mkdir(parents=True, exist_ok=True)
        kept = [json.dumps(origin), *self._read(origin, bytes_a_window)]
        for name, size in zip((_WAVES, _MELS), bytes_a_window, strict=True):
            (folder / name).touch()
            os.truncate(folder / name, len(self.about) * size)  # a file's windows without its line are cut again
        (folder / _LINES).write_text("".join(line + "\n" for line in kept), encoding="utf-8")
        self._waves, self._mels = (folder / _WAVES).open("ab"), (folder / _MELS).open("ab")
        self._lines = (folder / _LINES).open("a", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._waves, self._mels, self._lines):
            file.close()

    def add_window(self, waveform: NDArray[np.int16], log_mel: NDArray[np.float16]) -> None:
        """One window of the file that is being cut: [T] and [N, M]."""
        self._waves.write(waveform.astype("<i2").tobytes())
        self._mels.write(log_mel.astype("<f2").tobytes())

    def finish_file(self, about: list[dict[str, Any]], skipped: list[Skipped]) -> None:
        """Count the file, now that its windows are on disk."""
        self._waves.flush()
        self._mels.flush()
        self._count(about, skipped)
        line = {"about": about, "skipped": [asdict(one) for one in skipped]}
        self._lines.write(json.dumps(line) + "\n")
        self._lines.flush()

    def _count(self, about: list[dict[str, Any]], skipped: list[Skipped]) -> None:
        self.num_files += 1
        self.about += about
        self.skipped += skipped

    def _read(self, origin: dict[str, Any], bytes_a_window: tuple[int, int]) -> list[str]:
        """Count the files of an earlier call whose lines and windows are complete; returns their lines."""
        path = self.folder / _LINES
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1] if path.exists() else []
        if not lines or lines[0] != json.dumps(origin):
            return []
        sizes = [_size(self.folder / name) // size for name, size in zip((_WAVES, _MELS), bytes_a_window, strict=True)]
        kept = []
        for line in lines[1:]:
            parsed = _parsed(line)
            if parsed is None or len(self.about) + len(parsed["about"]) > min(sizes):
                break
            self._count(parsed["about"], [Skipped(**one) for one in parsed["skipped"]])
            kept.append(line)
        return kept


def forget(folder: Path) -> None:
    """Remove what is unfinished."""
    for name in (_WAVES, _MELS, _LINES):
        (folder / name).unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _parsed(line: str) -> dict[str, Any] | None:
    """None for what a crash left of a line."""
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) and parsed.keys() == {"about", "skipped"} else None
