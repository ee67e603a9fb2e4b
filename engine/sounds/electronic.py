"""Sirens, alarms, telephones and the sounds of games."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, Studio


def siren(studio: Studio) -> Signal:
    """A tone that wails up and down."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    period = studio.uniform(2.4, 4) if is_slow else studio.uniform(0.35, 0.7)
    bend = np.sin(2 * np.pi * studio.time / period + studio.uniform(0, 6.28))
    phase = studio.phase(studio.uniform(800, 1100) * (1 + 0.38 * bend))
    wail: Signal = np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.25 * np.sin(3 * phase)
    return wail


def alarm(studio: Studio) -> Signal:
    """Even beeps of one tone."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    is_low = studio.choose("pitch", "low", "high") == "low"
    rate = studio.uniform(1.2, 2) if is_slow else studio.uniform(4.5, 7)
    pitch = studio.uniform(500, 800) if is_low else studio.uniform(1800, 2500)
    beep = studio.gate(studio.turns(1 / rate, 0.5 / rate, 0.3 / rate) < 0.5 / rate, 200)
    tone = np.sin(2 * np.pi * pitch * studio.time) + 0.33 * np.sin(6 * np.pi * pitch * studio.time)
    beeps: Signal = beep * tone
    return beeps


def phone(studio: Studio) -> Signal:
    """A telephone: two gongs under a fast hammer, or an electronic warble."""
    is_old = studio.choose("age", "old", "modern") == "old"
    ringing, pause = studio.uniform(0.8, 1.4), studio.uniform(0.6, 1.4)
    cycle = studio.turns(ringing + pause, ringing, 0.6 * ringing)
    ring = studio.gate(cycle < ringing, 60)
    turn = 2 * np.pi * studio.time
    if is_old:
        hammer = studio.gate(np.sin(studio.uniform(18, 24) * turn) > 0, 150)
        pitch = studio.uniform(1000, 1400)
        gongs = np.sin(pitch * turn) + 0.7 * np.sin(1.26 * pitch * turn) + 0.4 * np.sin(2.4 * pitch * turn)
        bell: Signal = ring * hammer * gongs
        return bell
    pitch = studio.uniform(700, 1000)
    is_lower = np.sin(studio.uniform(11, 15) * turn) > 0
    warble: Signal = ring * np.tanh(2 * np.where(is_lower, np.sin(pitch * turn), np.sin(1.5 * pitch * turn)))
    return warble


def laser(studio: Studio) -> Signal:
    """Shots: tones that plunge."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    is_low = studio.choose("pitch", "low", "high") == "low"
    track = studio.silence()
    time = studio.span(0.3)
    fall = studio.decay(0.3, 0.09)
    for start in studio.onsets(studio.uniform(0.9, 1.4) if is_slow else studio.uniform(3.5, 5.5), 0.08):
        top = studio.uniform(1100, 1600) if is_low else studio.uniform(3000, 4500)
        phase = studio.phase(top * np.exp(-time * studio.uniform(9, 13)) + 80)
        studio.place(track, (np.sin(phase) + 0.3 * np.sin(2 * phase)) * fall, start)
    return track


def coin(studio: Studio) -> Signal:
    """A coin in an old video game: a short square tone, then a longer one a fourth above."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    is_low = studio.choose("pitch", "low", "high") == "low"
    base = studio.uniform(480, 600) if is_low else studio.uniform(1150, 1450)
    time = studio.span(0.55)
    fall = np.where(time < 0.075, 1.0, np.exp(-(time - 0.075) / 0.14))
    track = studio.silence()
    for start in studio.onsets(studio.uniform(0.8, 1.1) if is_slow else studio.uniform(2.6, 3.4), 0.03):
        phase = studio.phase(np.where(time < 0.075, base, base * 4 / 3))
        square = np.sin(phase) + np.sin(3 * phase) / 3 + np.sin(5 * phase) / 5
        studio.place(track, square * fall * np.minimum(1, time / 0.002), start)
    return track


def drone(studio: Studio) -> Signal:
    """A synthesizer pad: detuned saw-like tones, slowly breathing."""
    is_low = studio.choose("pitch", "low", "high") == "low"
    base = studio.uniform(45, 80) if is_low else studio.uniform(260, 420)
    track = studio.silence()
    for detune in (1, 1.006, 0.995, 1.5, 2):
        track += studio.harmonics(np.full(studio.num_samples, base * detune), 7, 1.3)
    breath: Signal = (0.5 + 0.5 * studio.wander(0.8)) * np.minimum(1, studio.time / min(0.5, 0.3 * studio.seconds))
    return studio.lowpass(track, 1200 if is_low else 3000) * breath
