"""How loud a sound is to a listener, by ITU-R BS.1770-4, and bringing one sound to the loudness of another.

K-weighted power in blocks of 0.4 s, three quarters of each shared with the next; blocks below -70 LUFS, and those more
than 10 LU below the rest, do not count. What is shorter than a block is one block. A constant offset is no sound.

Shape letters: C channels, T samples, P hops of 0.1 s, a quarter of a block.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from engine.operations.limiter import Gain, limit_in_place, limiting_gain, true_peaks
from engine.wav_writer import Samples

HOP_S, HOPS_A_BLOCK = 0.1, 4  # seconds between the starts of two blocks; hops in a block
GATE_LUFS, RELATIVE_GATE_LU, OFFSET_LU = -70.0, 10.0, -0.691
SILENCE_LUFS = -100.0  # quieter than this has no loudness to match
HOPS_AT_ONCE = 32
STEEPNESS = 8  # order of the low-pass below which a level is measured
CLOSE_LU = 0.2  # near enough
MOST_DRIVE_DB = 24.0  # into the limiter; beyond, a sound is all limiter
ROUNDS = 6


@dataclass(frozen=True)
class Level:
    """Loudness, and how it divides among the channels."""

    lufs: float  # -inf: nothing at all
    shares: tuple[float, ...]  # of the K-weighted power; they add up to 1, or are 0 in silence

    @property
    def is_silent(self) -> bool:
        return self.lufs < SILENCE_LUFS


def level_of(samples: Samples, sample_rate: int, below_hz: float | None = None, gain: Gain | None = None) -> Level:
    """The level of samples [C, T], or of what they hold below a frequency, as they are or under a gain."""
    sections = weighting(sample_rate)
    if below_hz is not None and below_hz < sample_rate / 2:
        sections = np.concatenate([sections, butter(STEEPNESS, below_hz, fs=sample_rate, output="sos")])
    size, num_channels = round(HOP_S * sample_rate), samples.shape[0]
    means = samples.mean(axis=1, keepdims=True, dtype=np.float64) if samples.size else 0.0
    state = np.zeros((len(sections), num_channels, 2))
    hops: list[NDArray[np.float64]] = [np.zeros((0, num_channels))]
    rest = np.zeros(num_channels)
    for start in range(0, samples.shape[1], size * HOPS_AT_ONCE):
        block = samples[:, start : start + size * HOPS_AT_ONCE] - means
        if gain is not None:
            block *= gain.between(start, start + block.shape[1])
        weighted, state = sosfilt(sections, block, zi=state)
        power = np.square(weighted)
        whole = power.shape[1] // size * size
        hops.append(power[:, :whole].reshape(num_channels, -1, size).sum(axis=2).T)
        rest += power[:, whole:].sum(axis=1)
    return _level(np.concatenate(hops), rest, size, samples.shape[1])


def weighting(sample_rate: int) -> NDArray[np.float64]:
    """BS.1770's K-weighting at any rate, second-order sections [2, 6].

    The analogue prototypes whose bilinear transforms at 48 kHz are the standard's two tables (Brecht De Man 2014).
    """
    hz, quality, gain = 1681.974450955533, 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    k, middle = math.tan(math.pi * hz / sample_rate), gain**0.4996667741545416
    shelf = [gain + middle * k / quality + k * k, 2 * (k * k - gain), gain - middle * k / quality + k * k]
    shelf += [1 + k / quality + k * k, 2 * (k * k - 1), 1 - k / quality + k * k]
    hz, quality = 38.13547087602444, 0.5003270373238773
    k = math.tan(math.pi * hz / sample_rate)
    poles = [1 + k / quality + k * k, 2 * (k * k - 1), 1 - k / quality + k * k]
    # The standard's numerator is 1, -2, 1 as it stands, without the bilinear transform's factor.
    high_pass = [poles[0], -2 * poles[0], poles[0], *poles]
    return np.array([[value / section[3] for value in section] for section in (shelf, high_pass)])


def _level(hops: NDArray[np.float64], rest: NDArray[np.float64], size: int, num_samples: int) -> Level:
    """Sums of K-weighted squares in hops [P, C] and after the last one [C] -> the level."""
    total = hops.sum(axis=0) + rest
    if not total.sum() > 0:
        return Level(-math.inf, (0.0,) * len(total))
    shares = tuple((total / total.sum()).tolist())
    if len(hops) < HOPS_A_BLOCK:
        return Level(_lufs(total.sum() / num_samples), shares)
    sums = np.concatenate([np.zeros(1), hops.sum(axis=1).cumsum()])
    blocks = np.maximum(sums[HOPS_A_BLOCK:] - sums[:-HOPS_A_BLOCK], 0.0) / (HOPS_A_BLOCK * size)
    if blocks.max() <= 0:
        return Level(_lufs(total.sum() / num_samples), shares)
    audible = blocks[blocks > _power(GATE_LUFS)] if blocks.max() > _power(GATE_LUFS) else blocks
    return Level(_lufs(audible[audible >= audible.mean() / 10 ** (RELATIVE_GATE_LU / 10)].mean()), shares)


def _lufs(power: float) -> float:
    return OFFSET_LU + 10 * math.log10(power)


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - OFFSET_LU) / 10))


def balancing_gains(now: Level, wanted: Level) -> NDArray[np.float32]:
    """Return the gains that move one balance to another at the same total power, [C, 1].

    Left stays left, and a channel that is silent in the clip is silent in the take.
    """
    if now.is_silent or wanted.is_silent:
        return np.ones((len(now.shares), 1), np.float32)
    pairs = zip(now.shares, wanted.shares, strict=True)
    return np.array([math.sqrt(to / share) if share > 0 else 1.0 for share, to in pairs], np.float32)[:, None]


def set_loudness(samples: Samples, lufs: float, ceiling: float, sample_rate: int) -> None:
    """Bring samples [C, T] to a loudness, in place; true peaks are limited to the ceiling, nothing else is turned down.

    Where peaks are limited, the rest is raised in return, by 24 dB at most. Silence stays silence.
    """
    now = level_of(samples, sample_rate)
    if now.is_silent or lufs < SILENCE_LUFS:
        return
    samples *= samples.dtype.type(10 ** ((lufs - now.lufs) / 20))
    if true_peaks(samples, sample_rate, beyond=ceiling).max() <= ceiling:
        return
    peaks, drive_db = true_peaks(samples, sample_rate), 0.0
    for _ in range(ROUNDS):
        gain = limiting_gain(peaks * 10 ** (drive_db / 20), ceiling, sample_rate)
        missing = lufs - drive_db - level_of(samples, sample_rate, gain=gain).lufs
        if abs(missing) < CLOSE_LU or (missing > 0 and drive_db >= MOST_DRIVE_DB):
            break
        drive_db = min(drive_db + missing, MOST_DRIVE_DB)
    samples *= samples.dtype.type(10 ** (drive_db / 20))
    gain.apply(samples)
    limit_in_place(samples, ceiling, sample_rate)
