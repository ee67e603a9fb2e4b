"""Weather, water and fire."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext


def rain(synth: SynthContext) -> Signal:
    """Steady hiss with drops on top."""
    is_heavy = synth.choose("intensity", "heavy", "light") == "heavy"
    hiss = synth.lowpass(synth.highpass(synth.noise(), 600 if is_heavy else 1500), 6500)
    drops = synth.scatter(synth.uniform(35, 70) if is_heavy else synth.uniform(12, 28), 0.3, 1.5)
    drops = synth.bandpass(drops, 1500, 6000)
    return hiss * (0.5 if is_heavy else 0.07) + drops * (4 if is_heavy else 5)


def wind(synth: SynthContext) -> Signal:
    """Noise in a band that swells and howls without ever stopping."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    centre = synth.uniform(180, 320) if is_low else synth.uniform(700, 1200)
    gusts = synth.wander(1.2)
    body = synth.bandpass(synth.noise(), centre * 0.6, centre * 1.5) * (0.35 + 1.3 * gusts**2)
    howl = synth.bandpass(synth.noise(), centre * 1.4, centre * 1.8) * gusts**3
    return body + howl + 0.15 * synth.lowpass(synth.noise(), 300)


def thunder(synth: SynthContext) -> Signal:
    """A long rolling rumble of many claps; near ones begin with a tearing crack."""
    is_near = synth.choose("space", "near", "distant") == "near"
    track = synth.silence()
    for start in synth.occasions(0.8, 6.0, 9.0):
        for clap in range(synth.count(6, 11)):
            seconds = synth.uniform(1.5, 3.0)
            cutoff = synth.uniform(200, 550) if is_near else synth.uniform(80, 200)
            rise = 0.02 if is_near and clap == 0 else synth.uniform(0.08, 0.2)
            rumble = synth.lowpass(synth.noise(seconds), cutoff)
            rumble *= synth.decay(seconds, synth.uniform(0.3, 0.9), rise)
            synth.place(track, rumble, start + (0.0 if clap == 0 else synth.uniform(0, 2.6)), synth.uniform(2, 4))
        if is_near:
            tear = synth.random.uniform(0, 0.45, 60)
            crack = synth.impulses(start + tear, synth.random.uniform(0.2, 1, 60) * np.exp(-tear / 0.2))
            track += 6 * synth.bandpass(crack, 600, 5000, order=1)
    return track


def ocean(synth: SynthContext) -> Signal:
    """Waves: noise that swells, breaks bright, and runs out."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    period = synth.uniform(3.0, 4.4) if is_slow else synth.uniform(1.3, 2.0)
    turn = (synth.time / period + synth.uniform(0.1, 1)) % 1
    swell: Signal = np.where(turn < 0.45, (turn / 0.45) ** 2, np.exp(-(turn - 0.45) * 4))
    body = synth.bandpass(synth.noise(), 150, 900) * (0.2 + 0.6 * swell)
    spray: Signal = 0.5 * synth.highpass(synth.noise(), 900) * np.power(swell, 1.5)
    return body + spray


def fire(synth: SynthContext) -> Signal:
    """A low flutter with dry crackles."""
    is_roaring = synth.choose("size", "roaring", "gentle") == "roaring"
    track = synth.lowpass(synth.noise(), 500) * (0.8 if is_roaring else 0.1) * (0.6 + 0.4 * synth.wander(4))
    rate = synth.uniform(8, 16) if is_roaring else synth.uniform(3, 7)
    for _ in range(max(2, round(rate * synth.seconds))):
        seconds = synth.uniform(0.004, 0.03)
        crackle = synth.highpass(synth.noise(seconds), 1500) * synth.decay(seconds, 0.004, 0.0005)
        synth.place(track, crackle, synth.uniform(0, 0.98 * synth.seconds), synth.uniform(0.2, 1.3))
    return track


def drops(synth: SynthContext) -> Signal:
    """Single drops: short rising blips."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    track = synth.silence()
    time = synth.span(0.2)
    fall = synth.decay(0.2, 0.035)
    for start in synth.onsets(synth.uniform(0.9, 1.6) if is_slow else synth.uniform(4, 7), 0.25):
        base = synth.uniform(600, 1500)
        blip = np.sin(2 * np.pi * (base * time + base * synth.uniform(1, 3) * time**2))
        synth.place(track, blip * fall, start, synth.uniform(0.5, 1))
    return track


def _bubble_kinds(synth: SynthContext, low_hz: float, high_hz: float, num_periods: float, rise: float) -> Signal:
    """32 bubbles [32, T]: tones that die in about `num_periods` and rise by the share `rise` meanwhile."""
    pitch = np.geomspace(low_hz, high_hz, 32)[:, None]
    fall_s = num_periods / pitch * synth.random.uniform(0.7, 1.3, (32, 1))
    time = synth.span(min(0.2, 3 * num_periods / low_hz))
    tone = np.sin(2 * np.pi * pitch * (time + 0.5 * rise * time**2 / fall_s))
    bubbles: Signal = tone * np.exp(-time / fall_s) * np.minimum(1, time / (0.3 * fall_s))
    return bubbles


def stream(synth: SynthContext) -> Signal:
    """A brook: countless little bubbles over a murmur of water; a roaring one rushes."""
    is_roaring = synth.choose("size", "roaring", "gentle") == "roaring"
    kinds = _bubble_kinds(synth, 380, 1900, 6 if is_roaring else 9, 0.15)
    num_bubbles = max(4, round((synth.uniform(110, 150) if is_roaring else synth.uniform(28, 45)) * synth.seconds))
    starts = synth.random.uniform(0, 0.99 * synth.seconds, num_bubbles)
    gains = synth.random.exponential(0.3, num_bubbles).clip(0.05, 1.0)
    track = synth.silence()
    for start, kind, gain in zip(starts, synth.random.integers(0, 32, num_bubbles), gains, strict=True):
        synth.place(track, kinds[kind], start, gain)
    rush = synth.bandpass(synth.noise(), 180, 700, order=1) * (0.6 + 0.4 * synth.wander(6))
    foam = synth.bandpass(synth.noise(), 900, 2600, order=1) * (0.5 + 0.5 * synth.wander(9))
    brook: Signal = track + rush * (0.45 if is_roaring else 0.06) + foam * (0.12 if is_roaring else 0.015)
    return brook


def bubbles(synth: SynthContext) -> Signal:
    """Bubbles under water: round rising blubs, in chains one by one or in a rolling boil."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    base = synth.uniform(130, 190) if is_low else synth.uniform(430, 600)
    kinds = _bubble_kinds(synth, base, 2 * base, 7 if is_low else 14, 0.7)
    track = 0.12 * synth.bandpass(synth.noise(), 0.8 * base, 2 * base) * synth.wander(8)
    for start in synth.onsets(synth.uniform(1.1, 1.5) if is_slow else synth.uniform(3.6, 4.6), 0.2):
        kind, moment = synth.count(0, 12), start
        for _ in range(synth.count(3, 6)):
            synth.place(track, kinds[kind], moment, synth.uniform(0.5, 1))
            kind = min(31, kind + synth.count(1, 7))
            moment += synth.uniform(0.06, 0.1)
    return track
