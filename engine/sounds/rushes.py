"""Air that rushes by and sound that only rises: whooshes and risers."""

from __future__ import annotations

import numpy as np

from engine.sounds.partials import banded_noise, falling_gains, overtones, spread
from engine.sounds.synthesis import Signal, SynthContext

_BANDS_HZ = np.array([110.0, 220.0, 450.0, 900.0, 1800.0, 3600.0, 7200.0, 13500.0])


def _swells(synth: SynthContext, starts: Signal, seconds: Signal, peak: float, sharpness: float) -> Signal:
    """Where each pass is [T]: from 0 at its start over 1 at its nearest, a share `peak` of its length, back to 0."""
    index = np.maximum(np.searchsorted(starts, synth.time, side="right") - 1, 0)
    share = np.clip((synth.time - starts[index]) / seconds[index], 0, 1)
    way = np.where(share < peak, share / peak, (1 - share) / (1 - peak))
    return np.clip(way, 0, 1) ** sharpness


def whoosh(synth: SynthContext) -> Signal:
    """Something rushes past, a stick, a cape or a ship: noise whose crest sweeps up and down again as it passes."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    starts = np.asarray(list(synth.onsets(0.42 if is_slow else synth.uniform(1, 1.5), 0.08)))
    length = float(spread(synth, 0.7, 1.9)) if is_slow else float(spread(synth, 0.09, 0.5))  # a stick is gone at once
    seconds = length * synth.random.uniform(0.8, 1.2, max(1, len(starts)))
    near = _swells(synth, starts, seconds, synth.uniform(0.25, 0.7), float(spread(synth, 0.8, 3.0)))
    crest = float(spread(synth, 120, 900)) if synth.uniform(0, 1) < 0.5 else float(spread(synth, 900, 5000))
    crest_octave = np.log2(crest) + synth.uniform(1.0, 2.5) * (near - 1)  # the crest moves up while it comes near
    width, slope = synth.uniform(0.8, 2.0), synth.uniform(0.7, 1.3)
    levels = []
    for hertz in _BANDS_HZ:
        away = np.log2(hertz) - crest_octave
        shape = np.exp(-np.abs(away) / np.where(away > 0, width, 1.6 * width))
        levels.append(near**slope * shape * (0.75 + 0.5 * synth.wander(12)))
    track = banded_noise(synth, _BANDS_HZ.tolist(), levels)
    if synth.uniform(0, 1) < 0.3:  # the ground sends it back a moment later: a comb that shifts
        late = round(synth.uniform(0.0008, 0.004) * synth.sample_rate)
        track[late:] += synth.uniform(0.3, 0.8) * track[:-late]
    return track


def riser(synth: SynthContext) -> Signal:
    """A riser: noise and tones that climb and swell up to a cut, one through the clip or several short ones."""
    is_long = synth.choose("length", "long", "short") == "long"
    seconds = synth.uniform(0.8, 1.0) * synth.seconds if is_long else min(synth.uniform(0.7, 1.3), synth.seconds)
    gap = seconds + synth.uniform(0.25, 0.7)
    since = synth.time - (0.0 if is_long else synth.uniform(0, 0.1))
    share = np.clip(np.where(since >= 0, since % gap, gap) / seconds, 0, 1.001)
    after = np.maximum(np.where(since >= 0, since % gap, 0) - seconds, 0)
    cut = np.exp(-after / synth.uniform(0.01, 0.2)) * (since >= 0) * (share > 0)
    low, octaves = float(spread(synth, 90, 260)), synth.uniform(1.5, 3.5)
    swell = share ** synth.uniform(1.0, 2.2) * cut
    levels = []
    for hertz in _BANDS_HZ[2:]:
        away = np.log2(hertz / 500) - 5.5 * share
        levels.append(np.exp(-np.maximum(away / 0.7, -away / 2.5)) * (0.8 + 0.4 * synth.wander(8)))
    noise = banded_noise(synth, _BANDS_HZ[2:].tolist(), levels) * swell
    pitch = low * 2 ** (octaves * np.minimum(share, 1))
    tones = synth.silence()
    for detune in (1.0, synth.uniform(1.003, 1.012), (1.5, 2.0)[synth.count(0, 2)]):
        tones += overtones(synth, detune * pitch, falling_gains(7, synth.uniform(0.8, 1.3)))
    pulse = 1 - synth.uniform(0, 0.7) * (0.5 + 0.5 * np.sin(synth.phase(3.0 + 18.0 * share**2)))
    mix = synth.uniform(0.15, 0.85)
    rise: Signal = (1 - mix) * 2 * noise + mix * 0.5 * tones * swell * (0.6 + 0.4 * share)
    return rise * pulse
