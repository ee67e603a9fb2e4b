"""Places full of people and vehicles."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext

_VOWELS_HZ = ((700, 1150, 2500), (500, 1750, 2450), (320, 2150, 2900), (420, 850, 2350))
"""The first three formants of "ah", "eh", "ee" and "oh"."""


def _talk(synth: SynthContext) -> tuple[Signal, Signal, Signal]:
    """One voice as glottal pulses: their times in seconds, their gains, and the vowel that each belongs to, all [P]."""
    base = synth.uniform(95, 145) if synth.uniform(0, 1) < 0.5 else synth.uniform(175, 240)
    rate = synth.uniform(4.0, 5.5)
    num_syllables = int(rate * synth.seconds) + 3
    melody = synth.random.uniform(0.85, 1.2, num_syllables)
    gains = synth.random.uniform(0.4, 1, num_syllables) * (synth.random.uniform(0, 1, num_syllables) > 0.22)
    vowels = synth.random.integers(0, len(_VOWELS_HZ), num_syllables)
    num_pulses = int(base * 1.3 * synth.seconds) + 2
    turns = np.arange(num_pulses) / base * rate
    times = np.cumsum(1 / (base * np.interp(turns, np.arange(num_syllables), melody)))
    times = times[times < synth.seconds]
    syllable, share = np.divmod(times * rate + synth.uniform(0, 1), 1)
    index = syllable.astype(np.int64)
    return times, gains[index] * np.sin(np.pi * share) ** 0.7, vowels[index]


def crowd(synth: SynthContext) -> Signal:
    """The murmur of many people who talk at once, or of the few at the next table."""
    is_huge = synth.choose("crowd", "huge", "small") == "huge"
    loudness = synth.uniform(0.5, 1.0)
    talkers = [_talk(synth) for _ in range(synth.count(10, 15) if is_huge else synth.count(2, 4))]
    times, gains, vowels = (np.concatenate(parts) for parts in zip(*talkers, strict=True))
    track = synth.silence()
    for vowel, formants_hz in enumerate(_VOWELS_HZ):
        is_said = vowels == vowel
        pulses = synth.lowpass(synth.impulses(times[is_said], gains[is_said]), 450)
        for centre, gain in zip(formants_hz, (1.0, 0.8, 0.5), strict=True):
            track += gain * synth.bandpass(pulses, centre * 0.9, centre * 1.1, order=1)
    room = synth.bandpass(synth.noise(), 250, 1200, order=1)
    return track + room * loudness * (0.012 if is_huge else 0.002)


def traffic(synth: SynthContext) -> Signal:
    """Cars that pass, their pitch sinking as they go by, over the low hum of a town."""
    is_heavy = synth.choose("intensity", "heavy", "light") == "heavy"
    closeness, motors = synth.silence(), synth.silence()
    moment = synth.uniform(-0.8, 0.2)
    while moment < synth.seconds:
        width = synth.uniform(0.16, 0.3)
        time = synth.span(9 * width) - 4.5 * width
        way = time / width
        near = np.cos(np.pi * time / (9 * width)) ** 2 / (1 + way**2)
        phase = synth.phase(synth.uniform(55, 95) * (1 - 0.13 * way / np.sqrt(1 + way**2)))
        motor = (np.exp(2.5 * np.cos(phase)) - 3.3) * near
        gain, skip = synth.uniform(0.4, 1), max(0, round(-moment * synth.sample_rate))
        synth.place(closeness, near[skip:], max(0.0, moment), gain)
        synth.place(motors, motor[skip:], max(0.0, moment), gain)
        moment += synth.uniform(0.35, 0.7) if is_heavy else synth.uniform(1.6, 2.4)
    tyres = synth.bandpass(synth.noise(), 250, 900) * closeness
    tyres += 1.1 * synth.bandpass(synth.noise(), 800, 2200) * closeness**2
    town = synth.lowpass(synth.noise(), 140) * (0.7 + 0.3 * synth.wander(1.5))
    street: Signal = tyres + 0.3 * synth.lowpass(motors, 900, order=1) + town * (2.5 if is_heavy else 1.0)
    return street
