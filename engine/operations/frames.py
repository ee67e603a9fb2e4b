"""Sounds in short overlapping frames, each half shared with the next, and frames added up to a sound again.

Shape letters: C channels, T samples, F frames, Q frequencies.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.wav_writer import Samples

FRAMES_AT_ONCE = 2**11

Spectra = NDArray[np.complex128]  # [C, F, Q]


def frame_size(sample_rate: int, seconds: float) -> int:
    """The power of two of samples that lasts about so long."""
    return max(32, int(2 ** round(np.log2(sample_rate * seconds))))


def half_sine(size: int) -> NDArray[np.float64]:
    """The window [size] whose squares, half overlapped, add up to one: for frames that become a sound again."""
    window: NDArray[np.float64] = np.sin((np.arange(size) + 0.5) * np.pi / size)
    return window


def num_frames(num_samples: int, size: int) -> int:
    """Return how many frames cover that many samples; the first and the last extend half a frame beyond the ends."""
    return -(-num_samples // (size // 2)) + 1


def hann(size: int) -> NDArray[np.float64]:
    """Return the window [size] for analysis only: it hardly leaks between frequencies."""
    return half_sine(size) ** 2


def frames_of(samples: Samples, size: int, window: NDArray[np.float64]) -> Iterator[tuple[int, Spectra]]:
    """Samples [C, T], padded with zeros -> pairs of a first frame's number and spectra [C, F, Q], block by block."""
    hop = size // 2
    for first in range(0, num_frames(samples.shape[1], size), FRAMES_AT_ONCE):
        last = min(first + FRAMES_AT_ONCE, num_frames(samples.shape[1], size))
        begin, end = (first - 1) * hop, (last - 1) * hop + size - hop
        around = np.zeros((samples.shape[0], (last - first + 1) * hop))
        inside = samples[:, max(0, begin) : end]
        around[:, max(0, -begin) : max(0, -begin) + inside.shape[1]] = inside
        places = np.arange(last - first)[:, None] * hop + np.arange(size)
        yield first, np.fft.rfft(around[:, places] * window)


def overlapped(spectra: Iterator[tuple[int, Spectra]], size: int, into: Samples) -> None:
    """Overlap-add frames under `half_sine` into samples [C, T], in place; unchanged frames reproduce their source."""
    hop, window = size // 2, half_sine(size)
    for first, spectrum in spectra:
        frames = np.fft.irfft(spectrum, size) * window
        count = frames.shape[1]
        mixed = np.zeros((len(frames), count + 1, hop))
        mixed[:, :-1] += frames[:, :, :hop]
        mixed[:, 1:] += frames[:, :, hop:]
        flat, begin = mixed.reshape(len(frames), -1), (first - 1) * hop
        target = into[:, max(0, begin) : begin + flat.shape[1]]
        target += flat[:, max(0, -begin) : max(0, -begin) + target.shape[1]].astype(into.dtype)
