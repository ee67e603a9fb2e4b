"""Water: drops, brooks, bubbles, waves and splashes, made of bubbles that ring and foam that hisses."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext
from engine.sounds.vocal import drift, evened


def _bubble_kinds(
    synth: SynthContext, low_hz: float, high_hz: float, num_periods: float, rise: float, number: int = 32
) -> list[Signal]:
    """Bubbles from low to high: tones that die in about `num_periods` and rise by about the share `rise` meanwhile.

    A bubble of radius r rings at 3.26 m/s / r (Minnaert 1933) and climbs as it nears the surface (van den Doel 2005).
    """
    kinds = []
    for pitch in np.geomspace(low_hz, min(high_hz, 0.45 * synth.sample_rate / (1 + rise)), number):
        fall_s = num_periods / pitch * synth.uniform(0.5, 1.6)
        time = synth.span(min(0.25, 4 * fall_s))
        bend = rise * synth.uniform(-0.1, 1.6)
        tone = np.sin(2 * np.pi * pitch * (time + 0.5 * bend * time**2 / fall_s))
        kinds.append(tone * np.exp(-time / fall_s) * np.minimum(1, time * pitch / synth.uniform(1.0, 4.0)))
    return kinds


def ocean(synth: SynthContext) -> Signal:
    """Waves, each of its own length and height: a rumble that nears, a bright break, foam that hisses out."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    period = synth.uniform(3.0, 4.6) if is_slow else synth.uniform(1.3, 2.0)
    near, broken, foamy = synth.silence(), synth.silence(), synth.silence()
    moment = -synth.uniform(0.2, 0.9) * period
    while moment < synth.seconds:
        length, height = period * synth.uniform(0.75, 1.3), synth.uniform(0.45, 1.0)
        phase = (synth.time - moment) / length
        rising = np.clip(phase / synth.uniform(0.4, 0.5), 0, 1)
        near += height * rising**2 * np.exp(-np.maximum(0, phase - 0.5) * 4)
        sharp, tail = synth.uniform(14, 40), synth.uniform(2.2, 4.5)
        after = phase - synth.uniform(0.44, 0.52)
        broken += height * np.where(
            after > 0, np.exp(-np.maximum(0, after) * 1.6 * tail), np.exp(np.minimum(0, after) * sharp)
        )
        foamy += height * np.where(
            after > 0, np.exp(-np.maximum(0, after) * tail), np.exp(np.minimum(0, after) * sharp)
        )
        moment += length
    dark_db = -synth.uniform(2, 10)
    rumble = synth.texture((25, 80, 250, 600, 2000, 20000), (-3, 0, -4, -14, -34, -70), depth_db=3)
    crash = synth.texture((60, 300, 900, 2500, 6000, 20000), (-16, -3, 0, -5, -12, -26), depth_db=3, rate_hz=8)
    foam = synth.texture(
        (200, 1200, 3000, 7000, 12000, 20000),
        (-30, -8, 0, dark_db, 2.2 * dark_db, 3.5 * dark_db),
        depth_db=2.5,
        rate_hz=8,
    )
    track = synth.uniform(0.2, 0.6) * (0.1 + near) * evened(rumble) + (0.04 + broken) * evened(crash)
    surf: Signal = track + synth.uniform(0.25, 0.7) * (0.06 + foamy) * evened(foam)
    return surf


def drops(synth: SynthContext) -> Signal:
    """Single drops: a tick as one hits, then a bubble that rings and climbs."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    centre = synth.uniform(600, 1600)
    track = synth.silence()
    for start in synth.onsets(synth.uniform(0.9, 1.6) if is_slow else synth.uniform(4, 7), 0.25):
        base, delay = centre * synth.uniform(0.75, 1.4), synth.uniform(0.0, 0.02)
        gain = synth.uniform(0.5, 1)
        tick = synth.bandpass(synth.noise(0.02), 1500, 7000, order=1) * synth.decay(
            0.02, synth.uniform(0.001, 0.003), 0.0003
        )
        synth.place(track, tick, start, 0.35 * gain * synth.uniform(0.2, 1))
        for which in range(synth.count(1, 3)):
            fall_s = synth.uniform(0.012, 0.05)
            time = synth.span(5 * fall_s)
            climb = synth.uniform(0.2, 2.2)
            blip = np.sin(2 * np.pi * (base * time + base * climb * time**2)) * np.exp(-time / fall_s)
            blip += 0.08 * np.sin(2 * np.pi * 2.1 * base * time) * np.exp(-2 * time / fall_s)
            synth.place(track, blip * np.minimum(1, time / 0.002), start + delay, gain if which == 0 else 0.4 * gain)
            base, delay = base * synth.uniform(1.2, 1.9), delay + synth.uniform(0.015, 0.05)
    return track


def stream(synth: SynthContext) -> Signal:
    """A brook: countless bubbles from 300 Hz to 9 kHz, clustered where the water falls, over a murmur that wanders."""
    is_roaring = synth.choose("size", "roaring", "gentle") == "roaring"
    kinds = _bubble_kinds(synth, synth.uniform(300, 500), synth.uniform(5000, 9000), 6 if is_roaring else 8, 0.15, 48)
    number = max(8, round((synth.uniform(180, 260) if is_roaring else synth.uniform(50, 110)) * synth.seconds))
    crowded = np.cumsum(0.1 + synth.random.exponential(1.0, number + 1) ** (1.0 if is_roaring else 1.7))
    starts = 0.995 * synth.seconds * crowded[:-1] / crowded[-1]
    size = synth.random.beta(1.3, 2.0, number)
    gains = synth.random.exponential(0.3, number).clip(0.03, 1.2) * 10 ** (-0.5 * size)
    track = synth.silence()
    for start, kind, gain in zip(starts, (size * len(kinds)).astype(np.int64), gains, strict=True):
        synth.place(track, kinds[kind], float(start), float(gain))
    rush_hz = synth.uniform(300, 900)
    rush = synth.texture(
        (30, 0.3 * rush_hz, rush_hz, 3 * rush_hz, 8000, 20000), (-22, -9, 0, -7, -22, -36), depth_db=4, rate_hz=9
    )
    foam = synth.texture((200, 900, 2500, 7000, 12000, 20000), (-34, -8, 0, -4, -9, -17), depth_db=3, rate_hz=9)
    level = np.std(track)
    if is_roaring:  # a fall whose bubbles are told apart, or one that drowns them
        track *= float(np.exp(synth.uniform(-2.0, 0.0)))
    track += level * (synth.uniform(0.7, 1.6) if is_roaring else synth.uniform(0.12, 0.35)) * evened(rush)
    return track + level * (synth.uniform(0.3, 1.8) if is_roaring else synth.uniform(0.1, 0.3)) * evened(foam)


def bubbles(synth: SynthContext) -> Signal:
    """Bubbles under water: round rising blubs of many sizes, in chains or in a rolling boil, and their pops above."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    base = synth.uniform(75, 200) if is_low else synth.uniform(430, 750)
    kinds = _bubble_kinds(
        synth, base, 2.4 * base, synth.uniform(4, 9) if is_low else synth.uniform(6, 15), synth.uniform(0.3, 2.2)
    )
    warmth = synth.uniform(0, 1) ** 2  # of round bubbles that are driven hard: overtones that rise with them
    kinds = [(1 - warmth) * kind + warmth * np.tanh(4 * kind) for kind in kinds]
    pop = synth.bandpass(synth.noise(0.02), 4 * base, 9000, order=1) * synth.decay(0.02, 0.003, 0.0005)
    murmur = synth.texture(
        (30, 0.7 * base, 1.5 * base, 5 * base, 20000), (-20, -4, 0, -16, -50), depth_db=5, rate_hz=10
    )
    track = synth.uniform(0.0, 0.12) * evened(murmur)
    if synth.uniform(0, 1) < 0.2:
        track += _diver(synth, 0.7 if is_slow else 1.4)
    for start in synth.onsets(synth.uniform(1.1, 1.5) if is_slow else synth.uniform(3.6, 4.6), 0.25):
        kind, moment = synth.count(0, 14), start
        for _ in range(synth.count(1, 7)):
            gain = synth.uniform(0.35, 1)
            synth.place(track, kinds[kind], moment, gain)
            synth.place(track, pop, moment + synth.uniform(0, 0.02), gain * synth.uniform(0, 0.12))
            kind = int(np.clip(kind + synth.count(-2, 7), 0, 31))
            moment += synth.uniform(0.04, 0.11)
    return track


def _diver(synth: SynthContext, breaths_hz: float) -> Signal:
    """Air that is blown out under water: a roar of small bubbles in gushes, dull, with a grain of their bursts."""
    gush = synth.silence()
    for start in synth.onsets(breaths_hz, 0.15):
        seconds = synth.uniform(0.2, 0.6) / breaths_hz
        synth.place(gush, np.hanning(len(synth.span(seconds))), start, synth.uniform(0.5, 1))
    edge = synth.uniform(300, 900)
    air = synth.texture((40, 0.5 * edge, edge, 3 * edge, 9000, 20000), (-8, -2, 0, -10, -24, -40), 7, 30)
    blown: Signal = synth.uniform(0.2, 0.8) * evened(air) * gush * (0.3 + synth.wander(40))
    return blown


def splash(synth: SynthContext) -> Signal:
    """Something falls into water: a slap, a cavity that gulps, a crown of spray, drops that rain back."""
    is_huge = synth.choose("size", "huge", "small") == "huge"
    track = synth.silence()
    kinds = _bubble_kinds(synth, 250 if is_huge else 700, 7000, 7, 0.3)
    for start in synth.occasions(0.5, 1.3, 2.6):
        length = synth.uniform(0.5, 1.0) if is_huge else synth.uniform(0.16, 0.4)
        rise_s = synth.uniform(0.002, 0.006) if synth.uniform(0, 1) < 0.6 else synth.uniform(0.03, 0.25)  # or a stroke
        low = synth.uniform(120, 300) if is_huge else synth.uniform(500, 1000)
        body = synth.texture((20, low, 4 * low, 6000, 20000), (-18, 0, -8, -20, -36), seconds=2.2, rate_hz=25)
        hertz = (200, 1800, 5000, 11000, 20000)
        spray = synth.texture(hertz, (-26, -2, 0, -7, -18), depth_db=5.0, seconds=2.2, rate_hz=25)
        body = evened(body) * synth.decay(2.2, synth.uniform(0.25, 0.6) * length, rise_s)
        lumps = synth.decay(2.2, 0.5 * length, rise_s + synth.uniform(0.01, 0.08)) * (
            0.65 + 0.35 * drift(synth, 2.2, 22)
        )
        splashed = body + synth.uniform(0.2, 1.0) * evened(spray) * lumps
        gulp_hz, time = low * synth.uniform(0.6, 1.0), synth.span(0.3)
        gulp = (
            np.sin(2 * np.pi * gulp_hz * (time + 1.5 * time**2))
            * np.exp(-time / synth.uniform(0.04, 0.09))
            * np.minimum(1, time / 0.01)
        )
        gain = synth.uniform(0.7, 1)
        synth.place(track, splashed, start, gain)
        synth.place(track, gulp, start + synth.uniform(0.04, 0.15), gain * synth.uniform(0.2, 1.0))
        for _ in range(synth.count(12, 40)):
            later = synth.random.exponential(0.45 * length) + 0.05
            synth.place(track, kinds[synth.count(0, 32)], start + later, gain * synth.uniform(0.05, 0.4))
    return track
