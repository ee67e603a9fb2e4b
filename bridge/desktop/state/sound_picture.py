"""A sound as a picture: peaks and spectrum of a file, read block by block, so that long files cost time but no memory.

Shape letters: K columns of the picture, C audio channels, T samples, F rows of the spectrum.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import SoundReader, open_sound

COLUMNS = 480
ROWS = 96
LOWEST_HZ, HIGHEST_HZ = 40.0, 20_000.0
"""The logarithmic scale is the same in all pictures, so that they can be compared."""
QUIETEST_DB, LOUDEST_DB = -96.0, -18.0
_WINDOW = 2048
_WINDOWS_A_COLUMN = 4
"""Windows analysed in each column; the loudest one counts."""


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
        """Length, rate, channels and encoding, as people read them."""
        voices = {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels} channels")
        form = {"FLOAT": "32-bit float", "DOUBLE": "64-bit float"}.get(self.encoding)
        bits = form or (f"{self.encoding[4:]}-bit" if self.encoding.startswith("PCM_") else self.encoding.title())
        return f"{self.seconds:.2f} s · {self.sample_rate / 1000:g} kHz · {voices} · {bits}"


def read_picture(path: str | Path) -> Picture:
    """Return the picture of a file. Raises a kind of the engine's AudioFileError when it cannot be read."""
    with open_sound(path) as file:
        rows = _row_bins(file.sample_rate)
        window = np.hanning(_WINDOW).astype(np.float32)
        peaks = np.zeros((COLUMNS, 2), np.float32)
        spectrum = np.zeros((ROWS, COLUMNS), np.uint8)
        for column, (block, around) in enumerate(_columns(file)):
            if block.size:
                peaks[column] = block.min(), block.max()
            spectrum[:, column] = _spectrum(around.mean(axis=1), window, rows)
        return Picture(
            str(path),
            file.num_frames / file.sample_rate,
            file.sample_rate,
            file.num_channels,
            file.encoding,
            peaks,
            spectrum,
        )


def _columns(file: SoundReader) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Yield the frames [t, C] of each column, and at least a window of frames around it."""
    is_short = file.num_frames <= COLUMNS * _WINDOW
    whole = file.read(0, file.num_frames, "float32") if is_short else None
    edges = np.linspace(0, file.num_frames, COLUMNS + 1).astype(int).tolist()
    for start, end in itertools.pairwise(edges):
        behind = max(end, start + 1)
        width = max(behind - start, _WINDOW)
        first = max(0, (start + behind - width) // 2)
        around = file.read(first, width, "float32") if whole is None else whole[first : first + width]
        yield around[start - first : behind - first], around


def _row_bins(sample_rate: int) -> NDArray[np.intp]:
    """The first bin of each row [F], lowest row first; rows beyond the file's band begin past its last bin."""
    edges_hz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, ROWS + 1)[:-1]
    return np.asarray(np.round(edges_hz / sample_rate * _WINDOW), np.intp)


def _spectrum(mono: NDArray[np.float32], window: NDArray[np.float32], bins: NDArray[np.intp]) -> NDArray[np.uint8]:
    """The loudest of some windows of [t] -> levels [F], 0 quiet to 255 loud, highest row first."""
    padded = np.pad(mono, (0, max(0, _WINDOW - len(mono))))
    starts = np.unique(np.linspace(0, len(padded) - _WINDOW, _WINDOWS_A_COLUMN).astype(int))
    frames = np.stack([padded[start : start + _WINDOW] for start in starts]) * window
    magnitude = np.abs(np.fft.rfft(frames, axis=1)).max(axis=0) * (2 / window.sum())
    is_inside = bins < len(magnitude)
    levels = np.zeros(len(bins))
    levels[is_inside] = np.maximum.reduceat(magnitude, bins[is_inside])
    decibels = 20 * np.log10(np.maximum(levels, 1e-9))
    scaled = (decibels - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB)
    return np.asarray(np.clip(scaled, 0, 1)[::-1] * 255, np.uint8)
