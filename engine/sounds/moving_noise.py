"""Noise whose spectrum changes over a clip, as that of a thing that moves: nearer, faster, combed by its reflection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.sounds.synthesis import REFERENCE_RATE, Signal, SynthContext
from engine.sounds.texture import (
    BAND_CENTRES_HZ,
    FRAME_S,
    filtered_by_frames,
    frame_samples,
    noise_with_levels,
    num_frames_of,
    wandering_levels,
)


def resampled(rows: Signal, num_rows: int) -> Signal:
    """The rows of a table [R, K], interpolated to `num_rows` of them that span the same time."""
    place = np.linspace(0, len(rows) - 1, num_rows)
    below = np.minimum(place.astype(np.int64), max(0, len(rows) - 2))
    above = np.minimum(below + 1, len(rows) - 1)
    share = (place - below)[:, None]
    mixed: Signal = rows[below] * (1 - share) + rows[above] * share
    return mixed


def _on_bands(hertz: Sequence[float]) -> Signal:
    """How much each point of a spectrum counts in each band, straight over the logarithm of frequency, [K, B]."""
    octaves, points = np.log2(BAND_CENTRES_HZ), np.log2(np.asarray(hertz, dtype=np.float64))
    return np.stack([np.interp(octaves, points, unit) for unit in np.eye(len(points))])


def moving_noise(
    synth: SynthContext,
    hertz: Sequence[float],
    levels_db: Sequence[float] | Signal,
    *,
    wander_db: float = 2.0,
    wander_hz: float = 1.5,
    comb: tuple[Signal, float] | None = None,
) -> Signal:
    """Noise [T] with the density `levels_db` (against white noise of deviation 1) at the frequencies `hertz`.

    Levels are [K], or [R, K] for R moments spread evenly over the clip. Each band wanders by `wander_db` on its own.
    A `comb` is the delay in seconds of a reflection, [R] over the clip, and its share.
    """
    frame = frame_samples(FRAME_S, synth.sample_rate)
    num_frames = num_frames_of(synth.num_samples, frame)
    levels = resampled(np.atleast_2d(np.asarray(levels_db, dtype=np.float64)), num_frames) @ _on_bands(hertz)
    levels = levels + wander_db * wandering_levels(synth.random, num_frames, synth.seconds, wander_hz)
    noise = noise_with_levels(synth.hiss, levels, synth.num_samples, frame, synth.sample_rate)
    if comb is not None:
        bins_hz = np.fft.rfftfreq(frame, 1 / synth.sample_rate)
        delay_s = resampled(np.asarray(comb[0], dtype=np.float64)[:, None], num_frames)
        ripples = np.cos((2 * np.pi * delay_s * bins_hz).astype(np.float32))
        noise = filtered_by_frames(noise, np.sqrt(1 + comb[1] ** 2 + 2 * comb[1] * ripples), frame)
    noise *= np.sqrt(synth.sample_rate / REFERENCE_RATE)
    return noise
