"""Drums and bells."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext

_BELL_RATIOS = (1, 2.0, 2.74, 3.0, 4.1)
_TOWER_RATIOS = (0.5, 1, 1.19, 1.5, 2, 2.74, 3, 4.07, 5.4)


def kick(synth: SynthContext) -> Signal:
    """A bass drum: a sinking thump with a beater's click."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    rate, base = synth.uniform(1, 1.5) if is_slow else synth.uniform(2.6, 3.6), synth.uniform(45, 60)
    time = synth.span(0.35)
    thump = np.sin(synth.phase(base + 180 * np.exp(-time * 35))) * synth.decay(0.35, 0.12, 0.001)
    track = synth.silence()
    for start in synth.onsets(rate, 0):
        synth.place(track, thump, start)
        synth.place(track, synth.noise(0.005), start, 0.3)
    return track


def snare(synth: SynthContext) -> Signal:
    """A snare drum: a rattle of wires over a short tone."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    rate, pitch = synth.uniform(1, 1.5) if is_slow else synth.uniform(3.5, 6), synth.uniform(170, 230)
    skin = np.sin(2 * np.pi * pitch * synth.span(0.3)) * synth.decay(0.3, 0.05, 0.001)
    wires = 0.7 * synth.decay(0.3, 0.07, 0.001)
    track = synth.silence()
    for start in synth.onsets(rate, 0):
        synth.place(track, synth.highpass(synth.noise(0.3), 1200) * wires + skin, start, synth.uniform(0.8, 1))
    return track


def hihat(synth: SynthContext) -> Signal:
    """A hi-hat: clipped hiss at the top, now and then open."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    track = synth.silence()
    for index, start in enumerate(synth.onsets(synth.uniform(2.2, 3.2) if is_slow else synth.uniform(6, 9), 0)):
        fall = synth.decay(0.3, 0.12 if synth.uniform(0, 1) < 0.2 else 0.022, 0.0008)
        hiss = synth.highpass(synth.noise(0.3), 5500, order=4)
        synth.place(track, hiss * fall, start, 1.0 if index % 2 == 0 else 0.6)
    return track


def bell(synth: SynthContext) -> Signal:
    """A hand bell, rung again and again."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    pitch = synth.uniform(1500, 2600)
    track = synth.silence()
    for start in synth.onsets(synth.uniform(0.6, 1.1) if is_slow else synth.uniform(3.5, 6), 0.04):
        ring = synth.modes(pitch, _BELL_RATIOS, (0.5, 0.35, 0.25, 0.2, 0.1), (1, 0.5, 0.5, 0.3, 0.2), 1.5)
        synth.place(track, ring, start, synth.uniform(0.7, 1))
    return track


def church_bell(synth: SynthContext) -> Signal:
    """A tower bell with hum, prime, minor third, fifth and octave, ringing long."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    pitch = synth.uniform(110, 170) if is_low else synth.uniform(300, 420)
    falls = (3, 2.2, 1.6, 1.2, 1.3, 0.7, 0.5, 0.4, 0.2)
    toll = synth.modes(pitch, _TOWER_RATIOS, falls, (0.6, 1, 0.8, 0.4, 0.9, 0.5, 0.4, 0.3, 0.3), 5.0)
    track = synth.silence()
    for start in synth.onsets(synth.uniform(0.4, 0.8), 0.03):
        synth.place(track, toll, start)
    return track
