"""Sirens, alarms, telephones and the sounds of games."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext


def siren(synth: SynthContext) -> Signal:
    """A tone that wails up and down."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    period = synth.uniform(2.4, 4) if is_slow else synth.uniform(0.35, 0.7)
    bend = np.sin(2 * np.pi * synth.time / period + synth.uniform(0, 6.28))
    phase = synth.phase(synth.uniform(800, 1100) * (1 + 0.38 * bend))
    wail: Signal = np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.25 * np.sin(3 * phase)
    return wail


def alarm(synth: SynthContext) -> Signal:
    """Even beeps of one tone."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    rate = synth.uniform(1.2, 2) if is_slow else synth.uniform(4.5, 7)
    pitch = synth.uniform(500, 800) if is_low else synth.uniform(1800, 2500)
    beep = synth.gate(synth.turns(1 / rate, 0.5 / rate, 0.3 / rate) < 0.5 / rate, 200)
    tone = np.sin(2 * np.pi * pitch * synth.time) + 0.33 * np.sin(6 * np.pi * pitch * synth.time)
    beeps: Signal = beep * tone
    return beeps


def phone(synth: SynthContext) -> Signal:
    """A telephone: two gongs under a fast hammer, or an electronic warble."""
    is_old = synth.choose("age", "old", "modern") == "old"
    ringing, pause = synth.uniform(0.8, 1.4), synth.uniform(0.6, 1.4)
    cycle = synth.turns(ringing + pause, ringing, 0.6 * ringing)
    ring = synth.gate(cycle < ringing, 60)
    turn = 2 * np.pi * synth.time
    if is_old:
        hammer = synth.gate(np.sin(synth.uniform(18, 24) * turn) > 0, 150)
        pitch = synth.uniform(1000, 1400)
        gongs = np.sin(pitch * turn) + 0.7 * np.sin(1.26 * pitch * turn) + 0.4 * np.sin(2.4 * pitch * turn)
        bell: Signal = ring * hammer * gongs
        return bell
    pitch = synth.uniform(700, 1000)
    is_lower = np.sin(synth.uniform(11, 15) * turn) > 0
    warble: Signal = ring * np.tanh(2 * np.where(is_lower, np.sin(pitch * turn), np.sin(1.5 * pitch * turn)))
    return warble


def laser(synth: SynthContext) -> Signal:
    """Shots: tones that plunge."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    track = synth.silence()
    time = synth.span(0.3)
    fall = synth.decay(0.3, 0.09)
    for start in synth.onsets(synth.uniform(0.9, 1.4) if is_slow else synth.uniform(3.5, 5.5), 0.08):
        top = synth.uniform(1100, 1600) if is_low else synth.uniform(3000, 4500)
        phase = synth.phase(top * np.exp(-time * synth.uniform(9, 13)) + 80)
        synth.place(track, (np.sin(phase) + 0.3 * np.sin(2 * phase)) * fall, start)
    return track


def coin(synth: SynthContext) -> Signal:
    """A coin in an old video game: a short square tone, then a longer one a fourth above."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(480, 600) if is_low else synth.uniform(1150, 1450)
    time = synth.span(0.55)
    fall = np.where(time < 0.075, 1.0, np.exp(-(time - 0.075) / 0.14))
    track = synth.silence()
    for start in synth.onsets(synth.uniform(0.8, 1.1) if is_slow else synth.uniform(2.6, 3.4), 0.03):
        phase = synth.phase(np.where(time < 0.075, base, base * 4 / 3))
        square = np.sin(phase) + np.sin(3 * phase) / 3 + np.sin(5 * phase) / 5
        synth.place(track, square * fall * np.minimum(1, time / 0.002), start)
    return track


def drone(synth: SynthContext) -> Signal:
    """A synthesizer pad: detuned saw-like tones, slowly breathing."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(45, 80) if is_low else synth.uniform(260, 420)
    track = synth.silence()
    for detune in (1, 1.006, 0.995, 1.5, 2):
        track += synth.harmonics(np.full(synth.num_samples, base * detune), 7, 1.3)
    breath: Signal = (0.5 + 0.5 * synth.wander(0.8)) * np.minimum(1, synth.time / min(0.5, 0.3 * synth.seconds))
    return synth.lowpass(track, 1200 if is_low else 3000) * breath
