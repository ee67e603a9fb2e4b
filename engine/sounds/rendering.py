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
from engine.sounds.excerpts import LOST_IN_AN_EXCERPT, excerpt, trimmed
from engine.sounds.recording import Generators, coloured, over_its_floor
from engine.sounds.rooms import far_off, hall, indoors, outdoors, sounding_in
from engine.sounds.synthesis import Signal, SynthContext

SOUNDS: tuple[str, ...] = tuple(CORPUS)
"""Names of the sounds, in the order of the table."""

_TRIMMED_SHARE = 0.6
_DRY_SHARE = 0.75  # with 0.4, an ear of recordings named 36 % of clips within five, of dry ones 42 %
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


def _stand_in_space(synth: SynthContext, track: Signal, entry: CorpusEntry, place: Generators) -> Signal:
    """Choose a place and let the track sound there; three quarters of those that are not worth a word are dry.

    So is all that never passed through air, unless a word says otherwise.
    """
    spaces = entry.spaces
    space = "" if not spaces or synth.uniform(0, 1) < 0.35 else synth.choose("space", *spaces)
    if space == "hall":
        return sounding_in(track, hall(place.random), place.random, place.hiss, synth.sample_rate)
    if space == "distant":
        afar = synth.lowpass(track, synth.uniform(1500, 2400), order=1)
        return sounding_in(afar, far_off(place.random), place.random, place.hiss, synth.sample_rate)
    if not spaces or entry.capture == SYNTHETIC or place.random.uniform() < _DRY_SHARE:
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


def _cut_short(synth: SynthContext, track: Signal, name: str, edits: np.random.Generator) -> Signal:
    """A short stretch of the track, if the clip is one of those that hold no more; a counted one stays whole."""
    if "count" in synth.attributes:
        return track
    stretch = excerpt(track, name, edits, synth.sample_rate, 1.2 * (synth.event_seconds or 0.0))
    if stretch is None:
        return track
    for kind in LOST_IN_AN_EXCERPT:
        synth.attributes.pop(kind, None)
    return stretch


def render(
    name: str,
    seed: int,
    seconds: float = 5.12,
    sample_rate: int = 16000,
    *,
    has_floor: bool = True,
    is_edited: bool = True,
) -> Sound:
    """One clip of the sound `name`, 0.3 s to 30 s long, at any `sample_rate` in Hz from 8000.

    It is what a library might hold: coloured, over a noise floor or none, often cut short, at times of a narrow band.
    Without `is_edited` it is whole, as the microphone heard it; without `has_floor` it is over no floor. The same
    arguments give the same clip; a KeyError names a sound that is not in the table.
    """
    entry = CORPUS[name]
    roots = [np.random.default_rng(r) for r in np.random.SeedSequence([seed, zlib.crc32(name.encode())]).spawn(5)]
    synth = SynthContext(
        random=roots[0],
        hiss=roots[1],
        num_samples=round(seconds * sample_rate),
        sample_rate=sample_rate,
        event_seconds=COUNTABLE[name].seconds if name in COUNTABLE else None,
    )
    place, edits = Generators(roots[2], roots[3]), roots[4] if is_edited else None
    track = entry.synthesise(synth)
    if edits:
        track = _cut_short(synth, track, name, edits)
    track = _stand_in_space(synth, track, entry, place)
    track = coloured(track, entry.capture, place.random, sample_rate, edits)
    clip = over_its_floor(track, entry.capture, place, sample_rate, edits) if has_floor else track
    if edits and edits.uniform() < _TRIMMED_SHARE:
        clip = trimmed(clip, track, edits, sample_rate)
    waveform = _set_level(synth, clip).astype(np.float32)
    attributes = dict(synth.attributes)
    return Sound(waveform, captions(name, attributes, seed)[0], attributes, name, seed, sample_rate)
