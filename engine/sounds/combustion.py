"""Piston engines: the moments at which cylinders fire, and the pipes that their pulses go through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.sounds.bodies import Body, resonate, trailing, varied
from engine.sounds.synthesis import REFERENCE_RATE, Signal, SynthContext


def crossings(cycles: Signal, time: Signal, offset: float) -> Signal:
    """The moments at which a running count of cycles passes a whole number plus `offset`."""
    first, last = float(np.ceil(cycles[0] - offset)), float(cycles[-1] - offset)
    moments: Signal = np.interp(np.arange(first, last) + offset, cycles, time)
    return moments


def soft_impulses(synth: SynthContext, times_s: Signal, gains: Signal) -> Signal:
    """Impulses between the samples (shared by two), so that a steady rate has no jitter of its own, [T]."""
    place = times_s * synth.sample_rate
    is_inside = (place >= 0) & (place < synth.num_samples - 1)
    place, gains = place[is_inside], gains[is_inside] * synth.sample_rate / REFERENCE_RATE
    index = place.astype(np.int64)
    share = place - index
    track: Signal = np.bincount(index, gains * (1 - share), synth.num_samples).astype(np.float64)
    return track + np.bincount(index + 1, gains * share, synth.num_samples)


def firing(
    synth: SynthContext, rate_hz: Signal, cylinders: Sequence[tuple[float, float]], unevenness: float
) -> tuple[Signal, Signal]:
    """Moments and strengths of the shots of an engine whose working cycle runs at `rate_hz`, [T].

    Each cylinder is (its share of the cycle, its strength); no two shots are alike, by the share `unevenness`.
    """
    cycles = np.cumsum(rate_hz) / synth.sample_rate + synth.uniform(0, 1)
    times, gains = [], []
    for offset, strength in cylinders:
        moments = crossings(cycles, synth.time, offset)
        period = 1 / np.interp(moments, synth.time[::64], rate_hz[::64])
        moments = moments + 0.06 * unevenness * period * synth.random.standard_normal(len(moments)) / len(cylinders)
        times.append(moments)
        gains.append(strength * np.exp(unevenness * synth.random.standard_normal(len(moments))))
    return np.concatenate(times), np.concatenate(gains)


def even_cylinders(synth: SynthContext, number: int, spread: float) -> list[tuple[float, float]]:
    """Cylinders evenly over the cycle, some of them weaker than others by the share `spread`."""
    return [(k / number, synth.uniform(1 - spread, 1)) for k in range(number)]


def exhaust(synth: SynthContext, shots: Signal, pipe_hz: float, brightness: float) -> Signal:
    """The shots through a pipe and its silencer: odd quarter waves that lose more the higher they are."""
    orders = np.array([1.0, 2.9, 5.2, 8.1, 13.0, 21.0])
    hertz = pipe_hz * orders * synth.random.uniform(0.93, 1.07, len(orders))
    falls = synth.uniform(0.012, 0.03) * orders**-0.6
    gains = varied(synth, orders ** -(1.35 - brightness), 4)
    return resonate(synth, shots, Body(hertz, falls), gains)


def gas(synth: SynthContext, shots: Signal, noise: Signal, fall_s: float) -> Signal:
    """Gas that hisses with every shot: `noise` [T] under an envelope that falls to 1/e in `fall_s`."""
    return noise * trailing(synth, shots, fall_s)
