"""Splitting a sound by frequency with linear-phase filters: no delay, and the two parts add up to the whole."""

import numpy as np
from scipy.signal import firwin, oaconvolve

from engine.wav_writer import Samples

NARROWEST_HZ, WIDEST_HZ = 40.0, 1000.0  # of the transition from pass to stop
RELATIVE_WIDTH = 0.1  # of the edge's own frequency
BLACKMAN_WIDTH = 5.5  # taps · width / rate of a Blackman-windowed sinc, 74 dB deep (Oppenheim and Schafer, chapter 7)


def keep_band(samples: Samples, sample_rate: int, low_hz: float | None, high_hz: float | None) -> Samples:
    """What samples [C, T] hold between `low_hz` and `high_hz`; None leaves that side open."""
    kept = samples if high_hz is None else _low_pass(samples, sample_rate, high_hz)
    return kept if low_hz is None else kept - _low_pass(kept, sample_rate, low_hz)


def _low_pass(samples: Samples, sample_rate: int, cutoff_hz: float) -> Samples:
    """Half of the amplitude passes at the cutoff; at or beyond half of the sample rate everything does."""
    if cutoff_hz >= sample_rate / 2:
        return samples
    width = min(max(RELATIVE_WIDTH * cutoff_hz, NARROWEST_HZ), WIDEST_HZ)
    half = round(BLACKMAN_WIDTH * sample_rate / width / 2)
    taps = firwin(2 * half + 1, cutoff_hz, window="blackman", fs=sample_rate)
    padded = np.pad(samples, ((0, 0), (half, half)), mode="reflect" if half < samples.shape[1] else "edge")
    filtered: Samples = oaconvolve(padded, taps[None], mode="valid", axes=1).astype(samples.dtype)
    return filtered
