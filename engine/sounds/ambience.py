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


def _cheer(synth: SynthContext) -> Signal:
    """A stadium that cries out: hundreds of voices on an open vowel that swells, sinks and turns to a roar."""
    num_voices, vowel = synth.count(8, 16), _VOWELS_HZ[(0, 3, 3, 0, 1)[synth.count(0, 5)]]
    size, moment, seconds = synth.uniform(0.85, 1.1), synth.uniform(0, 0.4), synth.uniform(1.2, 6.0)
    course = np.clip((synth.time - moment) / seconds, 0, 1)
    tune = 1 + synth.uniform(-0.15, 0.35) * np.sin(np.pi * course ** synth.uniform(0.5, 1.4))
    pulses = synth.silence()
    for _ in range(num_voices):
        base = synth.uniform(130, 260) if synth.uniform(0, 1) < 0.6 else synth.uniform(280, 520)
        phase = synth.phase(base * tune * (1 + 0.03 * (synth.wander(2) - 0.5))) / (2 * np.pi)
        moments = np.interp(np.arange(1.0, float(phase[-1])), phase, synth.time)
        pulses += synth.impulses(moments, synth.uniform(0.4, 1.0))
    voices = synth.silence()
    for centre, gain in zip(vowel, (1.0, 0.7, 0.4, 0.25), strict=True):
        voices += gain * synth.bandpass(pulses, size * centre * 0.85, size * centre * 1.18, order=1)
    dark = synth.uniform(-14, -5)
    levels = (-12, -3, 0, -2, dark, 1.8 * dark, 2.8 * dark, 4 * dark)
    roar = synth.texture((60, 200, 500, 1100, 2500, 5000, 9000, 20000), levels, depth_db=2.5, rate_hz=5)
    rise_s, fall = synth.uniform(0.1, 0.7), synth.uniform(0.5, 2.0)
    swell = np.minimum(1, np.maximum(0, synth.time - moment) / rise_s) * (1.02 - course) ** fall
    hush, share = synth.uniform(0.1, 0.5), synth.uniform(0.15, 0.85)
    cry = (1 - share) * voices / (np.std(voices) + 1e-9) + share * roar / (np.std(roar) + 1e-9)
    cheering: Signal = cry * (hush + swell) * (0.8 + 0.2 * synth.wander(4))
    return cheering


def crowd(synth: SynthContext) -> Signal:
    """The murmur of many people who talk at once, or of the few at the next table, in a room that answers."""
    is_huge = synth.choose("crowd", "huge", "small") == "huge"
    if is_huge and synth.uniform(0, 1) < 0.35:
        return _cheer(synth)
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
