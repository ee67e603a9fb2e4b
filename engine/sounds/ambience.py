"""Places full of people."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext

_VOWELS_HZ = ((700, 1150, 2500, 3500), (500, 1750, 2450, 3500), (320, 2150, 2900, 3700), (420, 850, 2350, 3300))
"""The first four formants of "ah", "eh", "ee" and "oh"."""


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


def _clinks(synth: SynthContext) -> Signal:
    """A plate, a glass or a chair now and then."""
    track = synth.silence()
    for moment in np.cumsum(synth.random.exponential(synth.uniform(0.5, 3.0), 12)):
        base = synth.uniform(1800, 5200)
        falls_s = tuple(synth.random.uniform(0.01, 0.06, 4))
        clink = synth.modes(base, (1, 1.47, 2.1, 2.9), falls_s, tuple(synth.random.uniform(0.2, 1, 4)), 0.25)
        synth.place(track, clink, float(moment), synth.uniform(0.1, 0.6))
    return track


def crowd(synth: SynthContext) -> Signal:
    """The murmur of many people who talk at once, or of the few at the next table, in a room that answers."""
    is_huge = synth.choose("crowd", "huge", "small") == "huge"
    talkers = [_talk(synth) for _ in range(synth.count(12, 18) if is_huge else synth.count(2, 4))]
    times, gains, vowels = (np.concatenate(parts) for parts in zip(*talkers, strict=True))
    track, size = synth.silence(), synth.uniform(0.88, 1.1)
    for vowel, formants_hz in enumerate(_VOWELS_HZ):
        is_said = vowels == vowel
        pulses = synth.lowpass(synth.impulses(times[is_said], gains[is_said]), 450, order=1)
        for centre, gain in zip(formants_hz, (1.0, 0.8, 0.9, 0.7), strict=True):
            track += gain * synth.bandpass(pulses, size * centre * 0.9, size * centre * 1.1, order=1)
    track /= np.std(track) + 1e-9
    hiss = synth.texture((200, 2500, 4500, 9000, 20000), (-40, -10, 0, -3, -26), depth_db=7, rate_hz=9)
    hum = synth.texture((30, 100, 300, 700, 2000, 6000, 20000), (-6, 0, -2, -6, -18, -34, -56), depth_db=4, rate_hz=8)
    track += synth.uniform(0.02, 0.06) * hiss / (np.std(hiss) + 1e-9)
    track += (synth.uniform(0.3, 0.7) if is_huge else synth.uniform(0.05, 0.15)) * hum / (np.std(hum) + 1e-9)
    if synth.uniform(0, 1) < 0.5:
        track += synth.uniform(0.2, 1.0) * _clinks(synth)
    return track
