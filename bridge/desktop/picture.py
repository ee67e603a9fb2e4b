"""A sound as a picture: peaks and spectrum of a file, read block by block, so that length costs time but no memory.

Shape letters: K columns of the picture, C audio channels, T samples, F rows of the spectrum.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

COLUMNS = 480
ROWS = 96
LOWEST_HZ, HIGHEST_HZ = 40.0, 20_000.0
"""The scale is logarithmic and always the same, so that two pictures can be compared."""
QUIETEST_DB, LOUDEST_DB = -96.0, -18.0
_WINDOW = 2048
_LOOKS = 4
"""Windows that are looked at in each column; the loudest counts."""


@dataclass(frozen=True)
class Picture:
    """What a file looks like: `peaks` [K, 2] lowest and highest sample, `spectrum` [F, K] 0..255, highest row first."""

    path: str
    seconds: float
    sample_rate: int
    channels: int
    encoding: str
    peaks: NDArray[np.float32]
    spectrum: NDArray[np.uint8]

    @property
    def sentence(self) -> str:
        """Say what kind of file it is."""
        voices = {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels} channels")
        form = {"FLOAT": "32-bit float", "DOUBLE": "64-bit float"}.get(self.encoding)
        bits = form or (f"{self.encoding[4:]}-bit" if self.encoding.startswith("PCM_") else self.encoding.title())
        return f"{self.seconds:.2f} s · {self.sample_rate / 1000:g} kHz · {voices} · {bits}"


def read_picture(path: str | Path) -> Picture:
    """Look at a file. Raises OSError or soundfile.SoundFileError (a RuntimeError) when it cannot be read."""
    with soundfile.SoundFile(path) as file:
        rows = _row_bins(file.samplerate)
        window = np.hanning(_WINDOW).astype(np.float32)
        peaks = np.zeros((COLUMNS, 2), np.float32)
        spectrum = np.zeros((ROWS, COLUMNS), np.uint8)
        edges = np.linspace(0, file.frames, COLUMNS + 1).astype(int)
        for column, (start, end) in enumerate(itertools.pairwise(edges)):
            block = _read(file, start, max(end - start, 1))
            if block.size:
                peaks[column] = block.min(), block.max()
            around = _read(file, max(0, (start + end - _WINDOW) // 2), max(end - start, _WINDOW))
            spectrum[:, column] = _spectrum(around.mean(axis=1), window, rows)
        return Picture(
            str(path), file.frames / file.samplerate, file.samplerate, file.channels, file.subtype, peaks, spectrum
        )


def _read(file: soundfile.SoundFile, start: int, count: int) -> NDArray[np.float32]:
    """Frames [t, C] from `start` on, fewer at the end of the file."""
    file.seek(min(int(start), file.frames))
    frames: NDArray[np.float32] = file.read(int(count), dtype="float32", always_2d=True)
    return frames


def _row_bins(sample_rate: int) -> NDArray[np.intp]:
    """The first bin of each row [F], lowest row first; rows beyond the file's band begin past its last bin."""
    edges_hz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, ROWS + 1)[:-1]
    return np.asarray(np.round(edges_hz / sample_rate * _WINDOW), np.intp)


def _spectrum(mono: NDArray[np.float32], window: NDArray[np.float32], bins: NDArray[np.intp]) -> NDArray[np.uint8]:
    """The loudest of some windows of [t] -> levels [F], 0 quiet to 255 loud, highest row first."""
    padded = np.pad(mono, (0, max(0, _WINDOW - len(mono))))
    starts = np.unique(np.linspace(0, len(padded) - _WINDOW, _LOOKS).astype(int))
    frames = np.stack([padded[start : start + _WINDOW] for start in starts]) * window
    magnitude = np.abs(np.fft.rfft(frames, axis=1)).max(axis=0) * (2 / window.sum())
    is_inside = bins < len(magnitude)
    levels = np.zeros(len(bins))
    levels[is_inside] = np.maximum.reduceat(magnitude, bins[is_inside])
    decibels = 20 * np.log10(np.maximum(levels, 1e-9))
    scaled = (decibels - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB)
    return np.asarray(np.clip(scaled, 0, 1)[::-1] * 255, np.uint8)
