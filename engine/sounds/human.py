"""What people do: walk, knock, type and applaud."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import numpy as np
from scipy.signal import fftconvolve

from engine.sounds.synthesis import Signal, Studio, hump


def footsteps(studio: Studio) -> Signal:
    """Steps on floorboards (a thud), gravel (a crunch), snow (a soft scrunch) or metal (a clang)."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    step_on = _FLOORS[studio.choose("floor", *_FLOORS)]
    track = studio.silence()
    for start in studio.onsets(studio.uniform(1.1, 1.6) if is_slow else studio.uniform(2.8, 3.6), 0.04):
        studio.place(track, step_on(studio), start, studio.uniform(0.7, 1))
    return track


def _step_on_wood(studio: Studio) -> Signal:
    thud = 4 * studio.lowpass(studio.noise(0.16), 400) * studio.decay(0.16, 0.025)
    board = studio.modes(studio.uniform(150, 220), (1, 2.3, 3.6), (0.04, 0.025, 0.02), (1, 0.5, 0.3), 0.16)
    return thud + board


def _grains(studio: Studio, num_grains: int, seconds: float) -> Signal:
    """Tiny clicks strewn over an event."""
    strewn = np.zeros(len(studio.span(seconds)))
    places = (studio.random.uniform(0, seconds, num_grains) * studio.sample_rate).astype(np.int64)
    clicks = studio.random.standard_normal(num_grains) * studio.sample_rate / 16000
    strewn[np.minimum(places, len(strewn) - 1)] = clicks
    return strewn


def _step_on_gravel(studio: Studio) -> Signal:
    crunch = 3 * studio.bandpass(_grains(studio, 260, 0.22), 1000, 5000)
    return crunch * hump(len(crunch))


def _step_on_snow(studio: Studio) -> Signal:
    """Heel and ball press the snow: two dull swells with a squeak that creeps down."""
    scrunch = studio.bandpass(_grains(studio, 700, 0.24), 250, 1000, order=3)
    course = np.linspace(0, 1, len(scrunch))
    press = np.sin(np.pi * course) * (0.35 + 0.65 * np.cos(2 * np.pi * course) ** 2)
    creak = studio.pulses(studio.uniform(150, 190) * (1 - 0.35 * course), 900)
    step: Signal = press * (2 * scrunch + 1.2 * studio.bandpass(creak, 500, 1300))
    return step


def _step_on_metal(studio: Studio) -> Signal:
    """A boot on a grating."""
    grating = (1, 1.57, 2.66, 4.4, 6.3)
    clang = studio.modes(studio.uniform(270, 360), grating, (0.1, 0.12, 0.1, 0.07, 0.05), (0.8, 1, 0.8, 0.6, 0.4), 0.4)
    heel = 2 * studio.bandpass(studio.noise(0.05), 150, 3000) * studio.decay(0.05, 0.008, 0.001)
    clang[: len(heel)] += heel
    return clang


_FLOORS: Mapping[str, Callable[[Studio], Signal]] = MappingProxyType(
    {"wooden floor": _step_on_wood, "gravel": _step_on_gravel, "snow": _step_on_snow, "metal": _step_on_metal}
)


def _knocking(studio: Studio) -> Iterator[float]:
    """Moments in seconds of the knocks."""
    interval = studio.uniform(0.14, 0.24)
    number = studio.number_of_events(interval)
    moment = studio.uniform(0.05, min(0.6, 0.25 * studio.seconds))
    while moment < studio.seconds:
        group = number or studio.count(3, 6)
        yield from (moment + interval * knock for knock in range(group))
        if number:
            return
        moment += interval * group + studio.uniform(0.7, 1.5)
        interval = studio.uniform(0.14, 0.24)


def knock(studio: Studio) -> Signal:
    """Groups of three to five knocks, or a counted few, on a door of wood or of metal."""
    is_wooden = studio.choose("material", "wooden", "metallic") == "wooden"
    track = studio.silence()
    for moment in _knocking(studio):
        if is_wooden:
            base, ratios, gains = studio.uniform(230, 300), (1, 1.8, 2.9, 4.2), (1, 0.6, 0.4, 0.3)
            hit = studio.modes(base, ratios, (0.03, 0.02, 0.015, 0.01), gains, 0.3)
        else:
            base, plate = studio.uniform(480, 560), (1, 1.53, 2.7, 3.9, 6.1)
            hit = studio.modes(base, plate, (0.15, 0.12, 0.1, 0.08, 0.05), (1, 0.8, 0.6, 0.5, 0.4), 0.3)
        tap = 0.3 * studio.noise(0.01)
        hit[: len(tap)] += tap
        studio.place(track, hit, moment)
    return track


def typing(studio: Studio) -> Signal:
    """Keys: an uneven patter of dull clicks, each with its release."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    track = studio.silence()
    fall = studio.decay(0.04, 0.006, 0.0005)
    for start in studio.onsets(studio.uniform(2, 3) if is_slow else studio.uniform(7, 10), 0.5):
        for delay, gain in ((0.0, 1.0), (0.06, 0.4)):
            key = studio.modes(studio.uniform(350, 600), (1, 2.3), (0.012, 0.008), (1, 0.5), 0.04)
            click = studio.bandpass(studio.noise(0.04), 1200, 5500) * fall
            studio.place(track, click + 0.4 * key, start + delay, gain * studio.uniform(0.5, 1))
    return track


def applause(studio: Studio) -> Signal:
    """An audience: many hands, none in step."""
    is_huge = studio.choose("crowd", "huge", "small") == "huge"
    rate = studio.uniform(100, 180) if is_huge else studio.uniform(12, 23)
    track = studio.silence()
    for _ in range(6):
        num_claps = max(1, round(rate / 6 * studio.seconds))
        times = studio.random.uniform(0, studio.seconds, num_claps)
        claps = studio.impulses(times, studio.random.uniform(0.3, 1, num_claps))
        hand = studio.bandpass(studio.noise(0.03), 700, 3500) * studio.decay(0.03, 0.008, 0.0005)
        track += fftconvolve(claps, hand)[: studio.num_samples]
    return track * (0.7 + 0.3 * studio.wander(2))
