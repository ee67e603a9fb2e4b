"""Places that answer a sound: a few early reflections of their own, and a tail that darkens as it fades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.signal import fftconvolve

from engine.sounds.texture import (
    BAND_CENTRES_HZ,
    Signal,
    band_levels_db,
    frame_samples,
    noise_with_levels,
    num_frames_of,
)

_SPEED_OF_SOUND = 343.0  # m/s
_FRAME_S = 0.012


@dataclass(frozen=True)
class Place:
    """A room, or a yard: how long it sounds, how large it is, and how much of it is heard."""

    fall_s: float  # in which the middle of the spectrum falls by 60 dB
    size_m: float  # way of the longest early reflection
    wet: float  # amplitude of all reflections together beside the direct sound
    early: float  # share of them that comes early
    treble: float  # how long the highest band sounds, as a share of fall_s


def indoors(random: np.random.Generator) -> Place:
    """Somewhere among walls, from a cupboard to a large kitchen: heard as nearness rather than as a room."""
    size = float(random.uniform(1.5, 9.0))
    return Place(
        fall_s=float(random.uniform(0.08, 0.16)) + 0.03 * size,
        size_m=size,
        wet=float(random.uniform(0.08, 0.4)),
        early=float(random.uniform(0.4, 0.8)),
        treble=float(random.uniform(0.3, 0.7)),
    )


def outdoors(random: np.random.Generator) -> Place:
    """The ground, and perhaps a wall or two; hardly any tail."""
    return Place(
        fall_s=float(random.uniform(0.15, 0.6)),
        size_m=float(random.uniform(4.0, 40.0)),
        wet=float(random.uniform(0.05, 0.3)),
        early=float(random.uniform(0.7, 0.95)),
        treble=float(random.uniform(0.2, 0.5)),
    )


def hall(random: np.random.Generator) -> Place:
    """A room that is heard as a hall: a church, a stairwell, a factory."""
    return Place(
        fall_s=float(random.uniform(1.4, 2.4)),
        size_m=float(random.uniform(12.0, 40.0)),
        wet=float(random.uniform(0.6, 0.8)),
        early=float(random.uniform(0.15, 0.4)),
        treble=float(random.uniform(0.2, 0.45)),
    )


def far_off(random: np.random.Generator) -> Place:
    """What lies between here and afar: many ways round, none of them bright."""
    return Place(
        fall_s=float(random.uniform(0.5, 1.0)),
        size_m=float(random.uniform(20.0, 60.0)),
        wet=float(random.uniform(0.6, 0.9)),
        early=float(random.uniform(0.2, 0.5)),
        treble=float(random.uniform(0.15, 0.35)),
    )


def _early(place: Place, random: np.random.Generator, num_samples: int, sample_rate: int) -> Signal:
    """Reflections from single walls: fewer and weaker the longer their way, each a little dull and smeared."""
    response = np.zeros(num_samples)
    ways_m = np.sort(random.uniform(0.12, 1.0, int(random.integers(5, 14)))) * place.size_m
    gains = random.choice((-1.0, 1.0), len(ways_m), p=(0.3, 0.7)) * random.uniform(0.4, 1.0, len(ways_m))
    gains /= 1 + ways_m / (0.3 * place.size_m)
    for way_m, gain in zip(ways_m, gains, strict=True):
        at = way_m / _SPEED_OF_SOUND * sample_rate
        width = max(1.0, float(random.uniform(0.02, 0.08)) * sample_rate / 1000)
        first, last = max(0, int(at - 3 * width)), min(num_samples, int(at + 3 * width) + 2)
        response[first:last] += gain / width * np.exp(-0.5 * ((np.arange(first, last) - at) / width) ** 2)
    return response


def _tail(place: Place, random: np.random.Generator, hiss: np.random.Generator, sample_rate: int) -> Signal:
    """Noise that falls in each band at the band's own pace; it begins as the first reflection does."""
    frame = frame_samples(_FRAME_S, sample_rate)
    num_samples = max(4 * frame, round(1.1 * place.fall_s * sample_rate))
    shares = band_levels_db((60, 250, 1000, 4000, 20000), (1.3, 1.15, 1.0, 0.5 + 0.5 * place.treble, place.treble))
    shares *= random.uniform(0.85, 1.15, len(BAND_CENTRES_HZ))
    colour = band_levels_db((30, 1000, 20000), (0.0, 0.0, -6.0)) + 2 * random.standard_normal(len(BAND_CENTRES_HZ))
    times = np.arange(num_frames_of(num_samples, frame)) * frame / 2 / sample_rate
    levels = colour - 60 * times[:, None] / (shares * place.fall_s)
    tail = noise_with_levels(hiss, levels, num_samples, frame, sample_rate)
    start = round(0.12 * place.size_m / _SPEED_OF_SOUND * sample_rate)
    return np.pad(tail, (start, 0))[:num_samples]


def _at_unit_energy(response: Signal) -> Signal:
    return cast(Signal, response / (np.sqrt(np.sum(response**2)) + 1e-9))


def sounding_in(
    track: Signal, place: Place, random: np.random.Generator, hiss: np.random.Generator, sample_rate: int
) -> Signal:
    """The track as it sounds in a place: itself, and all the place's reflections at `place.wet`."""
    tail = _tail(place, random, hiss, sample_rate)
    early = _early(place, random, len(tail), sample_rate)
    response = np.sqrt(place.early) * _at_unit_energy(early) + np.sqrt(1 - place.early) * _at_unit_energy(tail)
    return track + place.wet * cast(Signal, fftconvolve(track, response))[: len(track)]
