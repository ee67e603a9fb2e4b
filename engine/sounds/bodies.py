"""Bodies that ring: banks of damped modes for bars, plates and boards, struck, or driven by a signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.signal import lfilter

from engine.sounds.synthesis import REFERENCE_RATE, Signal, SynthContext

_AUDIBLE_HZ = 18000.0


@dataclass(frozen=True)
class Substance:
    """How a substance loses energy: 1 / fall = 1 / `hold_s` + pi f `loss` (internal friction)."""

    loss: tuple[float, float]  # range of the loss factor
    hold_s: tuple[float, float]  # range of the fall to 1/e that its support alone would give


WOOD = Substance((0.018, 0.07), (0.012, 0.06))
METAL = Substance((0.0008, 0.005), (0.05, 0.35))
RINGING = Substance((0.0002, 0.0012), (0.12, 0.6))
DAMPED_METAL = Substance((0.003, 0.012), (0.02, 0.09))
GLASS = Substance((0.0015, 0.006), (0.05, 0.3))


@dataclass(frozen=True)
class Body:
    """The modes of one object: frequencies in Hz and falls to 1/e in seconds, both [M]."""

    hertz: Signal
    falls_s: Signal

    def shifted(self, factor: float) -> Body:
        """The same body, its frequencies scaled: another one of its kind, or held at another place."""
        return Body(self.hertz * factor, self.falls_s)


def _made_of(synth: SynthContext, material: Substance, hertz: Signal) -> Body:
    hertz = hertz[hertz < _AUDIBLE_HZ]
    loss, hold_s = synth.uniform(*np.log(material.loss)), synth.uniform(*np.log(material.hold_s))
    spread = synth.random.uniform(0.6, 1.6, len(hertz))
    return Body(hertz, spread / (1 / np.exp(hold_s) + np.pi * hertz * np.exp(loss)))


def bar(synth: SynthContext, material: Substance, lowest_hz: float, num_modes: int = 18) -> Body:
    """A free bar: flexural modes at ((2n + 1) / 3.011)**2 (Fletcher and Rossing), and twisting ones between them."""
    flexural = lowest_hz * ((2 * np.arange(1, num_modes) + 1) / 3.0112) ** 2
    twisting = lowest_hz * synth.uniform(2.2, 4.5) * np.arange(1, num_modes)
    hertz = np.sort(np.concatenate([flexural, twisting]))
    hertz = hertz * synth.random.uniform(0.97, 1.03, len(hertz))
    return _made_of(synth, material, hertz[: 2 * num_modes // 2 + 4])


def plate(synth: SynthContext, material: Substance, lowest_hz: float, num_modes: int = 24) -> Body:
    """A plate held at its edges: f = (m**2 + (a n)**2) / (1 + a**2), so that modes stand as dense high up as low."""
    aspect = synth.uniform(1.05, 2.2)
    m, n = np.meshgrid(np.arange(1, 14), np.arange(1, 14))
    hertz = np.sort(((m**2 + (aspect * n) ** 2) / (1 + aspect**2)).ravel()) * lowest_hz
    hertz = hertz * synth.random.uniform(0.96, 1.04, len(hertz))
    upper = np.unique(np.geomspace(1, len(hertz), num_modes).astype(np.int64)) - 1
    return _made_of(synth, material, hertz[upper])


def resonate(synth: SynthContext, track: Signal, body: Body, gains: Signal) -> Signal:
    """The body driven by a track [T]: an impulse of height 1 rings each mode at its gain, at every sample rate."""
    ring = np.zeros(len(track))
    for hertz, fall_s, gain in zip(body.hertz, body.falls_s, gains, strict=True):
        if hertz < 0.48 * synth.sample_rate:
            turn, radius = 2 * np.pi * hertz / synth.sample_rate, np.exp(-1 / (fall_s * synth.sample_rate))
            poles = [1.0, -2 * radius * np.cos(turn), radius**2]
            numerator = [0.0, gain * np.sin(turn) * REFERENCE_RATE / synth.sample_rate]
            ring += cast(Signal, lfilter(numerator, poles, track))
    return ring


def varied(synth: SynthContext, gains: Sequence[float] | Signal, spread_db: float) -> Signal:
    """The gains, each off by about `spread_db`: another specimen of the same kind."""
    off: Signal = synth.random.standard_normal(len(gains)) * spread_db / 8.686
    specimen: Signal = np.asarray(gains, dtype=np.float64) * np.exp(off)
    return specimen


def unit(track: Signal) -> Signal:
    """The track at a deviation of 1, so that parts can be mixed by their loudness."""
    return track / (float(np.std(track)) + 1e-9)


def trailing(synth: SynthContext, track: Signal, fall_s: float) -> Signal:
    """An envelope [T] that jumps by an impulse's height and falls to 1/e in `fall_s`."""
    radius = np.exp(-1 / (fall_s * synth.sample_rate))
    return cast(Signal, lfilter([REFERENCE_RATE / synth.sample_rate], [1.0, -radius], track))


class StruckBody:
    """A body that is struck again and again: its modes are rung once, and every blow mixes them anew."""

    def __init__(self, synth: SynthContext, body: Body, seconds: float) -> None:
        self._synth = synth
        self._body = body
        length = len(synth.span(seconds))
        impulse = np.zeros(length)
        impulse[0] = synth.sample_rate / REFERENCE_RATE
        heard = body.hertz < 0.48 * synth.sample_rate
        unit = np.ones(1)
        rings = [
            resonate(synth, impulse, Body(body.hertz[k : k + 1], body.falls_s[k : k + 1]), unit)
            for k in np.flatnonzero(heard)
        ]
        self._heard = heard
        fade = np.minimum(1.0, np.linspace(8, 0, length))
        # single precision halves the time of a blow
        self._rings = (np.stack(rings) * fade if rings else np.zeros((0, length))).astype(np.float32)

    def blow(self, hardness_hz: float, slope: float = 0.5, share: float = 1.0) -> Signal:
        """The ring of one blow: a hard, small striker (high `hardness_hz`) wakes the high modes too.

        Where it lands decides how much of each mode sounds; `slope` is the fall of gain with frequency, `share` how
        many of the modes are woken at all.
        """
        hertz = self._body.hertz
        reach = (hertz / hertz[0]) ** -slope / (1 + (hertz / hardness_hz) ** 2)
        place = np.abs(np.sin(np.pi * self._synth.random.uniform(0.05, 0.95, len(hertz))))
        place *= self._synth.random.uniform(0, 1, len(hertz)) <= share
        sign = np.where(self._synth.random.uniform(0, 1, len(hertz)) < 0.5, -1.0, 1.0)
        ring = (reach * place * sign)[self._heard].astype(np.float32) @ self._rings
        return cast(Signal, ring.astype(np.float64))


def contact(synth: SynthContext, seconds: float, hertz: float) -> Signal:
    """The tick of two surfaces that touch: noise up to `hertz`, whose highs are gone long before its lows.

    In recordings of blows the noise below a kHz or two lasts three to four times as long as that above.
    """
    noise = synth.noise(seconds)
    rise_s = min(0.0005, seconds / 20)
    high = synth.lowpass(noise, hertz, 1) * synth.decay(seconds, seconds / 12, rise_s)
    low = synth.lowpass(noise, 0.15 * hertz, 1) * synth.decay(seconds, seconds / 4, rise_s)
    tick: Signal = high + 0.7 * low
    return tick
