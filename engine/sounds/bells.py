"""Bells: hand bells, bicycle bells and the bells of towers, whose partials come in pairs and beat."""

from __future__ import annotations

import numpy as np

from engine.sounds.partials import banded_noise, doublets, ringing, spread, strokes
from engine.sounds.synthesis import Signal, SynthContext

_CASTS = (
    (1, 2.0, 2.74, 3.0, 4.1, 5.4, 6.8, 8.2),  # a hand bell
    (1, 2.32, 3.9, 4.25, 6.3, 6.63, 8.9, 9.4),  # a gong of sheet metal, as on bicycles and desks
    (1, 1.5, 2.65, 3.01, 4.24, 5.6, 7.1, 8.7),
)
_TOWER = (0.5, 1, 1.19, 1.5, 2, 2.51, 2.66, 3.01, 4.17, 5.43, 6.79, 8.21, 9.7, 11.3)
_TOWER_GAINS = (0.55, 0.8, 0.8, 0.35, 1.0, 0.4, 0.35, 0.6, 0.5, 0.4, 0.3, 0.22, 0.16, 0.12)
_CLAPPER_HZ = (400.0, 1500.0, 4000.0, 9000.0, 14000.0)


def _clapper(synth: SynthContext, starts: Signal, gains: Signal, low: float, high: float) -> Signal:
    """The knock of the clapper: a few milliseconds of noise of the whole band."""
    shape = strokes(synth, starts, gains, float(spread(synth, 0.002, 0.01)), 0.0003)
    return shape * banded_noise(synth, _CLAPPER_HZ, [float(level) for level in spread(synth, low, high, 5)])


def bell(synth: SynthContext) -> Signal:
    """A bell in the hand, on a desk or on a bicycle, rung again and again, never twice from the same side."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    starts = np.asarray(list(synth.onsets(synth.uniform(0.6, 1.1) if is_slow else synth.uniform(3.5, 6), 0.07)))
    gains = synth.random.uniform(0.7, 1, len(starts))
    pitch, cast = float(spread(synth, 900, 3200)), np.array(_CASTS[synth.count(0, len(_CASTS))])
    partials = pitch * cast * synth.random.uniform(0.97, 1.03, len(cast))
    longest = 0.45 if "count" in synth.attributes else 1.6
    falls = float(spread(synth, 0.25, longest)) * cast**-0.8 * synth.random.uniform(0.6, 1.4, len(cast))
    weights = spread(synth, 0.25, 1, len(cast)) * cast**-0.3
    track = _clapper(synth, starts, gains, 0.02, 0.4)
    for side in range(2):  # two strokes excite the partials unequally
        struck = weights * synth.random.uniform(0.5, 1, len(cast))
        seconds = min(3.0, 5 * float(np.max(falls)))
        ring = ringing(synth, *doublets(synth, partials, falls, struck, split_hz=synth.uniform(0.5, 3)), seconds)
        for start, gain in zip(starts[side::2], gains[side::2], strict=True):
            synth.place(track, ring, start, gain)
    return track


def _toll(synth: SynthContext, pitch: float, fall: float) -> Signal:
    """One stroke of a tower bell of a strike note: hum, prime, minor third, fifth, nominal and all that lies above."""
    ratios = np.array(_TOWER) * synth.random.normal(1, 0.008, len(_TOWER))
    falls = fall * np.array(_TOWER) ** -0.75 * synth.random.uniform(0.7, 1.3, len(_TOWER))
    gains = np.array(_TOWER_GAINS) * spread(synth, 0.6, 1.5, len(_TOWER))
    parts = doublets(synth, pitch * ratios, falls, gains, split_hz=synth.uniform(0.3, 1.6), share=0.35)
    return ringing(synth, *parts, 5.0)


def church_bell(synth: SynthContext) -> Signal:
    """A bell of a tower, or two or three in a peal: long pairs of partials that beat, under the clapper's knock."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    pitch = synth.uniform(110, 190) if is_low else synth.uniform(300, 460)
    starts = np.asarray(list(synth.onsets(synth.uniform(0.4, 0.8), 0.05)))
    is_counted = "count" in synth.attributes
    fall = synth.uniform(1.1, 1.6) if is_counted else float(spread(synth, 1.3, 3.2))
    num_bells = 1 if is_counted else (1, 1, 2, 3)[synth.count(0, 4)]
    gains = synth.random.uniform(0.75, 1, len(starts))
    track = 0.5 * synth.lowpass(_clapper(synth, starts, gains, 0.1, 1.5), 5000, order=1)
    steps = (1, 9 / 8, 5 / 4, 3 / 2)
    for index in range(num_bells):
        ring = _toll(synth, pitch * steps[index], fall)
        late = synth.uniform(0.2, 0.6) if index else 0.0
        for start, gain in zip(starts, gains, strict=True):
            synth.place(track, ring, start + late * (1 + synth.uniform(0, 0.1)), gain * (0.8 if index else 1.0))
    return track
