"""Where a sound's own band ends: the cliff in its long-term spectrum above which only noise remains.

A low-pass, a low sample rate or a lossy encoder cuts a spectrum off within a few per cent of a frequency; sounds that
are dark by nature fade over octaves, into a room's noise that reaches all the way up.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from engine.wav_writer import Samples

WINDOW_S = 0.046  # seconds: lines 21 Hz apart
SMOOTHING_HZ = 200.0  # over which levels in dB are averaged: a lone overtone weighs little, a band of them much
LOWEST_EDGE_HZ, SEARCH_STEP_HZ = 500.0, 50.0
BELOW, ABOVE = (0.85, 0.97), 1.06  # of the edge's frequency: what is compared, on either side of the steepest part
TOP = 0.985  # of half the sample rate: beyond, converters' filters have fallen off
CLIFF_DB = 20.0  # from the band below down to the loudest thing anywhere above
ABSENT_DB = 70.0  # below the loudest band: nothing is there, whatever its shape
FLAT_DB = 20.0  # anything louder is noise, if its level varies by no more than this over frequency
EDGE_DB = 6.0  # by which the level has fallen at the edge
SILENCE_DB = -140.0  # the lowest level that is distinguished

Spectrum = NDArray[np.float64]


def bandwidth_hz(samples: Samples, sample_rate: int) -> float:
    """Samples [C, T] -> where their band ends, Hz; half of the sample rate where no cliff is found."""
    hz, level = _smooth_spectrum(samples, sample_rate)
    line_hz, last = hz[1], int(TOP * hz[-1] / hz[1]) + 1
    loudest_above = np.maximum.accumulate(level[:last][::-1])[::-1]
    steepest, edge = CLIFF_DB, sample_rate / 2
    for candidate_hz in np.arange(LOWEST_EDGE_HZ, hz[-1], SEARCH_STEP_HZ):
        first_above = int((ABOVE * candidate_hz + SMOOTHING_HZ / 2) / line_hz)
        if first_above >= last - 1:
            break
        below = level[int(BELOW[0] * candidate_hz / line_hz) : int(BELOW[1] * candidate_hz / line_hz) + 1].mean()
        above = loudest_above[first_above]
        is_absent = above <= level.max() - ABSENT_DB
        is_flat = above - np.percentile(level[first_above:last], 10) <= FLAT_DB
        if below - above >= steepest and (is_absent or is_flat):
            steepest = below - above
            edge = float(hz[:first_above][level[:first_above] >= below - EDGE_DB].max())
    return edge


def _smooth_spectrum(samples: Samples, sample_rate: int) -> tuple[Spectrum, Spectrum]:
    """Frequencies [F] in Hz, and the mean power of all frames and channels there, smoothed, [F] in dB."""
    size = min(round(WINDOW_S * sample_rate), samples.shape[1])
    window = np.hanning(size + 2)[1:-1]
    power, count = np.zeros(size // 2 + 1), 0
    for channel in samples:
        for start in range(0, samples.shape[1] - size + 1, max(1, size // 2)):
            power += np.square(np.abs(np.fft.rfft(channel[start : start + size] * window)))
            count += 1
    level = 10 * np.log10(power / count / np.sum(window) ** 2 + 10 ** (SILENCE_DB / 10))
    hz = np.fft.rfftfreq(size, 1 / sample_rate)
    return hz, uniform_filter1d(level, max(1, round(SMOOTHING_HZ / hz[1])))
