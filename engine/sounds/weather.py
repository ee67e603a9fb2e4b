"""Weather, water and fire."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, Studio


def rain(studio: Studio) -> Signal:
    """Steady hiss with drops on top."""
    is_heavy = studio.choose("intensity", "heavy", "light") == "heavy"
    hiss = studio.lowpass(studio.highpass(studio.noise(), 600 if is_heavy else 1500), 6500)
    drops = studio.scatter(studio.uniform(35, 70) if is_heavy else studio.uniform(12, 28), 0.3, 1.5)
    drops = studio.bandpass(drops, 1500, 6000)
    return hiss * (0.5 if is_heavy else 0.07) + drops * (4 if is_heavy else 5)


def wind(studio: Studio) -> Signal:
    """Noise in a band that swells and howls without ever stopping."""
    is_low = studio.choose("pitch", "low", "high") == "low"
    centre = studio.uniform(180, 320) if is_low else studio.uniform(700, 1200)
    gusts = studio.wander(1.2)
    body = studio.bandpass(studio.noise(), centre * 0.6, centre * 1.5) * (0.35 + 1.3 * gusts**2)
    howl = studio.bandpass(studio.noise(), centre * 1.4, centre * 1.8) * gusts**3
    return body + howl + 0.15 * studio.lowpass(studio.noise(), 300)


def thunder(studio: Studio) -> Signal:
    """A long rolling rumble of many claps; near ones begin with a tearing crack."""
    is_near = studio.choose("space", "near", "distant") == "near"
    track = studio.silence()
    for start in studio.occasions(0.8, 6.0, 9.0):
        for clap in range(studio.count(6, 11)):
            seconds = studio.uniform(1.5, 3.0)
            cutoff = studio.uniform(200, 550) if is_near else studio.uniform(80, 200)
            rise = 0.02 if is_near and clap == 0 else studio.uniform(0.08, 0.2)
            rumble = studio.lowpass(studio.noise(seconds), cutoff)
            rumble *= studio.decay(seconds, studio.uniform(0.3, 0.9), rise)
            studio.place(track, rumble, start + (0.0 if clap == 0 else studio.uniform(0, 2.6)), studio.uniform(2, 4))
        if is_near:
            tear = studio.random.uniform(0, 0.45, 60)
            crack = studio.impulses(start + tear, studio.random.uniform(0.2, 1, 60) * np.exp(-tear / 0.2))
            track += 6 * studio.bandpass(crack, 600, 5000, order=1)
    return track


def ocean(studio: Studio) -> Signal:
    """Waves: noise that swells, breaks bright, and runs out."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    period = studio.uniform(3.0, 4.4) if is_slow else studio.uniform(1.3, 2.0)
    turn = (studio.time / period + studio.uniform(0.1, 1)) % 1
    swell: Signal = np.where(turn < 0.45, (turn / 0.45) ** 2, np.exp(-(turn - 0.45) * 4))
    body = studio.bandpass(studio.noise(), 150, 900) * (0.2 + 0.6 * swell)
    spray: Signal = 0.5 * studio.highpass(studio.noise(), 900) * np.power(swell, 1.5)
    return body + spray


def fire(studio: Studio) -> Signal:
    """A low flutter with dry crackles."""
    is_roaring = studio.choose("size", "roaring", "gentle") == "roaring"
    track = studio.lowpass(studio.noise(), 500) * (0.8 if is_roaring else 0.1) * (0.6 + 0.4 * studio.wander(4))
    rate = studio.uniform(8, 16) if is_roaring else studio.uniform(3, 7)
    for _ in range(max(2, round(rate * studio.seconds))):
        seconds = studio.uniform(0.004, 0.03)
        crackle = studio.highpass(studio.noise(seconds), 1500) * studio.decay(seconds, 0.004, 0.0005)
        studio.place(track, crackle, studio.uniform(0, 0.98 * studio.seconds), studio.uniform(0.2, 1.3))
    return track


def drops(studio: Studio) -> Signal:
    """Single drops: short rising blips."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    track = studio.silence()
    time = studio.span(0.2)
    fall = studio.decay(0.2, 0.035)
    for start in studio.onsets(studio.uniform(0.9, 1.6) if is_slow else studio.uniform(4, 7), 0.25):
        base = studio.uniform(600, 1500)
        blip = np.sin(2 * np.pi * (base * time + base * studio.uniform(1, 3) * time**2))
        studio.place(track, blip * fall, start, studio.uniform(0.5, 1))
    return track


def _bubble_kinds(studio: Studio, low_hz: float, high_hz: float, num_periods: float, rise: float) -> Signal:
    """32 bubbles [32, T]: tones that die in about `num_periods` and rise by the share `rise` meanwhile."""
    pitch = np.geomspace(low_hz, high_hz, 32)[:, None]
    fall_s = num_periods / pitch * studio.random.uniform(0.7, 1.3, (32, 1))
    time = studio.span(min(0.2, 3 * num_periods / low_hz))
    tone = np.sin(2 * np.pi * pitch * (time + 0.5 * rise * time**2 / fall_s))
    bubbles: Signal = tone * np.exp(-time / fall_s) * np.minimum(1, time / (0.3 * fall_s))
    return bubbles


def stream(studio: Studio) -> Signal:
    """A brook: countless little bubbles over a murmur of water; a roaring one rushes."""
    is_roaring = studio.choose("size", "roaring", "gentle") == "roaring"
    kinds = _bubble_kinds(studio, 380, 1900, 6 if is_roaring else 9, 0.15)
    num_bubbles = max(4, round((studio.uniform(110, 150) if is_roaring else studio.uniform(28, 45)) * studio.seconds))
    starts = studio.random.uniform(0, 0.99 * studio.seconds, num_bubbles)
    gains = studio.random.exponential(0.3, num_bubbles).clip(0.05, 1.0)
    track = studio.silence()
    for start, kind, gain in zip(starts, studio.random.integers(0, 32, num_bubbles), gains, strict=True):
        studio.place(track, kinds[kind], start, gain)
    rush = studio.bandpass(studio.noise(), 180, 700, order=1) * (0.6 + 0.4 * studio.wander(6))
    foam = studio.bandpass(studio.noise(), 900, 2600, order=1) * (0.5 + 0.5 * studio.wander(9))
    brook: Signal = track + rush * (0.45 if is_roaring else 0.06) + foam * (0.12 if is_roaring else 0.015)
    return brook


def bubbles(studio: Studio) -> Signal:
    """Bubbles under water: round rising blubs, in chains one by one or in a rolling boil."""
    is_low = studio.choose("pitch", "low", "high") == "low"
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    base = studio.uniform(130, 190) if is_low else studio.uniform(430, 600)
    kinds = _bubble_kinds(studio, base, 2 * base, 7 if is_low else 14, 0.7)
    track = 0.12 * studio.bandpass(studio.noise(), 0.8 * base, 2 * base) * studio.wander(8)
    for start in studio.onsets(studio.uniform(1.1, 1.5) if is_slow else studio.uniform(3.6, 4.6), 0.2):
        kind, moment = studio.count(0, 12), start
        for _ in range(studio.count(3, 6)):
            studio.place(track, kinds[kind], moment, studio.uniform(0.5, 1))
            kind = min(31, kind + studio.count(1, 7))
            moment += studio.uniform(0.06, 0.1)
    return track
