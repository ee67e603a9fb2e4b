"""Splitting a sound by frequency with linear-phase filters: no delay, and the two parts add up to the whole."""

import numpy as np
from numpy.typing import NDArray

from engine.mel import MelConfig
from engine.wav_writer import Samples

NARROWEST_HZ, WIDEST_HZ = 40.0, 1000.0  # of the transition from pass to stop
RELATIVE_WIDTH = 0.1  # of the edge's own frequency
DEPTH_DB = 120.0  # what remains of a tone beyond the transition: usually less than the smallest step of 24 bits
# Kaiser's formulas for the window's shape and for taps · width / rate (Oppenheim and Schafer, chapter 7).
KAISER_BETA, KAISER_WIDTH = 0.1102 * (DEPTH_DB - 8.7), (DEPTH_DB - 7.95) / 14.36
LEAST_BLOCK = 2**15  # samples filtered at a time
AIR_FROM = (
    15 / 16
)  # of the highest frequency that a model makes: the air begins below it, where resampling still passes


def air_hz(mel: MelConfig) -> float:
    """Where the sound begins that a model with this front end cannot make; `keep_air` takes the clip's own there."""
    return AIR_FROM * min(mel.fmax, mel.sample_rate / 2)


def keep_band(samples: Samples, sample_rate: int, low_hz: float | None, high_hz: float | None) -> Samples:
    """What samples [C, T] hold between `low_hz` and `high_hz`; None (or 0 for the lower) leaves that side open."""
    kept = samples if high_hz is None else _low_pass(samples, sample_rate, high_hz)
    return kept - _low_pass(kept, sample_rate, low_hz) if low_hz else kept


def transition_hz(cutoff_hz: float) -> float:
    """How wide the filters go from pass to stop, half on either side of the cutoff."""
    return min(max(RELATIVE_WIDTH * cutoff_hz, NARROWEST_HZ), WIDEST_HZ)


def _low_pass(samples: Samples, sample_rate: int, cutoff_hz: float) -> Samples:
    """Half of the amplitude passes at the cutoff; at or beyond half of the sample rate everything does."""
    if cutoff_hz >= sample_rate / 2:
        return samples
    half = round(KAISER_WIDTH * sample_rate / transition_hz(cutoff_hz) / 2)
    places = np.arange(-half, half + 1)
    taps = np.sinc(2 * cutoff_hz / sample_rate * places) * np.kaiser(2 * half + 1, KAISER_BETA)
    padded = np.pad(samples, ((0, 0), (half, half)), mode="reflect" if half < samples.shape[1] else "edge")
    return _convolved(padded, taps / taps.sum())


def _convolved(padded: Samples, taps: NDArray[np.float64]) -> Samples:
    """Padded [C, T + taps - 1] -> [C, T], block by block with the Fourier transform (overlap-save)."""
    lead = len(taps) - 1
    size = max(LEAST_BLOCK, 1 << (4 * lead).bit_length())
    response = np.fft.rfft(taps, size)
    filtered = np.empty((padded.shape[0], padded.shape[1] - lead), padded.dtype)
    for start in range(0, filtered.shape[1], size - lead):
        block = np.fft.irfft(np.fft.rfft(padded[:, start : start + size], size) * response, size)[:, lead:]
        filtered[:, start : start + size - lead] = block[:, : filtered.shape[1] - start]
    return filtered
