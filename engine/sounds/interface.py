"""What programs and machines answer with: clicks, notifications, yes and no."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.sounds.partials import falling_gains, gliding, ringing, spread, wet
from engine.sounds.synthesis import Signal, SynthContext

_TIMBRES = (
    ((1, 2, 3), (1, 0.22, 0.08), (1, 0.5, 0.3)),  # round
    ((1, 3.93, 9.2), (1, 0.35, 0.12), (1, 0.25, 0.1)),  # a wooden bar
    ((1, 2.0, 2.76, 5.4, 8.9), (1, 0.3, 0.35, 0.25, 0.15), (1, 0.8, 0.6, 0.4, 0.25)),  # glass
    (
        (1, 1.005, 2.01, 3.0, 4.02, 5.0),
        (1, 0.8, 0.4, 0.25, 0.15, 0.1),
        (1, 1, 0.7, 0.5, 0.4, 0.3),
    ),  # a soft synthesizer
    ((1, 3.5, 5.8, 8.2), (1, 0.5, 0.3, 0.25), (1, 0.7, 0.4, 0.3)),  # metal
)
"""Ratios, gains and relative falls of the partials of tones that interfaces like."""


def _tone(synth: SynthContext, timbre: int, pitch_hz: float, fall_s: float, attack_s: float) -> Signal:
    """One tone: its partials over the tick of a finger or a mallet."""
    ratios, gains, falls = (np.asarray(row, dtype=np.float64) for row in _TIMBRES[timbre])
    seconds = 6 * fall_s + 0.02
    tone = ringing(synth, pitch_hz * ratios, fall_s * falls, gains, seconds)
    tone *= np.minimum(1, synth.span(seconds) / attack_s)
    tick = synth.highpass(synth.noise(0.01), 2000, order=1) * synth.decay(0.01, 0.0015, 0.0003)
    tone[: len(tick)] += synth.uniform(0, 0.05) * tick
    return tone


def _phrases(synth: SynthContext, tones: Sequence[Signal], gap_s: float, pause: tuple[float, float]) -> Signal:
    """The tones one after another, then a rest, again and again."""
    track = synth.silence()
    moment = synth.uniform(0.03, min(0.5, 0.2 * synth.seconds))
    while moment < synth.seconds:
        for tone in tones:
            synth.place(track, tone, moment, synth.uniform(0.85, 1))
            moment += gap_s
        moment += synth.uniform(*pause)
    return track


def notification(synth: SynthContext) -> Signal:
    """A notification: two or three tones of bars, glass, metal or a soft synthesizer, up or down, then a rest."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_rising = synth.choose("contour", "rising", "falling") == "rising"
    base = synth.uniform(270, 410) if is_low else synth.uniform(780, 1150)
    steps = ((0, 7), (0, 5), (0, 4, 7), (0, 5, 12), (0, 12), (0, 3, 7))[synth.count(0, 6)]
    gap, fall, attack = synth.uniform(0.13, 0.2), float(spread(synth, 0.12, 0.3)), float(spread(synth, 0.002, 0.015))
    timbre = max(0, synth.count(-3, len(_TIMBRES)))  # round ones are the most frequent
    tones = [_tone(synth, timbre, base * 2 ** (k / 12), fall, attack) for k in steps]
    track = _phrases(synth, tones if is_rising else tones[::-1], gap, (0.9, 1.6))
    return wet(synth, track, synth.uniform(0.4, 1.2), synth.uniform(0.05, 0.3)) if synth.uniform(0, 1) < 0.4 else track


def ui_success(synth: SynthContext) -> Signal:
    """A program says yes: two to four quick tones upwards of a major chord, the last one ringing, with a sparkle."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(240, 380) if is_low else synth.uniform(750, 1100)
    steps = ((0, 4, 7), (0, 7), (0, 7, 12), (0, 4, 7, 12), (0, 5), (0, 12))[synth.count(0, 6)]
    gap, fall, attack = synth.uniform(0.055, 0.12), float(spread(synth, 0.06, 0.3)), float(spread(synth, 0.001, 0.01))
    timbre = synth.count(0, len(_TIMBRES))
    tones = [_tone(synth, timbre, base * 2 ** (k / 12), 0.6 * fall, attack) for k in steps[:-1]]
    last = _tone(synth, timbre, base * 2 ** (steps[-1] / 12), 1.4 * fall, attack)
    sparkle = _tone(synth, 2, base * 2 ** (steps[-1] / 12) * synth.count(2, 5), fall, 0.001)
    count = min(len(last), len(sparkle))
    last[:count] += synth.uniform(0, 0.25) * sparkle[:count]
    track = _phrases(synth, [*tones, last], gap, (0.9, 1.9))
    return wet(synth, track, synth.uniform(0.3, 1.0), synth.uniform(0.05, 0.3)) if synth.uniform(0, 1) < 0.5 else track


def _buzz(synth: SynthContext, pitch_hz: float, seconds: float, slope: float, beat: float) -> Signal:
    """A harsh tone of two voices out of tune, sagging a little, cut off short."""
    time = synth.span(seconds)
    sag = pitch_hz * (1 - synth.uniform(0, 0.06) * time / seconds)
    gains = falling_gains(int(14000 / pitch_hz), slope, even=0.5)
    tone = gliding(synth, sag, gains) + gliding(synth, sag * beat, gains)
    made: Signal = tone * np.minimum(1, time / 0.003) * np.clip((seconds - time) / 0.015, 0, 1)
    return made


def ui_error(synth: SynthContext) -> Signal:
    """A program says no: a buzz given twice, or tones that fall by a sour interval."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(90, 190) if is_low else synth.uniform(330, 560)
    steps = ((0, 0), (0, -1), (0, -6), (0, -3), (0, -4, -8), (0,))[synth.count(0, 6)]
    length = float(spread(synth, 0.07, 0.22))
    if synth.uniform(0, 1) < 0.65:
        slope, beat = synth.uniform(0.7, 1.8), synth.uniform(1.0, 1.07)
        tones = [
            _buzz(synth, base * 2 ** (k / 12), length * (1.6 if k == steps[-1] else 1), slope, beat) for k in steps
        ]
    else:
        timbre = synth.count(0, len(_TIMBRES))
        tones = [_tone(synth, timbre, 1.5 * base * 2 ** (k / 12), length, 0.002) for k in steps]
    return _phrases(synth, tones, length * synth.uniform(1.1, 1.7), (0.8, 1.8))


def _tick(synth: SynthContext, pitch_hz: float, life_s: float, hardness: float) -> Signal:
    """A switch that snaps over: two or three knocks within milliseconds, each in the modes of its small case."""
    event = np.zeros(len(synth.span(0.05)))
    modes = pitch_hz * np.array([1, 1.47, 2.2, 2.9, 3.8, 5.1]) * synth.random.uniform(0.9, 1.1, 6)
    falls, gains = life_s * spread(synth, 0.4, 1.2, 6), spread(synth, 0.2, 1, 6)
    delay = 0.0
    for knock in range(synth.count(1, 4)):
        ring = ringing(synth, modes, falls, gains * synth.random.uniform(0.5, 1, 6), 0.03)
        snap = synth.noise(0.006) * synth.decay(0.006, synth.uniform(0.0003, 0.0012), 0.0001)
        ring[: len(snap)] += hardness * snap
        synth.place(event, ring, delay, (1.0, synth.uniform(0.2, 0.9), synth.uniform(0.1, 0.5))[knock])
        delay += synth.uniform(0.001, 0.008)
    return event


def click(synth: SynthContext) -> Signal:
    """Clicks of a mouse or a button: pressed with one snap, let go with another, softer and higher one."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    pitch = float(spread(synth, 350, 800)) if is_low else float(spread(synth, 2400, 4600))
    life = float(spread(synth, 0.0015, 0.005)) if is_low else float(spread(synth, 0.0004, 0.002))
    hardness = synth.uniform(0.05, 0.25) if is_low else synth.uniform(0.3, 1.5)
    presses = [_tick(synth, pitch * synth.uniform(0.95, 1.05), life, hardness) for _ in range(3)]
    releases = [_tick(synth, pitch * synth.uniform(1.05, 1.4), 0.8 * life, hardness) for _ in range(3)]
    held, softer, track = synth.uniform(0.06, 0.13), synth.uniform(0.15, 0.7), synth.silence()
    for start in synth.onsets(synth.uniform(0.9, 1.6) if is_slow else synth.uniform(4.5, 6.5), 0.3):
        force, double = synth.uniform(0.6, 1), is_slow and synth.uniform(0, 1) < 0.2
        for repeat in range(2 if double else 1):
            moment = start + repeat * synth.uniform(0.15, 0.22)
            synth.place(track, presses[synth.count(0, 3)], moment, force)
            if is_slow:
                synth.place(track, releases[synth.count(0, 3)], moment + held * synth.uniform(0.8, 1.3), force * softer)
    return track
