"""Drums and bells."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, Studio

_BELL_RATIOS = (1, 2.0, 2.74, 3.0, 4.1)
_TOWER_RATIOS = (0.5, 1, 1.19, 1.5, 2, 2.74, 3, 4.07, 5.4)


def kick(studio: Studio) -> Signal:
    """A bass drum: a sinking thump with a beater's click."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    rate, base = studio.uniform(1, 1.5) if is_slow else studio.uniform(2.6, 3.6), studio.uniform(45, 60)
    time = studio.span(0.35)
    thump = np.sin(studio.phase(base + 180 * np.exp(-time * 35))) * studio.decay(0.35, 0.12, 0.001)
    track = studio.silence()
    for start in studio.onsets(rate, 0):
        studio.place(track, thump, start)
        studio.place(track, studio.noise(0.005), start, 0.3)
    return track


def snare(studio: Studio) -> Signal:
    """A snare drum: a rattle of wires over a short tone."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    rate, pitch = studio.uniform(1, 1.5) if is_slow else studio.uniform(3.5, 6), studio.uniform(170, 230)
    skin = np.sin(2 * np.pi * pitch * studio.span(0.3)) * studio.decay(0.3, 0.05, 0.001)
    wires = 0.7 * studio.decay(0.3, 0.07, 0.001)
    track = studio.silence()
    for start in studio.onsets(rate, 0):
        studio.place(track, studio.highpass(studio.noise(0.3), 1200) * wires + skin, start, studio.uniform(0.8, 1))
    return track


def hihat(studio: Studio) -> Signal:
    """A hi-hat: clipped hiss at the top, now and then open."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    track = studio.silence()
    for index, start in enumerate(studio.onsets(studio.uniform(2.2, 3.2) if is_slow else studio.uniform(6, 9), 0)):
        fall = studio.decay(0.3, 0.12 if studio.uniform(0, 1) < 0.2 else 0.022, 0.0008)
        hiss = studio.highpass(studio.noise(0.3), 5500, order=4)
        studio.place(track, hiss * fall, start, 1.0 if index % 2 == 0 else 0.6)
    return track


def bell(studio: Studio) -> Signal:
    """A hand bell, rung again and again."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    pitch = studio.uniform(1500, 2600)
    track = studio.silence()
    for start in studio.onsets(studio.uniform(0.6, 1.1) if is_slow else studio.uniform(3.5, 6), 0.04):
        ring = studio.modes(pitch, _BELL_RATIOS, (0.5, 0.35, 0.25, 0.2, 0.1), (1, 0.5, 0.5, 0.3, 0.2), 1.5)
        studio.place(track, ring, start, studio.uniform(0.7, 1))
    return track


def church_bell(studio: Studio) -> Signal:
    """A tower bell with hum, prime, minor third, fifth and octave, ringing long."""
    is_low = studio.choose("pitch", "low", "high") == "low"
    pitch = studio.uniform(110, 170) if is_low else studio.uniform(300, 420)
    falls = (3, 2.2, 1.6, 1.2, 1.3, 0.7, 0.5, 0.4, 0.2)
    toll = studio.modes(pitch, _TOWER_RATIOS, falls, (0.6, 1, 0.8, 0.4, 0.9, 0.5, 0.4, 0.3, 0.3), 5.0)
    track = studio.silence()
    for start in studio.onsets(studio.uniform(0.4, 0.8), 0.03):
        studio.place(track, toll, start)
    return track
