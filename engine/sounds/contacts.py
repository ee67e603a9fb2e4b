"""Bodies that touch: damped modes, grains, taps, and friction that sticks and slips.

Struck and rubbed bodies are heard as an excitation through a bank of damped modes; see P. R. Cook, "Physically Informed
Sonic Modeling", 1997, for grains, and K. van den Doel, P. G. Kry, D. K. Pai, "FoleyAutomatic", 2001, for contacts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from engine.sounds.synthesis import REFERENCE_RATE, Signal, SynthContext


@dataclass(frozen=True)
class Modes:
    """A bank of damped modes: their frequencies in Hz, the seconds in which each falls to 1/e, their gains."""

    hertz: Sequence[float]
    falls_s: Sequence[float]
    gains: Sequence[float]


def some_body(
    synth: SynthContext, low_hz: float, high_hz: float, num_modes: int, fall_s: float, tilt: float = 0.5
) -> Modes:
    """Return a body of irregular modes: the higher one is, the sooner it dies (`fall_s` is the lowest one's).

    Gains go as frequency to the power of -`tilt`, each off by some.
    """
    hertz = np.sort(np.exp(synth.random.uniform(np.log(low_hz), np.log(high_hz), num_modes)))
    hertz[0] = low_hz
    ratios = hertz / low_hz
    falls = fall_s * ratios**-0.6 * synth.random.uniform(0.6, 1.5, num_modes)
    gains = ratios**-tilt * np.exp(0.5 * synth.random.standard_normal(num_modes))
    return Modes(hertz.tolist(), falls.tolist(), gains.tolist())


def ringing(synth: SynthContext, excitation: Signal, body: Modes) -> Signal:
    """A body that an excitation [T] makes sound, [T]: one damped two-pole resonator for each mode."""
    sound = np.zeros(len(excitation))
    for hertz, fall_s, gain in zip(body.hertz, body.falls_s, body.gains, strict=True):
        if hertz < 0.47 * synth.sample_rate:
            turn = 2 * np.pi * hertz / synth.sample_rate
            radius = np.exp(-1 / (fall_s * synth.sample_rate))
            scale = gain * np.sin(turn) * REFERENCE_RATE / synth.sample_rate
            sound += lfilter([scale], [1, -2 * radius * np.cos(turn), radius**2], excitation)
    return sound


def _at_one_millisecond(synth: SynthContext, event: Signal) -> Signal:
    """The event with the energy of a millisecond of level 1, whatever its length and colour."""
    energy_s = float(np.sum(event**2)) / synth.sample_rate
    return event * math.sqrt(0.001 / (energy_s + 1e-15))


def tap(synth: SynthContext, hardness_hz: float, seconds: float) -> Signal:
    """The blow of one thing on another, within an event of `seconds`: the harder, the shorter and the brighter.

    A soft blow lasts some milliseconds, a hard one a fraction of one; above `hardness_hz` it falls by 6 dB an octave.
    """
    blow = synth.noise(seconds) * synth.decay(seconds, 4 / hardness_hz + 0.0004, 0.15 / hardness_hz)
    return _at_one_millisecond(synth, synth.lowpass(blow, hardness_hz, order=1))


def hits(
    synth: SynthContext, body: Modes, hardness_hz: float, seconds: float, directness: float, num_hits: int = 5
) -> list[Signal]:
    """Several blows on one body, each on another spot: `directness` is the share of what is not the body's ringing.

    All have the energy of a millisecond of level 1.
    """
    events = []
    for _ in range(num_hits):
        blow = tap(synth, synth.around(hardness_hz, 0.2), seconds)
        num_modes = len(body.hertz)
        spots = np.exp(0.5 * synth.random.standard_normal(num_modes)) * body.gains
        shifted = np.asarray(body.hertz) * (1 + 0.02 * synth.random.standard_normal(num_modes))
        ring = _at_one_millisecond(synth, ringing(synth, blow, Modes(shifted.tolist(), body.falls_s, spots.tolist())))
        events.append(math.sqrt(directness) * blow + math.sqrt(1 - directness) * ring)
    return events


def one_of(synth: SynthContext, events: list[Signal]) -> Signal:
    """A blow between two of those given, so that no two are alike."""
    first, second = synth.random.integers(len(events), size=2)
    share = synth.uniform(0, 1)
    blow: Signal = math.sqrt(share) * events[first] + math.sqrt(1 - share) * events[second]
    return blow


def grains(
    synth: SynthContext,
    times_s: Signal,
    gains: Signal,
    band_hz: tuple[float, float],
    fall_s: float,
    num_sorts: int = 7,
    num_modes: int = 1,
) -> Signal:
    """Tiny clicks [T] at moments of the clip, each a damped ring somewhere in a band: gravel, threads, teeth.

    They are of `num_sorts` sorts, each with `num_modes` modes of its own: the longer they ring, the more they need.
    """
    sorts = synth.random.integers(0, num_sorts, len(times_s))
    edges = np.geomspace(*band_hz, num_sorts + 1)
    track = synth.silence()
    for sort in range(num_sorts):
        lowest = synth.uniform(edges[sort], edges[sort + 1])
        hertz = lowest * np.cumprod([1.0, *synth.random.uniform(1.15, 1.9, num_modes - 1)])
        falls = fall_s * np.exp(0.4 * synth.random.standard_normal(num_modes))
        shares = synth.random.uniform(0.4, 1.0, num_modes) / math.sqrt(num_modes)
        chosen = sorts == sort
        if np.any(chosen):
            clicks = synth.impulses(times_s[chosen], gains[chosen])
            track += ringing(synth, clicks, Modes(hertz.tolist(), falls.tolist(), shares.tolist()))
    return track


def slips(synth: SynthContext, rate_hz: Signal, roughness: float) -> Signal:
    """Pulses [T] of something that sticks and slips at a rate that is a curve, uneven in time and in strength.

    `roughness` is the share by which periods and strengths differ from one to the next.
    """
    cycles = np.cumsum(rate_hz) / synth.sample_rate
    num_cycles = int(cycles[-1]) + 2
    late = np.clip(0.5 * roughness * synth.random.standard_normal(num_cycles), -0.45, 0.45)
    strengths = np.exp(np.clip(1.2 * roughness * synth.random.standard_normal(num_cycles), -2.5, 1.2))
    moments = np.interp(
        np.arange(num_cycles) + late, cycles, np.arange(len(cycles), dtype=np.float64), right=len(cycles)
    )
    track = np.zeros(len(rate_hz) + 2)
    at = moments[moments < len(rate_hz)]
    places, shares = at.astype(np.int64), at % 1.0  # between two samples, or fast slips would buzz at the sample rate
    np.add.at(track, places, (1 - shares) * strengths[: len(at)])
    np.add.at(track, places + 1, shares * strengths[: len(at)])
    return track[:-2] * (synth.sample_rate / REFERENCE_RATE)


def stroke(synth: SynthContext, seconds: float, roughness_hz: float = 12.0) -> Signal:
    """The speed of a hand during one stroke [T]: it sets off, falters and stops, never above 1."""
    length = len(synth.span(seconds))
    course = np.linspace(0, 1, length)
    lean = synth.uniform(0.6, 1.8)
    swell: Signal = np.sin(np.pi * course**lean) ** synth.uniform(0.5, 1.2)
    knots = max(4, int(seconds * roughness_hz) + 2)
    falter = np.interp(course * (knots - 1), np.arange(knots), synth.random.uniform(0.45, 1.0, knots))
    return swell * falter
