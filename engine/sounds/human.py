"""What people do: walk, knock, type and applaud."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext, hump


def footsteps(synth: SynthContext) -> Signal:
    """Steps on floorboards (a thud), gravel (a crunch), snow (a soft scrunch) or metal (a clang)."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    step_on = _FLOORS[synth.choose("floor", *_FLOORS)]
    track = synth.silence()
    for start in synth.onsets(synth.uniform(1.1, 1.6) if is_slow else synth.uniform(2.8, 3.6), 0.04):
        synth.place(track, step_on(synth), start, synth.uniform(0.7, 1))
    return track


def _step_on_wood(synth: SynthContext) -> Signal:
    thud = 4 * synth.lowpass(synth.noise(0.16), 400) * synth.decay(0.16, 0.025)
    board = synth.modes(synth.uniform(150, 220), (1, 2.3, 3.6), (0.04, 0.025, 0.02), (1, 0.5, 0.3), 0.16)
    return thud + board


def _grains(synth: SynthContext, num_grains: int, seconds: float) -> Signal:
    """Tiny clicks strewn over an event."""
    strewn = np.zeros(len(synth.span(seconds)))
    places = (synth.random.uniform(0, seconds, num_grains) * synth.sample_rate).astype(np.int64)
    clicks = synth.random.standard_normal(num_grains) * synth.sample_rate / 16000
    strewn[np.minimum(places, len(strewn) - 1)] = clicks
    return strewn


def _step_on_gravel(synth: SynthContext) -> Signal:
    crunch = 3 * synth.bandpass(_grains(synth, 260, 0.22), 1000, 5000)
    return crunch * hump(len(crunch))


def _step_on_snow(synth: SynthContext) -> Signal:
    """Heel and ball press the snow: two dull swells with a squeak that creeps down."""
    scrunch = synth.bandpass(_grains(synth, 700, 0.24), 250, 1000, order=3)
    course = np.linspace(0, 1, len(scrunch))
    press = np.sin(np.pi * course) * (0.35 + 0.65 * np.cos(2 * np.pi * course) ** 2)
    creak = synth.pulses(synth.uniform(150, 190) * (1 - 0.35 * course), 900)
    step: Signal = press * (2 * scrunch + 1.2 * synth.bandpass(creak, 500, 1300))
    return step


def _step_on_metal(synth: SynthContext) -> Signal:
    """A boot on a grating."""
    grating = (1, 1.57, 2.66, 4.4, 6.3)
    clang = synth.modes(synth.uniform(270, 360), grating, (0.1, 0.12, 0.1, 0.07, 0.05), (0.8, 1, 0.8, 0.6, 0.4), 0.4)
    heel = 2 * synth.bandpass(synth.noise(0.05), 150, 3000) * synth.decay(0.05, 0.008, 0.001)
    clang[: len(heel)] += heel
    return clang


_FLOORS: Mapping[str, Callable[[SynthContext], Signal]] = MappingProxyType(
    {"wooden floor": _step_on_wood, "gravel": _step_on_gravel, "snow": _step_on_snow, "metal": _step_on_metal}
)


def _knocking(synth: SynthContext) -> Iterator[float]:
    """Moments in seconds of the knocks."""
    interval = synth.uniform(0.14, 0.24)
    number = synth.number_of_events(interval)
    moment = synth.uniform(0.05, min(0.6, 0.25 * synth.seconds))
    while moment < synth.seconds:
        group = number or synth.count(3, 6)
        yield from (moment + interval * knock for knock in range(group))
        if number:
            return
        moment += interval * group + synth.uniform(0.7, 1.5)
        interval = synth.uniform(0.14, 0.24)


def knock(synth: SynthContext) -> Signal:
    """Groups of three to five knocks, or a counted few, on a door of wood or of metal."""
    is_wooden = synth.choose("material", "wooden", "metallic") == "wooden"
    track = synth.silence()
    for moment in _knocking(synth):
        if is_wooden:
            base, ratios, gains = synth.uniform(230, 300), (1, 1.8, 2.9, 4.2), (1, 0.6, 0.4, 0.3)
            hit = synth.modes(base, ratios, (0.03, 0.02, 0.015, 0.01), gains, 0.3)
        else:
            base, plate = synth.uniform(480, 560), (1, 1.53, 2.7, 3.9, 6.1)
            hit = synth.modes(base, plate, (0.15, 0.12, 0.1, 0.08, 0.05), (1, 0.8, 0.6, 0.5, 0.4), 0.3)
        tap = 0.3 * synth.noise(0.01)
        hit[: len(tap)] += tap
        synth.place(track, hit, moment)
    return track


def typing(synth: SynthContext) -> Signal:
    """Keys: an uneven patter of dull clicks, each with its release."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    track = synth.silence()
    fall = synth.decay(0.04, 0.006, 0.0005)
    for start in synth.onsets(synth.uniform(2, 3) if is_slow else synth.uniform(7, 10), 0.5):
        for delay, gain in ((0.0, 1.0), (0.06, 0.4)):
            key = synth.modes(synth.uniform(350, 600), (1, 2.3), (0.012, 0.008), (1, 0.5), 0.04)
            click = synth.bandpass(synth.noise(0.04), 1200, 5500) * fall
            synth.place(track, click + 0.4 * key, start + delay, gain * synth.uniform(0.5, 1))
    return track


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
