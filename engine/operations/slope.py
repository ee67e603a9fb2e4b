"""A band above a clip's own limited by the clip's spectral slope, frame by frame.

The two halves of the octave below the cutoff are extrapolated as a line in dB: in each frame the line of their means,
which the new band's means may not exceed, and over a tenth of a second that of their strongest frequencies, which none
of the new band's may. So a pause gets no sound, a dull sound no hiss, and what has no tones gets none.

Shape letters: C channels, T samples, F frames, Q frequencies.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from engine.operations.frames import Spectra, frame_size, frames_of, half_sine, hann, overlapped
from engine.wav_writer import Samples

FRAME_S = 0.0213  # seconds
TOP = 0.95  # of the crossover: above, the clip's own low-pass is felt
MARGIN = 10 ** (3 / 10)  # of power: how far the new band's means may exceed their line
STEEPEST_DB = 60.0  # an octave, down; a line never rises
MEAN_HZ = 400.0  # over which the new band's mean powers are taken
TONE_FRAMES = 9  # over which a tone is distinguished from noise
TINY = 1e-20

Powers = NDArray[np.float64]


def held_to_slope(made: Samples, source: Samples, sample_rate: int, crossover_hz: float) -> Samples:
    """Made [C, T], a clip's new band, turned down wherever it exceeds what source [C, T] leads to."""
    size = frame_size(sample_rate, FRAME_S)
    line_hz = sample_rate / size
    low, middle, high = (int(TOP * crossover_hz * share / line_hz) for share in (0.5, 0.5**0.5, 1.0))
    reach = max(1, round(MEAN_HZ / line_hz))

    louder = np.square(half_sine(size)).sum() / np.square(hann(size)).sum()  # to a noise; to a tone it is less

    def held() -> Iterator[tuple[int, Spectra]]:
        pairs = zip(frames_of(made, size, half_sine(size)), frames_of(source, size, hann(size)), strict=True)
        for (first, new), (_, old) in pairs:
            yield (
                first,
                new * _gains(np.square(np.abs(new)), louder * np.square(np.abs(old)), (low, middle, high), reach),
            )

    result = np.zeros_like(made)
    overlapped(held(), size, result)
    return result


def _gains(new: Powers, old: Powers, bounds: tuple[int, int, int], reach: int) -> Powers:
    """Powers of the new band and of the clip, [C, F, Q] -> what turns each frequency of the new band down."""
    low, middle, high = bounds
    octaves = np.log2(np.maximum(np.arange(new.shape[2]), high) / (middle * high) ** 0.5)
    means = _line(old[..., low:middle].mean(axis=2), old[..., middle:high].mean(axis=2), octaves)
    gains = np.minimum(1.0, MARGIN * means / np.maximum(uniform_filter1d(new, reach, axis=2), TINY))
    steady_new, steady_old = (uniform_filter1d(one, TONE_FRAMES, axis=1) for one in (new * gains, old))
    tones = _line(steady_old[..., low:middle].max(axis=2), steady_old[..., middle:high].max(axis=2), octaves)
    gains *= minimum_filter1d(np.minimum(1.0, tones / np.maximum(steady_new, TINY)), 3, axis=2)
    amplitudes: Powers = np.sqrt(gains)
    return amplitudes


def _line(lower: Powers, upper: Powers, octaves: Powers) -> Powers:
    """Powers of two half octaves, [C, F] -> their line at octaves above the upper one's middle, [C, F, Q]."""
    per_octave = np.clip(20 * np.log10((upper + TINY) / (lower + TINY)), -STEEPEST_DB, 0.0)
    line: Powers = upper[..., None] * 10 ** (per_octave[..., None] * octaves / 10)
    return line
