"""What calls for attention: sirens, alarms and telephones."""

from __future__ import annotations

from typing import cast

import numpy as np
from scipy.signal import fftconvolve

from engine.sounds.partials import body, doublets, falling_gains, overtones, ringing, spread
from engine.sounds.synthesis import Signal, SynthContext

_SPEED_OF_SOUND = 343.0  # m/s


def _wail(synth: SynthContext, period_s: float) -> Signal:
    """Height from 0 to 1 of a siren that rises faster than it falls, or the other way round."""
    share = (synth.time / period_s + synth.uniform(0, 1)) % 1
    rising = synth.uniform(0.35, 0.6)
    way = np.where(share < rising, share / rising, (1 - share) / (1 - rising))
    rounded: Signal = 0.5 - 0.5 * np.cos(np.pi * way)
    return rounded ** synth.uniform(0.8, 1.2)


def _two_tones(synth: SynthContext, period_s: float) -> Signal:
    """Height 0 or 1 of a siren of two tones by turns, with soft corners."""
    return synth.gate((synth.time / period_s + synth.uniform(0, 1)) % 1 < 0.5, 60)


def _passing(synth: SynthContext) -> tuple[Signal, Signal]:
    """Factors of pitch and of loudness [T] of a vehicle that drives by, or far away towards the listener or off."""
    speed, distance = synth.uniform(5, 28), synth.uniform(8, 60)
    way = speed * (synth.time - synth.uniform(-0.5, 1.5) * synth.seconds)
    away = np.sqrt(distance**2 + way**2)
    return 1 / (1 + speed * way / away / _SPEED_OF_SOUND), (distance / away) ** synth.uniform(0.4, 1)


def _street(synth: SynthContext, track: Signal) -> Signal:
    """The track with what house fronts send back: a few late, dull repetitions."""
    heard = track.copy()
    for _ in range(synth.count(2, 6)):
        late = round(synth.uniform(0.03, 0.4) * synth.sample_rate)
        if late < len(track):
            heard[late:] += synth.uniform(0.05, 0.35) * track[: len(track) - late]
    return 0.6 * heard + 0.4 * synth.lowpass(heard, synth.uniform(1200, 4000), order=1)


def siren(synth: SynthContext) -> Signal:
    """A siren: wail, yelp or two tones, from a horn that distorts, on its way through streets."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    if synth.uniform(0, 1) < 0.3:
        height = _two_tones(synth, synth.uniform(0.9, 1.6) if is_slow else synth.uniform(0.25, 0.45))
        low, span = synth.uniform(380, 700), synth.uniform(1.2, 1.5)
    else:
        height = _wail(synth, float(spread(synth, 2.2, 6)) if is_slow else synth.uniform(0.22, 0.55))
        low, span = synth.uniform(450, 850), synth.uniform(1.7, 2.5)
    pitch, nearness = _passing(synth)
    pitch = pitch * low * span**height * (1 + 0.004 * (synth.wander(9) - 0.5))
    tone = overtones(synth, pitch, falling_gains(14, synth.uniform(0.9, 2.2), even=synth.uniform(0.1, 1)))
    drive = float(spread(synth, 0.2, 1.5))
    tone = np.tanh(drive * tone / np.max(np.abs(tone)))
    horn = body(synth, tone, spread(synth, 600, 4500, 12), spread(synth, 0.0004, 0.003, 12), spread(synth, 0.3, 1, 12))
    tone = synth.highpass(horn / (np.std(horn) + 1e-9) + tone / np.std(tone), 350, order=1)
    tone = synth.lowpass(tone, float(spread(synth, 2500, 9000)))
    return _street(synth, tone * nearness * (0.75 + 0.5 * synth.wander(2.5)))


_SOUNDERS = ((16, 1.3, 0.1), (32, 0.9, 1.0), (6, 2.2, 0.3), (24, 1.6, 0.6))
"""Harmonics, slope and share of the even ones: a piezo disc, a buzzer, a sine, a small loudspeaker."""


def alarm(synth: SynthContext) -> Signal:
    """Beeps of a clock, a smoke detector, a lorry or a machine: of one tone or two, bent, even or in groups."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    rate = synth.uniform(1.2, 2) if is_slow else synth.uniform(4.5, 8)
    pitch = float(spread(synth, 380, 850)) if is_low else float(spread(synth, 1800, 3300))
    duty = synth.uniform(0.3, 0.6)
    cycle = synth.turns(1 / rate, duty / rate, 0.3 / rate)
    index = np.cumsum(np.diff(cycle, prepend=cycle[0]) < 0)
    is_on = cycle < duty / rate
    style = synth.uniform(0, 1)
    bend = np.ones(synth.num_samples)
    if "count" not in synth.attributes:
        if style < 0.3:
            bend = np.where(index % 2 == 0, 1.0, synth.uniform(0.75, 0.95))
        elif style < 0.5:
            is_on &= index % (synth.count(4, 6) if not is_slow else 4) < 3
    if style > 0.75 and "count" not in synth.attributes:
        bend = bend * synth.uniform(0.7, 1.4) ** np.clip(cycle * rate / duty, 0, 1)
    num, slope, even = _SOUNDERS[synth.count(0, len(_SOUNDERS))]
    tone = overtones(synth, pitch * bend, falling_gains(num, slope + synth.uniform(0, 0.4), even=even))
    tone *= 1 - synth.uniform(0, 0.5) * np.clip(cycle * rate / duty, 0, 1)
    beeps = tone * synth.gate(is_on, float(spread(synth, 60, 600)))
    case = pitch * spread(synth, 0.7, 4, 8)
    return beeps + synth.uniform(0, 0.7) * body(synth, beeps, case, spread(synth, 0.0005, 0.006, 8), np.ones(8))


def _gongs(synth: SynthContext, ring: Signal) -> Signal:
    """An old telephone: a hammer between two gongs while `ring` is 1, each stroke a little off, and their fading."""
    rate, longest = synth.uniform(17, 27), 0.09 if "count" in synth.attributes else 0.5
    times = np.cumsum(synth.random.normal(1 / rate, 0.03 / rate, int(1.2 * rate * synth.seconds) + 4))
    places = np.minimum((times * synth.sample_rate).astype(np.int64), synth.num_samples - 1)
    gains = np.where((times < synth.seconds) & (ring[places] > 0.5), synth.random.uniform(0.5, 1, len(times)), 0.0)
    track, pitch = synth.silence(), float(spread(synth, 700, 1700))
    fall, ratios = float(spread(synth, 0.06, longest)), np.array([1, 2.1, 2.6, 4.1, 5.2, 6.3, 7.6, 9.1])
    for gong in range(2):
        partials = pitch * (1 if gong else synth.uniform(0.75, 0.92)) * ratios * synth.random.uniform(0.95, 1.05, 8)
        falls, weights = fall * ratios**-0.4, spread(synth, 0.3, 1.3, 8)
        parts = doublets(synth, partials, falls, weights, split_hz=3)
        strike = ringing(synth, *parts, min(1.5, 5 * fall))
        strike[: len(synth.span(0.004))] += synth.noise(0.004)[: len(strike)] * synth.uniform(0.5, 3)
        hits = synth.impulses(times[gong::2], gains[gong::2])
        track += cast(Signal, fftconvolve(hits, strike))[: synth.num_samples]
    return track


def _ringtone(synth: SynthContext) -> Signal:
    """The pitch in Hz [T] of a chip: a warble of two tones, or a run of notes."""
    base, rate = synth.uniform(600, 1300), synth.uniform(10, 18)
    if synth.uniform(0, 1) < 0.5:
        return base * np.where((synth.time * rate) % 1 < 0.5, 1.0, synth.uniform(1.15, 1.55))
    notes = np.array([0, 2, 4, 7, 9, 12, 14, 16])[synth.random.integers(0, 8, synth.count(4, 9))]
    made: Signal = base * 2 ** (notes[(synth.time * 0.6 * rate).astype(np.int64) % len(notes)] / 12)
    return made


def phone(synth: SynthContext) -> Signal:
    """A telephone: two gongs under a fast hammer, or a chip that warbles or plays a run of notes."""
    is_old = synth.choose("age", "old", "modern") == "old"
    ringing_s, pause = synth.uniform(0.7, 1.6), synth.uniform(0.6, 1.6)
    cycle = synth.turns(ringing_s + pause, ringing_s, 0.6 * ringing_s)
    ring = synth.gate(cycle < ringing_s, 60)
    if is_old:
        return _gongs(synth, ring)
    tone = overtones(synth, _ringtone(synth), falling_gains(10, synth.uniform(0.9, 2), even=synth.uniform(0, 1)))
    loud = np.tanh(synth.uniform(0.5, 2) * tone)
    modes = spread(synth, 900, 6000, 10)  # of a small loudspeaker in a case
    heard: Signal = ring * loud
    return 0.4 * heard + body(synth, heard, modes, spread(synth, 0.0004, 0.002, 10), spread(synth, 0.3, 1, 10))
