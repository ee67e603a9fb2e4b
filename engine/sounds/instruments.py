"""Instruments beside drums and bells: shaker, piano, guitar and flute."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, Studio

_BLOCK = 256
_TUNE = (0, 2, 4, 7, 9, 12)
"""Semitones of the scale from which melodies are taken."""
_CHORDS = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (-3, 0, 4))
_STRUMS = ((0, 7, 12, 16, 19), (-3, 4, 9, 12, 16), (5, 9, 12, 17, 21))


def _string(studio: Studio, partials_hz: Signal, falls_s: Signal, gains: Signal, seconds: float) -> Signal:
    """Decaying partials of a string, given by frequency, fall and gain [K] each.

    All samples of block b are powers of each partial's pole: z**(256·b + a) = z**(256·b) · z**a, one matrix product.
    """
    num_samples = len(studio.span(seconds))
    shifts = studio.random.uniform(0, 6.28, len(partials_hz))
    poles = (-1 / falls_s + 2j * np.pi * partials_hz) / studio.sample_rate
    weights = np.where(partials_hz < 0.47 * studio.sample_rate, gains, 0.0) * np.exp(1j * shifts)
    starts = _BLOCK * np.arange(-(-num_samples // _BLOCK))
    blocks = weights * np.exp(starts[:, None] * poles)
    ring: Signal = (blocks @ np.exp(poles[:, None] * np.arange(_BLOCK))).imag.ravel()[:num_samples]
    end = np.minimum(1.0, np.arange(num_samples, 0, -1) / (0.1 * num_samples))
    struck: Signal = ring * end * np.minimum(1.0, np.arange(num_samples) / (0.0015 * studio.sample_rate))
    return struck


def _piano_note(studio: Studio, pitch_hz: float, seconds: float) -> Signal:
    """A hammered string: slightly stretched partials, the high ones fading first, and the thud of the action."""
    k = np.arange(1, 15)
    partials = pitch_hz * k * np.sqrt(1 + 4e-4 * k**2)
    falls = 1.1 * (220 / pitch_hz) ** 0.35 / (1 + 0.3 * (k - 1))
    gains = np.abs(np.sin(np.pi * k / 8.2)) / k ** (0.7 if pitch_hz < 200 else 2.2)
    note = _string(studio, partials, falls, gains, seconds)
    thud = 0.5 * studio.lowpass(studio.noise(0.06), 500) * studio.decay(0.06, 0.015)
    note[: len(thud)] += thud
    return note


def piano(studio: Studio) -> Signal:
    """A piano: single notes of a tune, or chords."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    is_low = studio.choose("pitch", "low", "high") == "low"
    in_chords = studio.choose("harmony", "chords", "notes") == "chords"
    base = studio.uniform(65, 98) if is_low else studio.uniform(523, 740)
    keys = sorted({key for chord in _CHORDS for key in chord}) if in_chords else _TUNE
    notes = {key: _piano_note(studio, base * 2 ** (key / 12), 1.8 if is_slow else 0.7) for key in keys}
    rate = studio.uniform(0.9, 1.4) if is_slow else studio.uniform(3.0, 4.5)
    track = studio.silence()
    for start in studio.onsets(rate, 0.02):
        played = _CHORDS[studio.count(0, len(_CHORDS))] if in_chords else (_TUNE[studio.count(0, len(_TUNE))],)
        force = studio.uniform(0.7, 1)
        for key in played:
            studio.place(track, notes[key], start, force)
    return track


def _guitar_note(studio: Studio, pitch_hz: float) -> Signal:
    """A plucked string: bright at first, hollow where the finger plucks, over the body's short thump."""
    k = np.arange(1, 25)
    falls = 0.55 * (150 / pitch_hz) ** 0.3 / (1 + 0.035 * k**2)
    gains = np.abs(np.sin(np.pi * 0.21 * k)) / k**0.65
    note = _string(studio, pitch_hz * k, falls, gains, 1.5)
    thump = 0.8 * studio.bandpass(studio.noise(0.1), 90, 230) * studio.decay(0.1, 0.03)
    pick = 0.8 * studio.highpass(studio.noise(0.1), 2200) * studio.decay(0.1, 0.005, 0.0005)
    note[: len(pick)] += pick + thump
    return note


def guitar(studio: Studio) -> Signal:
    """A guitar: single plucked notes, or strummed chords."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    is_low = studio.choose("pitch", "low", "high") == "low"
    in_chords = studio.choose("harmony", "chords", "notes") == "chords"
    base = studio.uniform(90, 120) if is_low else studio.uniform(290, 390)
    keys = sorted({key for strum in _STRUMS for key in strum}) if in_chords else _TUNE
    notes = {key: _guitar_note(studio, base * 2 ** (key / 12)) for key in keys}
    rate = studio.uniform(0.9, 1.3) if is_slow else studio.uniform(3.2, 4.5)
    track = studio.silence()
    for index, start in enumerate(studio.onsets(rate, 0.03)):
        played = _STRUMS[(index // 4) % len(_STRUMS)] if in_chords else (_TUNE[studio.count(0, len(_TUNE))],)
        spread = studio.uniform(0.018, 0.03) if is_slow else 0.01
        for place, key in enumerate(played if index % 2 == 0 else played[::-1]):
            studio.place(track, notes[key], start + place * spread, 1.0 if index % 2 == 0 else 0.75)
    return track


def shaker(studio: Studio) -> Signal:
    """Maracas: swishes of many small beads, an accent on every fourth."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    is_heavy = studio.choose("intensity", "heavy", "light") == "heavy"
    rate = studio.uniform(2.4, 3.4) if is_slow else studio.uniform(7.5, 10)
    stroke = min(0.11, 0.6 / rate) * (1.2 if is_heavy else 0.8)
    centre = studio.uniform(2300, 2900) if is_heavy else studio.uniform(4800, 5800)
    times, gains = [], []
    num_beads = 110 if is_heavy else 45
    for index, start in enumerate(studio.onsets(rate, 0.02)):
        accent = (1.0, 0.5, 0.7, 0.5)[index % 4]
        times.append(start + stroke * studio.random.beta(2.5, 2.0, num_beads))
        gains.append(accent * studio.random.standard_normal(num_beads))
    beads = studio.impulses(np.concatenate(times), np.concatenate(gains))
    gourd = studio.lowpass(studio.highpass(beads, 0.8 * centre, order=1), 1.25 * centre, order=1)
    return gourd + 0.25 * studio.highpass(beads, centre)


def flute(studio: Studio) -> Signal:
    """A flute: a tune of long breathy tones with a late vibrato."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    is_low = studio.choose("pitch", "low", "high") == "low"
    base = studio.uniform(262, 340) if is_low else studio.uniform(700, 900)
    rate = studio.uniform(0.9, 1.3) if is_slow else studio.uniform(3.2, 4.5)
    starts = np.asarray([*studio.onsets(rate, 0.08), studio.seconds + 1])
    keys = np.asarray(_TUNE)[studio.random.integers(0, len(_TUNE), len(starts))]
    index = np.searchsorted(starts, studio.time, side="right") - 1
    since, left = studio.time - starts[np.maximum(index, 0)], starts[index + 1] - studio.time
    sounding = np.clip(since / 0.05, 0, 1) * np.clip((left - 0.03) / 0.04, 0, 1) * (index >= 0)
    vibrato = np.clip((since - 0.15) / 0.3, 0, 1) * np.sin(2 * np.pi * studio.uniform(4.8, 5.6) * studio.time)
    pitch = base * 2 ** (keys[index] / 12) * (1 + 0.012 * vibrato - 0.03 * np.exp(-np.abs(since) / 0.02))
    phase = studio.phase(pitch)
    tone = np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.12 * np.sin(3 * phase) + 0.04 * np.sin(4 * phase)
    breath = studio.bandpass(studio.noise(), 1.5 * base, 7 * base, order=1)
    chiff = 1 + 4 * np.exp(-np.abs(since) / 0.04)
    played: Signal = sounding * ((1 + 0.25 * vibrato) * tone + 0.13 * chiff * breath)
    return played
