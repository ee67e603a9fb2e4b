"""A look-ahead limiter of true peaks: what would exceed a ceiling is attenuated around its peak, and only there.

Peaks are read between the samples too, at four times the rate, with the interpolator of ITU-R BS.1770-4, annex 2. The
gain is known ahead of every peak: it falls smoothly within the look-ahead to what the peak needs, and recovers slowly.
Anything below the ceiling passes bit for bit; all channels share one gain, so nothing moves in the panorama.

Shape letters: C channels, T samples, K blocks of `block_size` samples, for each of which there is one gain.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d, maximum_filter1d

from engine.wav_writer import Samples

# BS.1770-4, annex 2, table of the four phases; the other two are these reversed.
PHASE_0 = (
    *(0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875, 0.1373291015625),
    *(0.9721679687500, -0.1022949218750, 0.0476074218750, -0.0266113281250, 0.0148925781250, -0.0083007812500),
)
PHASE_1 = (
    *(-0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500, 0.4650878906250),
    *(0.7797851562500, -0.2003173828125, 0.1015625000000, -0.0582275390625, 0.0330810546875, -0.0189208984375),
)
PHASES = np.array([PHASE_0, PHASE_1, PHASE_1[::-1], PHASE_0[::-1]])
TAPS = PHASES.shape[1]
OVERSHOOT = float(np.abs(PHASES).sum(axis=1).max())  # by which a peak between samples can exceed all of them at most

BLOCKS_A_SECOND = 3_000
LOOK_AHEAD_S = 0.005  # seconds
RELEASE_S = 0.06  # seconds, in which the reduction in dB falls to 1/e
LEAST_DB = 0.01  # a smaller reduction is none
ROUNDS = 8  # the gain moves between samples too: what then still sticks out, by hundredths of a dB, is limited again
AT_ONCE = 2**12  # blocks

Envelope = NDArray[np.float64]  # [K]


@dataclass(frozen=True, eq=False)
class Gain:
    """A gain for every sample, from one at each block's middle; straight between them."""

    nodes: Envelope  # [K]
    block_size: int  # samples

    def between(self, start: int, end: int) -> NDArray[np.float64]:
        """For samples `start` to `end`, [end - start]."""
        places = (np.arange(start, end) + 0.5) / self.block_size - 0.5
        return np.interp(places, np.arange(len(self.nodes)), self.nodes)

    def apply(self, samples: Samples) -> None:
        """Turn samples [C, T] down, in place."""
        step = AT_ONCE * self.block_size
        for start in range(0, samples.shape[1], step):
            block = samples[:, start : start + step]
            nodes = self.nodes[max(0, start // self.block_size - 1) : start // self.block_size + AT_ONCE + 1]
            if (nodes != 1).any():
                block *= self.between(start, start + block.shape[1]).astype(samples.dtype)


def block_size(sample_rate: int) -> int:
    """Samples for which there is one gain."""
    return max(1, sample_rate // BLOCKS_A_SECOND)


def true_peak(samples: Samples, sample_rate: int) -> float:
    """The largest absolute value of samples [C, T] and between them; 0 for nothing."""
    return float(true_peaks(samples, sample_rate).max(initial=0.0))


def true_peaks(samples: Samples, sample_rate: int, beyond: float = 0.0) -> Envelope:
    """The largest absolute value in and between the samples [C, T] of each block, over all channels, [K].

    For blocks whose peaks cannot reach `beyond` it may be the samples' own peak.
    """
    size = block_size(sample_rate)
    count = -(-samples.shape[1] // size)
    peaks = np.zeros(count)
    for first in range(0, count, AT_ONCE):
        last = min(count, first + AT_ONCE)
        for channel in samples:
            own = channel[first * size : last * size]
            kept = peaks[first:last]
            np.maximum(kept, _largest(np.abs(own), size, last - first), out=kept)
            if kept.max() * OVERSHOOT <= beyond:
                continue
            begin, end = max(0, first * size - TAPS), last * size + TAPS
            lead = first * size - begin
            around = np.pad(channel[begin:end].astype(np.float64), TAPS)
            for phase in PHASES:  # 'same' is centred within half a sample, which is less than a block
                between = np.abs(np.convolve(around, phase, "same"))[TAPS + lead : TAPS + lead + len(own)]
                np.maximum(kept, _largest(between, size, last - first), out=kept)
    return peaks


def _largest(values: NDArray[Any], size: int, count: int) -> Envelope:
    """Values [T'] -> the largest of every `size`, [count]."""
    padded = np.zeros(count * size)
    padded[: len(values)] = values
    largest: Envelope = padded.reshape(count, size).max(axis=1)
    return largest


def limiting_gain(peaks: Envelope, ceiling: float, sample_rate: int) -> Gain:
    """The gain under which blocks with these true peaks [K] stay below the ceiling."""
    size = block_size(sample_rate)
    over_db = 20 * np.log10(np.maximum(peaks / ceiling, 1.0))
    blocks_a_second = sample_rate / size
    reach = max(1, round(LOOK_AHEAD_S * blocks_a_second / 2))
    # Exponential release: the largest of all that came before, each faded since; exact in logarithms.
    with np.errstate(divide="ignore"):
        fade = np.arange(len(over_db)) / (RELEASE_S * blocks_a_second)
        released = np.exp(np.maximum.accumulate(np.log(over_db) + fade) - fade)
    released[released < LEAST_DB] = 0.0
    over_db = np.maximum(over_db, released)
    held = maximum_filter1d(over_db, 2 * reach + 3, mode="nearest")  # a block more on either side: gains are in between
    window = np.hanning(2 * reach + 3)[1:-1]
    smooth = convolve1d(held, window / window.sum(), mode="nearest")
    smooth[maximum_filter1d(held, 2 * reach + 1, mode="nearest") == 0] = 0.0
    return Gain(10 ** (-smooth / 20), size)


def limit(samples: Samples, ceiling: float, sample_rate: int) -> Samples:
    """Samples [C, T] in which no true peak exceeds the ceiling: the very same where none did, or else a copy."""
    if true_peaks(samples, sample_rate, beyond=ceiling).max(initial=0.0) <= ceiling:
        return samples
    result = samples.copy()
    limit_in_place(result, ceiling, sample_rate)
    return result


def limit_in_place(samples: Samples, ceiling: float, sample_rate: int) -> None:
    """The same in place, for samples [C, T] that no one else uses and that may last ten minutes."""
    for _ in range(ROUNDS):
        peaks = true_peaks(samples, sample_rate, beyond=ceiling)
        if peaks.max(initial=0.0) <= ceiling:
            return
        limiting_gain(peaks, ceiling * (1 - 1e-6), sample_rate).apply(samples)
    peak = true_peak(samples, sample_rate)
    if peak > ceiling:
        samples *= samples.dtype.type(ceiling / peak * (1 - 1e-6))
