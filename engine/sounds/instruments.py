"""Instruments other than drums and bells: shaker, piano, guitar and flute."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext

_BLOCK = 256
_TUNE = (0, 2, 4, 7, 9, 12)
"""Semitones of the scale from which melodies are taken."""
_CHORDS = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (-3, 0, 4))
_STRUMS = ((0, 7, 12, 16, 19), (-3, 4, 9, 12, 16), (5, 9, 12, 17, 21))


def _string(synth: SynthContext, partials_hz: Signal, falls_s: Signal, gains: Signal, seconds: float) -> Signal:
    """Decaying partials of a string, given by frequency, fall and gain [K] each.

    All samples of block b are powers of each partial's pole: z**(256·b + a) = z**(256·b) · z**a, one matrix product.
    """
    num_samples = len(synth.span(seconds))
    shifts = synth.random.uniform(0, 6.28, len(partials_hz))
    poles = (-1 / falls_s + 2j * np.pi * partials_hz) / synth.sample_rate
    weights = np.where(partials_hz < 0.47 * synth.sample_rate, gains, 0.0) * np.exp(1j * shifts)
    starts = _BLOCK * np.arange(-(-num_samples // _BLOCK))
    blocks = weights * np.exp(starts[:, None] * poles)
    ring: Signal = (blocks @ np.exp(poles[:, None] * np.arange(_BLOCK))).imag.ravel()[:num_samples]
    end = np.minimum(1.0, np.arange(num_samples, 0, -1) / (0.1 * num_samples))
    struck: Signal = ring * end * np.minimum(1.0, np.arange(num_samples) / (0.0015 * synth.sample_rate))
    return struck


def _piano_note(synth: SynthContext, pitch_hz: float, seconds: float) -> Signal:
    """A hammered string: slightly stretched partials, the high ones fading first, and the thud of the action."""
    k = np.arange(1, 15)
    partials = pitch_hz * k * np.sqrt(1 + 4e-4 * k**2)
    falls = 1.1 * (220 / pitch_hz) ** 0.35 / (1 + 0.3 * (k - 1))
    gains = np.abs(np.sin(np.pi * k / 8.2)) / k ** (0.7 if pitch_hz < 200 else 2.2)
    note = _string(synth, partials, falls, gains, seconds)
    thud = 0.5 * synth.lowpass(synth.noise(0.06), 500) * synth.decay(0.06, 0.015)
    note[: len(thud)] += thud
    return note


def piano(synth: SynthContext) -> Signal:
    """A piano: single notes of a tune, or chords."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    in_chords = synth.choose("harmony", "chords", "notes") == "chords"
    base = synth.uniform(65, 98) if is_low else synth.uniform(523, 740)
    keys = sorted({key for chord in _CHORDS for key in chord}) if in_chords else _TUNE
    notes = {key: _piano_note(synth, base * 2 ** (key / 12), 1.8 if is_slow else 0.7) for key in keys}
    rate = synth.uniform(0.9, 1.4) if is_slow else synth.uniform(3.0, 4.5)
    track = synth.silence()
    for start in synth.onsets(rate, 0.02):
        played = _CHORDS[synth.count(0, len(_CHORDS))] if in_chords else (_TUNE[synth.count(0, len(_TUNE))],)
        force = synth.uniform(0.7, 1)
        for key in played:
            synth.place(track, notes[key], start, force)
    return track


def _guitar_note(synth: SynthContext, pitch_hz: float) -> Signal:
    """A plucked string: bright at first, hollow where the finger plucks, over the body's short thump."""
    k = np.arange(1, 25)
    falls = 0.55 * (150 / pitch_hz) ** 0.3 / (1 + 0.035 * k**2)
    gains = np.abs(np.sin(np.pi * 0.21 * k)) / k**0.65
    note = _string(synth, pitch_hz * k, falls, gains, 1.5)
    thump = 0.8 * synth.bandpass(synth.noise(0.1), 90, 230) * synth.decay(0.1, 0.03)
    pick = 0.8 * synth.highpass(synth.noise(0.1), 2200) * synth.decay(0.1, 0.005, 0.0005)
    note[: len(pick)] += pick + thump
    return note


def guitar(synth: SynthContext) -> Signal:
    """A guitar: single plucked notes, or strummed chords."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    in_chords = synth.choose("harmony", "chords", "notes") == "chords"
    base = synth.uniform(90, 120) if is_low else synth.uniform(290, 390)
    keys = sorted({key for strum in _STRUMS for key in strum}) if in_chords else _TUNE
    notes = {key: _guitar_note(synth, base * 2 ** (key / 12)) for key in keys}
    rate = synth.uniform(0.9, 1.3) if is_slow else synth.uniform(3.2, 4.5)
    track = synth.silence()
    for index, start in enumerate(synth.onsets(rate, 0.03)):
        played = _STRUMS[(index // 4) % len(_STRUMS)] if in_chords else (_TUNE[synth.count(0, len(_TUNE))],)
        spread = synth.uniform(0.018, 0.03) if is_slow else 0.01
        for place, key in enumerate(played if index % 2 == 0 else played[::-1]):
            synth.place(track, notes[key], start + place * spread, 1.0 if index % 2 == 0 else 0.75)
    return track


def shaker(synth: SynthContext) -> Signal:
    """Maracas: swishes of many small beads, an accent on every fourth."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_heavy = synth.choose("intensity", "heavy", "light") == "heavy"
    rate = synth.uniform(2.4, 3.4) if is_slow else synth.uniform(7.5, 10)
    stroke = min(0.11, 0.6 / rate) * (1.2 if is_heavy else 0.8)
    centre = synth.uniform(2300, 2900) if is_heavy else synth.uniform(4800, 5800)
    times, gains = [], []
    num_beads = 110 if is_heavy else 45
    for index, start in enumerate(synth.onsets(rate, 0.02)):
        accent = (1.0, 0.5, 0.7, 0.5)[index % 4]
        times.append(start + stroke * synth.random.beta(2.5, 2.0, num_beads))
        gains.append(accent * synth.random.standard_normal(num_beads))
    beads = synth.impulses(np.concatenate(times), np.concatenate(gains))
    gourd = synth.lowpass(synth.highpass(beads, 0.8 * centre, order=1), 1.25 * centre, order=1)
    return gourd + 0.25 * synth.highpass(beads, centre)


def flute(synth: SynthContext) -> Signal:
    """A flute: a tune of long breathy tones with a late vibrato."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(262, 340) if is_low else synth.uniform(700, 900)
    rate = synth.uniform(0.9, 1.3) if is_slow else synth.uniform(3.2, 4.5)
    starts = np.asarray([*synth.onsets(rate, 0.08), synth.seconds + 1])
    keys = np.asarray(_TUNE)[synth.random.integers(0, len(_TUNE), len(starts))]
    index = np.searchsorted(starts, synth.time, side="right") - 1
    since, left = synth.time - starts[np.maximum(index, 0)], starts[index + 1] - synth.time
    sounding = np.clip(since / 0.05, 0, 1) * np.clip((left - 0.03) / 0.04, 0, 1) * (index >= 0)
    vibrato = np.clip((since - 0.15) / 0.3, 0, 1) * np.sin(2 * np.pi * synth.uniform(4.8, 5.6) * synth.time)
    pitch = base * 2 ** (keys[index] / 12) * (1 + 0.012 * vibrato - 0.03 * np.exp(-np.abs(since) / 0.02))
    phase = synth.phase(pitch)
    tone = np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.12 * np.sin(3 * phase) + 0.04 * np.sin(4 * phase)
    breath = synth.bandpass(synth.noise(), 1.5 * base, 7 * base, order=1)
    chiff = 1 + 4 * np.exp(-np.abs(since) / 0.04)
    played: Signal = sounding * ((1 + 0.25 * vibrato) * tone + 0.13 * chiff * breath)
    return played
