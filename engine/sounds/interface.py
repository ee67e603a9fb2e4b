"""What programs and games answer with: clicks, notifications and power-ups."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext

_LADDER = (0, 4, 7, 12, 16, 19, 24, 28, 31)
"""Semitones of a major chord over three octaves."""


def _square(synth: SynthContext, pitch_hz: Signal) -> Signal:
    """A square-like tone of a gliding pitch: its first odd partials, each only below Nyquist."""
    phase = synth.phase(pitch_hz)
    tone = np.zeros(len(phase))
    for k in (1, 3, 5):
        tone += np.where(k * pitch_hz < 0.47 * synth.sample_rate, np.sin(k * phase), 0.0) / k
    return tone


def power_up(synth: SynthContext) -> Signal:
    """A power-up: a chord climbed step by step over a rising sweep, with a trembling top."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(140, 210) if is_low else synth.uniform(440, 600)
    step = synth.uniform(0.13, 0.17) if is_slow else synth.uniform(0.045, 0.065)
    num_steps = synth.count(6, len(_LADDER) + 1)
    climb, held = step * num_steps, 0.4 if is_slow else 0.22
    time = synth.span(climb + held)
    rung = np.minimum((time / step).astype(np.int64), num_steps - 1)
    semitones = np.asarray(_LADDER, dtype=np.float64)[rung]
    trembling = 1 + 0.025 * np.sin(2 * np.pi * 9 * time) * (time > climb)
    notes = _square(synth, base * 2 ** (semitones / 12) * trembling)
    notes *= np.where(time < climb, 0.55 + 0.45 * np.exp(-(time % step) / (0.5 * step)), 1.0)
    glide = base * 2 ** (np.minimum(time / climb, 1) * _LADDER[num_steps - 1] / 12 + 0.02)
    sweep = 0.5 * np.sin(synth.phase(glide) + 2 * np.sin(synth.phase(0.5 * glide)))
    fade = np.clip((climb + held - time) / held, 0, 1) * np.minimum(1, time / 0.004)
    rise = (notes + sweep) * fade
    track = synth.silence()
    moment = synth.uniform(0.02, min(0.4, 0.2 * synth.seconds))
    while moment < synth.seconds:
        synth.place(track, rise, moment)
        moment += climb + held + synth.uniform(0.15, 0.45)
    return track


def click(synth: SynthContext) -> Signal:
    """Clicks of an interface: single dry ticks of a few milliseconds, now and then two in a row."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    pitch = synth.uniform(420, 700) if is_low else synth.uniform(2700, 3900)
    tick = synth.modes(pitch, (1, 1.5), (0.0035, 0.002) if is_low else (0.0016, 0.001), (1, 0.6), 0.03)
    snap = synth.bandpass(synth.noise(0.03), 0.7 * pitch, 2.2 * pitch, order=1)
    tick += 0.5 * snap * synth.decay(0.03, 0.0012, 0.0003)
    track = synth.silence()
    for start in synth.onsets(synth.uniform(1.0, 1.6) if is_slow else synth.uniform(4.5, 6.5), 0.3):
        synth.place(track, tick, start)
        if is_slow and synth.uniform(0, 1) < 0.3:
            synth.place(track, tick, start + synth.uniform(0.13, 0.17))
    return track


def notification(synth: SynthContext) -> Signal:
    """A notification: two or three soft round tones, rising or falling, then a rest."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_rising = synth.choose("contour", "rising", "falling") == "rising"
    base = synth.uniform(290, 400) if is_low else synth.uniform(800, 1050)
    steps = ((0, 7), (0, 5), (0, 4, 7), (0, 5, 12))[synth.count(0, 4)]
    gap, fall = synth.uniform(0.14, 0.2), synth.uniform(0.16, 0.24)
    softness = np.minimum(1, synth.span(7 * fall) / 0.012)
    falls, gains = (fall, 0.5 * fall, 0.05), (1, 0.22, 0.08)
    tones = [softness * synth.modes(base * 2 ** (k / 12), (1, 2, 3), falls, gains, 7 * fall) for k in steps]
    track = synth.silence()
    moment = synth.uniform(0.03, min(0.5, 0.2 * synth.seconds))
    pause = synth.uniform(0.9, 1.4)
    while moment < synth.seconds:
        for tone in tones if is_rising else tones[::-1]:
            synth.place(track, tone, moment)
            moment += gap
        moment += pause
    return track
