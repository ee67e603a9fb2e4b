"""From a name and a seed to a finished clip: synthesis, room, microphone, noise floor, level, caption."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.sounds.captions import captions
from engine.sounds.corpus import CORPUS
from engine.sounds.corpus_entry import SYNTHETIC, CorpusEntry
from engine.sounds.counts import COUNTABLE
from engine.sounds.recording import coloured, with_floor
from engine.sounds.rooms import far_off, hall, indoors, outdoors, sounding_in
from engine.sounds.synthesis import Signal, SynthContext

SOUNDS: tuple[str, ...] = tuple(CORPUS)
"""Names of the sounds, in the order of the table."""

_PEAKS = {"loud": (0.7, 0.95), "medium": (0.3, 0.45), "quiet": (0.06, 0.12)}


@dataclass(frozen=True)
class Generators:
    """The randomness of a place and of a recording, apart from the sound's own: what happens stays what it was."""

    random: np.random.Generator
    hiss: np.random.Generator


@dataclass(frozen=True)
class Sound:
    """A finished clip: waveform float32 [T], what it is, and how it came about."""

    waveform: NDArray[np.float32]
    caption: str
    attributes: Mapping[str, str]
    name: str
    seed: int
    sample_rate: int


def _stand_in_space(synth: SynthContext, track: Signal, entry: CorpusEntry, place: Generators) -> Signal:
    """Choose a place and let the track sound there; four in ten of those that are not worth a word are dry.

    So is all that never passed through air, unless a word says otherwise.
    """
    spaces = entry.spaces
    space = "" if not spaces or synth.uniform(0, 1) < 0.35 else synth.choose("space", *spaces)
    if space == "hall":
        return sounding_in(track, hall(place.random), place.random, place.hiss, synth.sample_rate)
    if space == "distant":
        afar = synth.lowpass(track, synth.uniform(1500, 2400), order=1)
        return sounding_in(afar, far_off(place.random), place.random, place.hiss, synth.sample_rate)
    if not spaces or entry.capture == SYNTHETIC or place.random.uniform() < 0.4:
        return track
    near = indoors if "hall" in spaces and place.random.uniform() < 0.7 else outdoors
    return sounding_in(track, near(place.random), place.random, place.hiss, synth.sample_rate)


def _set_level(synth: SynthContext, track: Signal) -> Signal:
    """No DC, and a peak that is loud, medium or quiet; the medium one is not worth a word."""
    track = synth.highpass(track, 20.0)
    track -= np.mean(track)
    level = synth.choose("level", "loud", "medium", "quiet")
    if level == "medium":
        del synth.attributes["level"]
    levelled: Signal = track * (synth.uniform(*_PEAKS[level]) / (np.max(np.abs(track)) + 1e-9))
    return levelled


def render(name: str, seed: int, seconds: float = 5.12, sample_rate: int = 16000, *, has_floor: bool = True) -> Sound:
    """One clip of the sound `name`, 0.3 s to 30 s long, at any `sample_rate` in Hz from 8000.

    It has the colour and the noise floor of a recording, or no floor without `has_floor`. The same arguments give the
    same clip; a KeyError names a sound that is not in the table.
    """
    entry = CORPUS[name]
    roots = [np.random.default_rng(r) for r in np.random.SeedSequence([seed, zlib.crc32(name.encode())]).spawn(4)]
    synth = SynthContext(
        random=roots[0],
        hiss=roots[1],
        num_samples=round(seconds * sample_rate),
        sample_rate=sample_rate,
        event_seconds=COUNTABLE[name].seconds if name in COUNTABLE else None,
    )
    place = Generators(roots[2], roots[3])
    track = _stand_in_space(synth, entry.synthesise(synth), entry, place)
    track = coloured(track, entry.capture, place.random, sample_rate)
    if has_floor:
        track = with_floor(track, entry.capture, place.random, place.hiss, sample_rate)
    waveform = _set_level(synth, track).astype(np.float32)
    attributes = dict(synth.attributes)
    return Sound(waveform, captions(name, attributes, seed)[0], attributes, name, seed, sample_rate)
