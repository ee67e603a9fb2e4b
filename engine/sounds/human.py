"""An audience."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext


def _clapping(synth: SynthContext, number: int, distance: float) -> Signal:
    """`number` people, each with hands, a pace and a strength of their own, none in step for long."""
    track = synth.silence()
    for _ in range(number):
        centre, fall_s = 10 ** synth.uniform(2.9, 3.4), synth.uniform(0.0025, 0.008)
        hands = synth.bandpass(synth.noise(0.04), 0.6 * centre, 1.9 * centre)
        hands = (hands / np.std(hands) + 0.1 * synth.bandpass(synth.noise(0.04), 2500, 7000, order=1)) * synth.decay(
            0.04, fall_s, 0.0006
        )
        pace, strength = synth.uniform(2.6, 5.2), synth.uniform(0.35, 1) * distance
        moment = synth.uniform(-1 / pace, 1 / pace)
        while moment < synth.seconds:
            synth.place(track, hands, moment, strength * synth.uniform(0.6, 1))
            moment += max(0.08, (1 + 0.09 * float(synth.random.standard_normal())) / pace)
    return track


def applause(synth: SynthContext) -> Signal:
    """An audience: hands near by that can be told apart, and many behind them that melt into a rush."""
    is_huge = synth.choose("crowd", "huge", "small") == "huge"
    track = _clapping(synth, synth.count(22, 34) if is_huge else synth.count(3, 6), 1.0)
    if is_huge:
        centre = synth.uniform(1300, 2400)
        hertz = (50, 400, 0.7 * centre, centre, 2 * centre, 8000, 12000, 20000)
        rush = synth.texture(hertz, (-34, -18, -4, 0, -3, -16, -26, -44), depth_db=1.5, rate_hz=10)
        track += synth.uniform(0.4, 1.4) * np.std(track) * rush / (np.std(rush) + 1e-9)
    hall = track
    return hall * (0.75 + 0.25 * synth.wander(1.5))
