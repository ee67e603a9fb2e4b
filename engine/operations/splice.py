"""Splicing: a replacement put into a region of a clip, crossfaded inside it and limited; nothing else changes.

Pure arithmetic on arrays [C, T]; knows neither models nor seconds beyond the lengths of its fades.
"""

import numpy as np
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from engine.operations.limiter import limit
from engine.wav_writer import Samples

LONGEST_FADE_S = 0.03  # seconds
FADE_INTO_SILENCE_S = 0.01  # seconds; what breaks off has nothing to fade out: a longer fade would leave a dip
BLOCK = 2**18  # samples of each channel that are measured at a time
SILENCE = 1e-5  # RMS, -100 dB of full scale: quieter than this has no loudness to match
FULL_SCALE = 1.0
DUCK_S = 0.01  # seconds around a peak over which what is added is ducked


def rms(samples: Samples) -> float:
    """Root of the mean square, in double precision; 0 for nothing."""
    if not samples.size:
        return 0.0
    blocks = (samples[..., start : start + BLOCK] for start in range(0, samples.shape[-1], BLOCK))
    return float(np.sqrt(sum(float(np.square(block, dtype=np.float64).sum()) for block in blocks) / samples.size))


def loudest(samples: Samples) -> float:
    """The largest absolute sample; 0 for nothing."""
    return max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))


def correlation(one: Samples, other: Samples) -> float:
    """Cosine between two sounds, -1..1; 0 where one is silent."""
    size = rms(one) * rms(other)
    if size <= SILENCE**2:
        return 0.0
    blocks = (slice(start, start + BLOCK) for start in range(0, one.shape[-1], BLOCK))
    products = (one[..., block].astype(np.float64) * other[..., block] for block in blocks)
    return sum(float(product.sum()) for product in products) / one.size / size


def limit_peak(samples: Samples, ceiling: float = FULL_SCALE) -> Samples:
    """Samples [C, T] turned down as a whole until no sample exceeds the ceiling; for sounds that replace none."""
    peak = loudest(samples)
    return samples if peak <= ceiling else (samples * (ceiling / peak)).astype(samples.dtype, copy=False)


def ceiling_of(samples: Samples) -> float:
    """What no sample of a clip [C, T] may exceed: full scale, or the clip's own peak where that is louder still."""
    return max(FULL_SCALE, loudest(samples))


def crossfade(old: Samples, new: Samples, ceiling: float | None = None) -> Samples:
    """From old [C, n] to new [C, n] at constant power.

    Quarter waves cos θ and sin θ keep the power of unrelated sounds; where the two are alike (correlation r > 0) they
    would bulge by 1 + 2 r sin θ cos θ, which is divided out. Should the sum still exceed the ceiling, which neither
    side does, straight lines are used: they cannot.
    """
    ramp = (np.arange(old.shape[-1]) + 1) / (old.shape[-1] + 1)  # neither 0 nor 1: both ends are the neighbours'
    fade_out, fade_in = np.cos(ramp * np.pi / 2), np.sin(ramp * np.pi / 2)
    bulge = np.sqrt(1 + 2 * max(0.0, correlation(old, new)) * fade_in * fade_out)
    mixed = (old * fade_out + new * fade_in) / bulge
    if ceiling is not None and np.abs(mixed).max(initial=0.0) > ceiling:
        mixed = old * (1 - ramp) + new * ramp
    faded: Samples = mixed.astype(old.dtype)
    return faded


def splice(samples: Samples, replacement: Samples, start: int, sample_rate: int) -> Samples:
    """Samples [C, T] in which replacement [C, t] takes the place of what began at `start`.

    Outside [start, start + t) every sample is the same, bit for bit. The crossfades are inside, up to 30 ms long (10 ms
    where the clip breaks off into silence) and at most a quarter of the region; where the region touches the clip's own
    start or end there is none. True peaks above full scale, or above the clip where that is louder still, are limited.
    """
    end = start + replacement.shape[1]
    ceiling = ceiling_of(samples)
    if replacement.shape == samples.shape:  # nothing of the clip stays, so no copy of either is needed
        return limit(replacement.astype(samples.dtype, copy=False), ceiling, sample_rate)
    result = samples.copy()
    new = result[:, start:end]
    new[:] = limit(replacement, ceiling, sample_rate)
    longest, shortest = (round(seconds * sample_rate) for seconds in (LONGEST_FADE_S, FADE_INTO_SILENCE_S))
    for clip, first, after in ((samples, start, new), (samples[:, ::-1], samples.shape[1] - end, new[:, ::-1])):
        before, old = clip[:, max(0, first - longest) : first], clip[:, first : first + longest]
        falls_silent = rms(old) < SILENCE <= rms(before)
        fade = min(shortest if falls_silent else longest, replacement.shape[1] // 4)
        if first > 0 and fade > 0:
            after[:, :fade] = crossfade(old[:, :fade], after[:, :fade], ceiling)
    return result


def overlay(samples: Samples, added: Samples, start: int, sample_rate: int) -> Samples:
    """A copy of samples [C, T] with added [C, t] on top of them from `start` on.

    Outside [start, start + t) every sample is the same, bit for bit; `added` fades in and out inside, as in `splice`.
    Where the sum would be louder than full scale, or than the clip where that is louder still, only `added` gives way.
    """
    end = start + added.shape[1]
    under, faded = samples[:, start:end], added.astype(samples.dtype)
    fade = min(round(LONGEST_FADE_S * sample_rate), added.shape[1] // 4)
    ramp = np.sin((np.arange(fade) + 1) / (fade + 1) * (np.pi / 2)).astype(samples.dtype) ** 2
    if start > 0 and fade > 0:
        faded[:, :fade] *= ramp
    if end < samples.shape[1] and fade > 0:
        faded[:, -fade:] *= ramp[::-1]
    result = samples.copy()
    result[:, start:end] += faded * _room(under, faded, ceiling_of(samples), sample_rate)
    return result


def _room(under: Samples, added: Samples, ceiling: float, sample_rate: int) -> Samples | float:
    """The gain [T], slowly moving, with which under + gain · added stays within the ceiling."""
    is_over = np.abs(under + added) > ceiling
    if not is_over.any():
        return 1.0
    room = (ceiling - np.abs(under)) / np.maximum(np.abs(added), np.finfo(added.dtype).tiny)
    allowed = np.where(is_over, room, 1.0).min(axis=0)
    size = 2 * round(DUCK_S * sample_rate) + 1
    smooth: Samples = uniform_filter1d(minimum_filter1d(allowed, size), size).astype(added.dtype)
    return np.clip(smooth - 1e-6, 0, 1)
