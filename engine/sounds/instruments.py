"""Keys, plucked strings and beads: piano, guitar and shaker."""

from __future__ import annotations

import numpy as np

from engine.sounds.partials import banded_noise, body, doublets, ringing, spread
from engine.sounds.synthesis import Signal, SynthContext

TUNE = (0, 2, 4, 7, 9, 12)
"""Semitones of the scale from which melodies are taken."""
_CHORDS = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (-3, 0, 4))
_STRUMS = ((0, 7, 12, 16, 19), (-3, 4, 9, 12, 16), (5, 9, 12, 17, 21))


def _piano_note(synth: SynthContext, pitch_hz: float, seconds: float, hardness: float) -> Signal:
    """A hammered string: stretched partials in beating pairs that fall fast, then slowly, and the knock of the key.

    The strings of one key first move together and lose their energy to the soundboard; what is left of them out of
    step falls several times more slowly (Weinreich, 1977).
    """
    k = np.arange(1, int(np.clip(9000 / pitch_hz, 8, 30)) + 1)
    stretch = 1.5e-4 * (pitch_hz / 130) ** 0.9 + 1e-4
    partials = pitch_hz * k * np.sqrt(1 + stretch * k**2)
    falls = 0.9 * (220 / pitch_hz) ** 0.4 / (1 + 0.16 * (k - 1)) * synth.random.uniform(0.6, 1.3, len(k))
    cutoff = hardness * 1200 * (pitch_hz / 220) ** 0.3
    gains = np.abs(np.sin(np.pi * k / 8.2)) * k**-0.5 / (1 + (partials / cutoff) ** 2)
    split = 0.0006 * pitch_hz
    after = slice(0, 10)  # the slow rest is heard of the low partials only
    pairs = doublets(synth, partials[after], 3.5 * falls[after], 0.22 * gains[after], split_hz=split, share=0.8)
    first = (partials, falls, gains)
    hertz, lives, weights = (np.r_[a, b] for a, b in zip(first, pairs, strict=True))
    note = ringing(synth, hertz, lives, weights, seconds)
    note /= np.max(np.abs(note)) + 1e-9
    knock = synth.bandpass(synth.noise(0.09), 60, 420, order=1) * synth.decay(0.09, 0.02)
    knock += 0.12 * synth.highpass(synth.noise(0.09), 1500, order=1) * synth.decay(0.09, 0.004, 0.0006)
    note[: len(knock)] += synth.uniform(0.05, 0.22) * hardness * knock[: len(note)]
    return note


def _soundboard(synth: SynthContext, track: Signal, low: float, high: float, fall_s: float) -> Signal:
    """The track with the short, uneven answer of a wooden body of 24 modes between `low` and `high` Hz."""
    modes, falls = spread(synth, low, high, 24), fall_s * synth.random.uniform(0.5, 1.5, 24)
    return track + synth.uniform(0.2, 0.6) * body(synth, track, modes, falls, synth.random.normal(0, 1, 24))


def piano(synth: SynthContext) -> Signal:
    """A piano, a grand one or an old upright: single notes of a tune, or chords, each touch another."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    in_chords = synth.choose("harmony", "chords", "notes") == "chords"
    base = synth.uniform(58, 110) if is_low else synth.uniform(480, 800)
    rate = synth.uniform(0.8, 1.4) if is_slow else synth.uniform(3.0, 4.8)
    seconds = synth.uniform(1.6, 2.6) if is_slow else synth.uniform(0.6, 1.1)
    hardness, notes = synth.uniform(0.6, 1.6), {}
    track = synth.silence()
    for start in synth.onsets(rate, 0.05):
        played = _CHORDS[synth.count(0, len(_CHORDS))] if in_chords else (TUNE[synth.count(0, len(TUNE))],)
        force = synth.uniform(0.55, 1)
        for key in played:
            if key not in notes:
                tuning = 1 + 0.0008 * synth.uniform(-1, 1)
                notes[key] = _piano_note(synth, tuning * base * 2 ** (key / 12), seconds, hardness)
            synth.place(track, notes[key], start + synth.uniform(0, 0.012), force * synth.uniform(0.8, 1))
    return _soundboard(synth, track, 70, 5000, 0.06)


def _guitar_note(synth: SynthContext, pitch_hz: float, pluck: float, life: float) -> Signal:
    """A string plucked at the share `pluck` of its length: bright at first, then its high partials are gone."""
    k = np.arange(1, int(np.clip(7000 / pitch_hz, 10, 34)) + 1)
    partials = pitch_hz * k * np.sqrt(1 + synth.uniform(1e-5, 9e-5) * k**2)
    falls = life * (150 / pitch_hz) ** 0.3 / (1 + 0.06 * k + 0.012 * k**2) * synth.random.uniform(0.7, 1.3, len(k))
    gains = np.abs(np.sin(np.pi * pluck * k)) / k**0.9 + 0.01 / k
    parts = doublets(synth, partials, falls, gains, split_hz=0.004 * pitch_hz, share=0.25)
    note = ringing(synth, *parts, 1.9)
    plucked: Signal = note / (np.max(np.abs(note)) + 1e-9)
    return plucked


def _picks(synth: SynthContext, starts_s: list[float], hardness: float) -> Signal:
    """What the finger or the plectrum adds: a scrape before each note, a snap at its start."""
    track = synth.silence()
    for start in starts_s:
        scrape = synth.bandpass(synth.noise(0.03), 1500, 7000, order=1) * np.linspace(0, 1, len(synth.span(0.03))) ** 3
        snap = synth.highpass(synth.noise(0.02), 1200, order=1) * synth.decay(0.02, 0.003, 0.0003)
        synth.place(track, scrape, max(0.0, start - 0.03), 0.3 * hardness * synth.uniform(0.1, 1))
        synth.place(track, snap, start, hardness * synth.uniform(0.4, 1))
    return track


def guitar(synth: SynthContext) -> Signal:
    """A guitar with strings of nylon or steel, or an electric one: single plucked notes, or strummed chords."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    in_chords = synth.choose("harmony", "chords", "notes") == "chords"
    base = synth.uniform(80, 125) if is_low else synth.uniform(280, 410)
    pluck, life, is_electric = synth.uniform(0.09, 0.35), synth.uniform(0.5, 1.3), synth.uniform(0, 1) < 0.3
    rate = synth.uniform(0.8, 1.3) if is_slow else synth.uniform(3.2, 4.8)
    notes: dict[int, Signal] = {}
    starts, track = [], synth.silence()
    for index, start in enumerate(synth.onsets(rate, 0.05)):
        played = _STRUMS[(index // 4) % len(_STRUMS)] if in_chords else (TUNE[synth.count(0, len(TUNE))],)
        apart = synth.uniform(0.012, 0.045) if is_slow else synth.uniform(0.005, 0.014)
        force = synth.uniform(0.7, 1.0) * (1.0 if index % 2 == 0 else 0.75)
        for place, key in enumerate(played if index % 2 == 0 else played[::-1]):
            if key not in notes:
                notes[key] = _guitar_note(synth, base * 2 ** (key / 12), pluck, life)
            starts.append(start + place * apart)
            synth.place(track, notes[key], starts[-1], force * synth.uniform(0.8, 1))
    track += _picks(synth, starts, synth.uniform(0.03, 0.14))
    if is_electric:
        drive = float(spread(synth, 0.3, 4))
        return synth.lowpass(np.tanh(drive * track), synth.uniform(3500, 5500), order=3)
    return _soundboard(synth, track, 85, 4000, 0.035)


def shaker(synth: SynthContext) -> Signal:
    """A shaker or maracas: strokes there and back, each of many beads that hit a shell, an accent now and then."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_heavy = synth.choose("intensity", "heavy", "light") == "heavy"
    rate = synth.uniform(2.4, 3.4) if is_slow else synth.uniform(7.5, 10)
    stroke = min(0.1, 0.55 / rate) * (synth.uniform(0.9, 1.4) if is_heavy else synth.uniform(0.5, 1.0))
    times, gains = [], []
    num_beads = round(float(spread(synth, 150, 700) if is_heavy else spread(synth, 80, 400)))
    early, back = synth.uniform(2, 4), synth.uniform(0.35, 0.8)
    for index, start in enumerate(synth.onsets(rate, 0.04)):
        accent = (1.0, back, synth.uniform(0.6, 0.9), back)[index % 4] * synth.uniform(0.85, 1.1)
        times.append(start + stroke * synth.random.beta(early, synth.uniform(1.5, 3), num_beads))
        gains.append(accent * synth.random.standard_normal(num_beads))
    beads = synth.impulses(np.concatenate(times), np.concatenate(gains))
    centre = float(spread(synth, 2300, 4600)) if is_heavy else float(spread(synth, 6000, 12000))
    shell = centre * np.array([1.0, 1.45, 1.9, 2.6, 3.3]) * synth.random.uniform(0.93, 1.07, 5)
    rattle = body(synth, beads, shell, spread(synth, 0.00012, 0.0008, 5), np.array([1, 0.75, 0.6, 0.45, 0.35]))
    made: Signal = (
        rattle + 0.15 * synth.highpass(beads, 0.6 * centre) + 0.001 * banded_noise(synth, (500, 8000), [0.3, 1.0])
    )
    return made
