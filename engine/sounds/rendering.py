"""From a name and a seed to a finished clip: synthesis, room, level, caption."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.sounds.captions import captions
from engine.sounds.corpus import CORPUS
from engine.sounds.counts import COUNTABLE
from engine.sounds.synthesis import Signal, SynthContext

SOUNDS: tuple[str, ...] = tuple(CORPUS)
"""Names of the sounds, in the order of the table."""

_PEAKS = {"loud": (0.7, 0.95), "medium": (0.3, 0.45), "quiet": (0.06, 0.12)}


@dataclass(frozen=True)
class Sound:
    """A finished clip: waveform float32 [T], what it is, and how it came about."""

    waveform: NDArray[np.float32]
    caption: str
    attributes: Mapping[str, str]
    name: str
    seed: int
    sample_rate: int


def _stand_in_space(synth: SynthContext, track: Signal, spaces: tuple[str, ...]) -> Signal:
    """Choose a place (or none worth a word) and let the track sound there."""
    if not spaces or synth.uniform(0, 1) < 0.35:
        return track
    space = synth.choose("space", *spaces)
    if space == "hall":
        return synth.echo(track, synth.uniform(1.4, 2.4), 0.7)
    if space == "distant":
        return synth.lowpass(synth.echo(track, 0.7, 0.8), synth.uniform(1500, 2400), order=1)
    return track


def _set_level(synth: SynthContext, track: Signal) -> Signal:
    """No DC, and a peak that is loud, medium or quiet; the medium one is not worth a word."""
    track = synth.highpass(track, 20.0)
    track -= np.mean(track)
    level = synth.choose("level", "loud", "medium", "quiet")
    if level == "medium":
        del synth.attributes["level"]
    levelled: Signal = track * (synth.uniform(*_PEAKS[level]) / (np.max(np.abs(track)) + 1e-9))
    return levelled


def render(name: str, seed: int, seconds: float = 5.12, sample_rate: int = 16000) -> Sound:
    """One clip of the sound `name`, 0.3 s to 30 s long, at any `sample_rate` in Hz from 8000.

    The same arguments give the same clip; a KeyError names a sound that is not in the table.
    """
    entry = CORPUS[name]
    roots = np.random.SeedSequence([seed, zlib.crc32(name.encode())]).spawn(2)
    synth = SynthContext(
        random=np.random.default_rng(roots[0]),
        hiss=np.random.default_rng(roots[1]),
        num_samples=round(seconds * sample_rate),
        sample_rate=sample_rate,
        event_seconds=COUNTABLE[name].seconds if name in COUNTABLE else None,
    )
    track = _stand_in_space(synth, entry.synthesise(synth), entry.spaces)
    waveform = _set_level(synth, track).astype(np.float32)
    attributes = dict(synth.attributes)
    return Sound(waveform, captions(name, attributes, seed)[0], attributes, name, seed, sample_rate)
