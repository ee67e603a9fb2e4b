"""What a chip plays in a moment: tones of few harmonics or many, still, swept or in steps, and coarse noise."""

from __future__ import annotations

import numpy as np

from engine.sounds.partials import falling_gains, gliding, spread
from engine.sounds.synthesis import Signal, SynthContext


def chip_voice(synth: SynthContext) -> Signal:
    """Gains of the harmonics of a chip's voice: a square, a narrow pulse, a triangle or a saw."""
    k, style = np.arange(1, 20), synth.count(0, 4)
    if style == 3:
        return falling_gains(19, 1.0)
    if style == 2:
        return falling_gains(19, 2.0, even=0.0)
    duty = (0.5, 0.25)[style]
    made: Signal = np.abs(np.sin(np.pi * duty * k)) / k
    return made


def any_voice(synth: SynthContext) -> Signal:
    """Gains of the harmonics of a tone of an app or a game: a chip's, or only the first one and a trace of others."""
    if synth.uniform(0, 1) < 0.5:
        return chip_voice(synth)
    return np.array([1.0, *spread(synth, 0.002, 0.2, 3)])


def blip(synth: SynthContext, voice: Signal, start_hz: float, goal_hz: float, seconds: float) -> Signal:
    """One tone of `seconds` from a pitch to another one: struck, held and cut, or swelling as if played backwards."""
    time = synth.span(seconds)
    share = time / seconds
    pitch = start_hz * (goal_hz / start_hz) ** (share ** synth.uniform(0.5, 2.0))
    shape = synth.uniform(0, 1)
    if shape < 0.5:
        level = np.exp(-share * synth.uniform(1.5, 6))
    elif shape < 0.85:
        level = 1 - synth.uniform(0, 0.7) * share
    else:
        level = share ** synth.uniform(0.7, 3)
    edge = min(0.3 * seconds, float(spread(synth, 0.0003, 0.004)))
    made: Signal = gliding(synth, pitch, voice) * level * np.clip(np.minimum(time, seconds - time) / edge, 0, 1)
    return made


def coarse_noise(synth: SynthContext, seconds: float, steps_hz: float, fall_s: float) -> Signal:
    """The noise of a chip: levels that are held for a moment, so that it is the darker, the fewer of them there are."""
    time = synth.span(seconds)
    levels = synth.random.choice((-1.0, 1.0), round(steps_hz * seconds) + 2)
    made: Signal = levels[(time * steps_hz).astype(np.int64)] * np.exp(-time / fall_s) * np.minimum(1, time / 0.0005)
    return made


def stairs(synth: SynthContext, voice: Signal, steps_hz: Signal, step_s: float, fall_s: float) -> Signal:
    """Steps of a chip, one straight after another, each of a pitch [N] in Hz; the last one fades in `fall_s`."""
    seconds = step_s * len(steps_hz) + 4 * fall_s
    time = synth.span(seconds)
    step = np.minimum((time / step_s).astype(np.int64), len(steps_hz) - 1)
    within = time - step_s * step
    tone = gliding(synth, np.asarray(steps_hz, dtype=np.float64)[step], voice)
    level = np.where(step < len(steps_hz) - 1, np.exp(-within * synth.uniform(0, 3) / step_s), np.exp(-within / fall_s))
    made: Signal = tone * level * np.minimum(1, within / 0.001) * np.clip((seconds - time) / 0.01, 0, 1)
    return made
