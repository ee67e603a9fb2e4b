"""Drums and cymbals: struck skins, wires, and plates of metal; some from wood and brass, some from circuits."""

from __future__ import annotations

import numpy as np

from engine.sounds.partials import banded_noise, ringing, spread, strokes
from engine.sounds.synthesis import Signal, SynthContext

_SKIN = np.array([1.0, 1.594, 2.136, 2.296, 2.653, 2.918, 3.156, 3.501])
"""Ratios of the modes of an ideal round membrane (zeros of Bessel functions)."""
_SQUARES_HZ = np.array([205.3, 304.4, 369.6, 522.7, 540.0, 800.0])
"""The six oscillators of the hi-hat of an analogue drum machine."""
_BANDS_HZ = (300.0, 900.0, 2200.0, 4500.0, 8500.0, 15000.0)


def _beat(synth: SynthContext, rate_hz: float, jitter: float) -> tuple[Signal, Signal]:
    """Starts in seconds and gains of a player's strokes: none quite in time, none as hard as another."""
    starts = np.asarray(list(synth.onsets(rate_hz, jitter)))
    return starts, synth.random.uniform(0.75, 1.0, len(starts))


def _is_counted(synth: SynthContext) -> bool:
    return "count" in synth.attributes


def kick(synth: SynthContext) -> Signal:
    """A bass drum, played with a beater or made by a circuit: a sinking thump, its click, the rest of a skin."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    starts, gains = _beat(synth, synth.uniform(1, 1.6) if is_slow else synth.uniform(2.6, 3.6), 0.012)
    is_wooden = synth.uniform(0, 1) < 0.4
    base, sweep = synth.uniform(42, 66), float(spread(synth, 60, 320))
    longest = 0.11 if _is_counted(synth) or not is_slow else 0.4
    fall = float(spread(synth, 0.05, longest))
    time = synth.span(min(1.4, 5 * fall + 0.1))
    bend = base + sweep * np.exp(-time * synth.uniform(25, 60)) + 0.1 * base * np.exp(-time * 9)
    thump = np.sin(synth.phase(bend) + synth.uniform(0, 1)) * np.exp(-time / fall)
    thump *= np.minimum(1, time / synth.uniform(0.0005, 0.004))
    drive = float(spread(synth, 0.2, 2.5))
    thump = np.tanh(drive * thump) / np.tanh(drive)
    if is_wooden:
        pitch, falls = base * synth.uniform(1.4, 2.2), spread(synth, 0.015, 0.06, 8)
        skin = ringing(synth, pitch * _SKIN, falls, spread(synth, 0.02, 0.15, 8), 0.3)
        thump[: len(skin)] += skin[: len(thump)]
    slap = banded_noise(synth, (400, 1500, 4000, 9000, 14000), [float(gain) for gain in spread(synth, 0.05, 1, 5)])
    level = float(spread(synth, 0.006, 0.12)) if is_wooden else float(spread(synth, 0.0005, 0.1))
    click = level * slap * strokes(synth, starts, gains**2, synth.uniform(0.0015, 0.012), 0.0002)
    track = synth.silence()
    for start, gain in zip(starts, gains, strict=True):
        synth.place(track, thump, start, gain)
    return track + click


def snare(synth: SynthContext) -> Signal:
    """A snare drum: two skins over each other, and wires that rattle on in bands of their own."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    starts, gains = _beat(synth, synth.uniform(1, 1.5) if is_slow else synth.uniform(3.5, 6), 0.025)
    if not is_slow and not _is_counted(synth):
        gains *= np.where(synth.random.uniform(0, 1, len(gains)) < 0.2, 0.4, 1.0)  # ghost notes
    pitch, depth = float(spread(synth, 150, 340)), synth.uniform(0.0, 0.35)
    time = synth.span(0.4)
    fall = float(spread(synth, 0.025, 0.09))
    phase = synth.phase(pitch * (1 + depth * np.exp(-time * 60)))
    skin = np.sin(phase) * np.exp(-time / fall) + 0.6 * np.sin(1.83 * phase) * np.exp(-time / (0.6 * fall))
    rim = ringing(synth, pitch * _SKIN[2:] * 1.1, spread(synth, 0.01, 0.05, 6), spread(synth, 0.03, 0.25, 6), 0.25)
    skin[: len(rim)] += rim
    skin *= np.minimum(1, time / 0.0008)
    wires, tilt = float(spread(synth, 0.25, 2.5)), synth.uniform(-0.7, 0.2)
    longest = 0.075 if _is_counted(synth) or not is_slow else 0.18
    fall = float(spread(synth, 0.04, longest))
    snap, levels = 1.2 * strokes(synth, starts, gains**1.6, 0.005, 0.0003), []
    for octave in range(len(_BANDS_HZ)):
        shape = snap + strokes(synth, starts, gains**1.3, fall * synth.uniform(0.6, 1.25) * 0.93**octave, 0.001)
        levels.append(wires * (0.12, 0.35, 0.5, 0.6, 0.45, 0.3)[octave] * 2 ** (tilt * (octave - 3)) * shape)
    track = banded_noise(synth, _BANDS_HZ, levels)
    for start, gain in zip(starts, gains, strict=True):
        synth.place(track, skin, start, gain)
    return track


def tom(synth: SynthContext) -> Signal:
    """Toms of a drum kit: skins of several sizes that sink a little as they ring, struck alone or in a fill."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    starts, gains = _beat(synth, synth.uniform(1, 1.7) if is_slow else synth.uniform(3.2, 5.5), 0.03)
    top = synth.uniform(80, 115) if is_low else synth.uniform(175, 270)
    sizes = [top * ratio for ratio in (1, synth.uniform(0.8, 0.9), synth.uniform(0.68, 0.78))]
    fall = float(spread(synth, 0.06, 0.13 if _is_counted(synth) or not is_slow else 0.35))
    seconds = min(1.2, 5 * fall)
    time = synth.span(seconds)
    sag, rate = synth.uniform(0.04, 0.3), synth.uniform(12, 40)
    falls, weights = fall * spread(synth, 0.2, 0.7, 8), spread(synth, 0.08, 0.6, 8) * np.linspace(1, 0.3, 8)
    hits = []
    for size in sizes:
        phase = synth.phase(size * (1 + sag * np.exp(-time * rate)))
        hit = np.sin(phase) * np.exp(-time / fall) * np.minimum(1, time / 0.001)
        hits.append(hit + ringing(synth, size * _SKIN, falls, weights, seconds))
    stick = strokes(synth, starts, gains**2, 0.006, 0.0003)
    stick += float(spread(synth, 0.005, 0.06)) * strokes(synth, starts, gains, 0.12, 0.01)  # of the snare beside it
    skins = float(spread(synth, 0.03, 0.2))
    stick += skins * strokes(synth, starts, gains, synth.uniform(0.04, 0.1), 0.001)
    track = stick * banded_noise(synth, _BANDS_HZ, [float(level) for level in spread(synth, 0.05, 0.6, 6)])
    is_fill = synth.uniform(0, 1) < 0.6
    for index, (start, gain) in enumerate(zip(starts, gains, strict=True)):
        which = min(2, index * 3 // len(starts)) if is_fill else synth.count(0, 3)
        synth.place(track, hits[which], start, gain)
    return track


def _squares(synth: SynthContext, root: float) -> Signal:
    """Six square waves out of tune with each other, their edges softened so that little folds back, [T]."""
    total = synth.silence()
    for hertz in root * _SQUARES_HZ:
        wave = np.sin(2 * np.pi * hertz * synth.time)
        total += wave / (np.abs(wave) + 3 * hertz / synth.sample_rate)
    return total


def hihat(synth: SynthContext) -> Signal:
    """A hi-hat of metal or of a circuit: hiss of the whole band and partials out of tune, closed, half open or open."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    starts, gains = _beat(synth, synth.uniform(2.2, 3.2) if is_slow else synth.uniform(6, 9), 0.015)
    gains *= np.where(np.arange(len(starts)) % 2 == 0, 1.0, synth.uniform(0.45, 0.9))
    closed, opened = float(spread(synth, 0.014, 0.05)), float(spread(synth, 0.12, 0.45))
    is_open = synth.random.uniform(0, 1, len(starts)) < synth.uniform(0, 0.3)
    falls = np.where(is_open, opened, closed * synth.random.uniform(0.8, 1.3, len(starts)))
    index = np.maximum(np.searchsorted(starts, synth.time, side="right") - 1, 0)
    since = synth.time - starts[index]  # the next stroke chokes the one before it
    shut = np.where(since >= 0, gains[index] * np.minimum(1, np.maximum(since, 0) / 0.0006), 0.0)
    bright, dark = synth.uniform(0.7, 1.3), float(spread(synth, 0.02, 0.25))
    colour = np.array([dark, 0.8 * dark, 0.25, 0.6, bright, bright]) * spread(synth, 0.7, 1.4, 6)
    levels = []
    for level, life in zip(colour, (0.5, 0.6, 0.8, 1.0, 1.0, 0.8), strict=True):
        levels.append(level * shut * np.exp(-np.maximum(since, 0) / (falls[index] * life * synth.uniform(0.8, 1.2))))
    track = banded_noise(synth, _BANDS_HZ, levels)
    metal = synth.highpass(_squares(synth, synth.uniform(0.8, 2.4)), synth.uniform(2500, 6000), order=3)
    made: Signal = track + synth.uniform(0.0, 0.5) * metal * levels[4]
    return made


def _plate(synth: SynthContext, root: float, num: int, fall: float) -> tuple[Signal, Signal, Signal]:
    """Partials in Hz, falls in seconds and gains [num] of a thin plate: dense, the low ones longest."""
    hertz = root + (11000 - root) * np.sort(synth.random.uniform(0, 1, num)) ** 1.6
    falls = fall * (hertz / root) ** -0.45 * synth.random.uniform(0.5, 1.5, num)
    return hertz, falls, spread(synth, 0.2, 1, num) * (hertz / root) ** -0.25


def cymbal(synth: SynthContext) -> Signal:
    """A cymbal: a crash that blooms upwards and falls for seconds, or light taps on a ride."""
    is_heavy = synth.choose("intensity", "heavy", "light") == "heavy"
    starts = np.asarray(
        list(synth.occasions(0.5, 1.8, 3.2) if is_heavy else synth.onsets(synth.uniform(1.6, 3.6), 0.03))
    )
    gains = synth.random.uniform(0.7, 1.0, len(starts))
    fall = float(spread(synth, 0.5, 1.3)) if is_heavy else float(spread(synth, 0.15, 0.5))
    fall = min(fall, 0.5) if _is_counted(synth) else fall
    seconds = min(4 * fall, synth.seconds + 0.1)
    ring = ringing(synth, *_plate(synth, synth.uniform(280, 480), 40, fall), seconds)
    ring /= np.std(ring[: max(8, round(0.2 * synth.sample_rate))]) + 1e-9
    levels = []
    for band, level in enumerate((0.1, 0.25, 0.5, 0.8, 1.0, 0.8)):
        bloom = (0.002 + 0.006 * band) * (1.0 if is_heavy else 0.1)  # the plate hands its energy upwards
        life = fall * (1.0, 1.1, 0.9, 0.65, 0.45, 0.3)[band] * synth.uniform(0.8, 1.2)
        levels.append(level * strokes(synth, starts, gains, life, bloom))
    track = banded_noise(synth, _BANDS_HZ, levels) * (1.0 if is_heavy else 0.35)
    tick = synth.noise() * strokes(synth, starts, gains, 0.003, 0.0003)
    for start, gain in zip(starts, gains, strict=True):
        synth.place(track, ring, start, gain * (0.35 if is_heavy else 0.5))
    return track + synth.uniform(0.2, 1.0) * tick
