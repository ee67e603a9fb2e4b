"""Things that burst, break or rush past."""

from __future__ import annotations

import numpy as np

from engine.sounds.bodies import Body, StruckBody, contact
from engine.sounds.synthesis import Signal, SynthContext

_BLAST_BANDS = ((22, 110, 1.0, 1.25), (110, 380, 0.75, 0.8), (380, 1400, 0.36, 0.42), (1400, 5000, 0.15, 0.35))
"""Edges in Hz, fall over that of the boom, and gain: the highs of a blast are gone long before its rumble."""


def _boom(synth: SynthContext, seconds: float, fall_s: float) -> Signal:
    """One blast: a front that overdrives everything, bands that die at their own pace, and a rolling rumble."""
    time = synth.span(seconds)
    noise = synth.noise(seconds)
    boom = 0.5 * synth.highpass(noise, 5000) * np.exp(-time / (synth.uniform(0.05, 0.13) * fall_s))
    course = np.linspace(0, 1, len(time))
    for low, high, fall, gain in _BLAST_BANDS:
        knots = np.exp(0.5 * synth.random.standard_normal(max(3, round(6 * seconds))))
        roll = np.interp(course, np.linspace(0, 1, len(knots)), knots)
        band = synth.bandpass(noise, low * synth.uniform(0.8, 1.2), high, 1)
        level = gain * synth.uniform(0.6, 1.4) / (np.std(band) + 1e-9)
        boom += level * band * np.exp(-time / (fall * fall_s)) * roll
    sub = np.sin(synth.phase(synth.uniform(30, 60) * np.exp(-time * synth.uniform(1, 3)) + 24))
    boom += synth.uniform(0.3, 1.0) * sub * np.exp(-time / (0.6 * fall_s))
    front = synth.noise(seconds) * np.exp(-time / synth.uniform(0.004, 0.02))
    rise = np.minimum(1, time / synth.uniform(0.001, 0.008))
    blast: Signal = np.tanh((1.2 * boom + front) * rise)
    return blast


def explosion(synth: SynthContext) -> Signal:
    """A blast whose highs die first, its rumble rolling on among the echoes, and debris that falls where it likes."""
    is_huge = synth.choose("size", "huge", "small") == "huge"
    fall_s = synth.uniform(0.6, 1.4) if is_huge else synth.uniform(0.12, 0.3)
    seconds = 3.6 if is_huge else 1.5
    rolls, drive = synth.uniform(0.0, 1.0) ** 2, float(np.exp(synth.uniform(-0.7, 1.0)))
    track = synth.silence()
    for start in synth.occasions(1.3, 5.5, 8.0):
        boom = _boom(synth, seconds, fall_s)
        if synth.uniform(0, 1) < 0.5:  # an overdriven one, as near blasts are
            boom = np.tanh(drive * boom) / drive
        synth.place(track, boom, start)
        if "count" not in synth.attributes and synth.uniform(0, 1) < 0.2:  # a second charge, or a chain of them
            for later in np.cumsum(synth.random.exponential(0.22, synth.count(1, 6))):
                synth.place(track, boom[: len(boom) // 2], start + 0.05 + float(later), synth.uniform(0.2, 0.8))
        synth.place(track, _rumble(synth, 1.6 * seconds, 1.5 * fall_s), start, rolls)
        for _ in range(synth.count(15, 60)):
            after = 0.15 + float(synth.random.exponential(0.9 * fall_s))
            piece = contact(synth, synth.uniform(0.01, 0.06), synth.uniform(1500, 9000))
            synth.place(track, piece, start + after, synth.uniform(0.02, 0.16) * float(np.exp(-after)))
    return track


def _rumble(synth: SynthContext, seconds: float, fall_s: float) -> Signal:
    """What rolls on after a blast: low noise that comes and goes among the echoes, and darkens, [T]."""
    top_db = synth.uniform(-14, -6)
    levels = (0, 2, top_db / 2, top_db, 2.2 * top_db, 3.5 * top_db, 5 * top_db)
    roll = synth.texture((25, 60, 150, 400, 1200, 4000, 20000), levels, 5, 7, seconds)
    time = synth.span(seconds)
    envelope = np.exp(-time / fall_s) * np.minimum(1, time / synth.uniform(0.01, 0.2))
    rolling: Signal = roll * envelope / (np.std(roll) + 1e-9)
    return rolling


def _shards(synth: SynthContext, size: float) -> list[Signal]:
    """Two dozen splinters: a tick and three to eight modes of 5 to 60 ms each."""
    hertz = np.sort(np.exp(synth.random.uniform(np.log(1300 / size), np.log(16000), 60)))
    falls = np.exp(synth.random.uniform(np.log(0.004), np.log(0.05), 60)) * (3000 / hertz) ** 0.2
    body = StruckBody(synth, Body(hertz, falls), 0.25)
    shards = []
    for _ in range(24):
        ring = synth.uniform(0.4, 2.0) * body.blow(14000, 0.0, synth.uniform(0.05, 0.15))
        tick = synth.highpass(contact(synth, synth.uniform(0.01, 0.06), 16000), synth.uniform(600, 3000), 1)
        ring[: len(tick)] += synth.uniform(0.2, 1.2) * tick
        shards.append(ring)
    return shards


def glass(synth: SynthContext) -> Signal:
    """A pane or a vessel breaks: cracks within a few hundredths of a second, then splinters that fall and bounce."""
    track = synth.silence()
    size = synth.uniform(0.7, 1.6)
    shards = _shards(synth, size)
    for start in synth.occasions(1.4, 4.5, 6.5):
        for _ in range(synth.count(3, 8)):
            crack = synth.highpass(contact(synth, synth.uniform(0.05, 0.2), 16000), synth.uniform(300, 1800), 1)
            synth.place(track, crack, start + float(synth.random.exponential(0.02)), synth.uniform(0.5, 1.6))
        synth.place(track, contact(synth, 0.08, 900), start, synth.uniform(0, 3) * size)
        spread, dying = synth.uniform(0.15, 0.5), synth.uniform(0.7, 2.0)
        for _ in range(synth.count(60, 180)):
            delay = float(synth.random.gamma(1.1, spread)) + 0.004
            gain = synth.uniform(0.02, 0.5) ** 1.5 * float(np.exp(-dying * delay))
            synth.place(track, shards[synth.count(0, len(shards))], start + delay, 2 * gain)
    return track
