"""What people do: walk, knock, type and applaud."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.signal import fftconvolve

from engine.sounds.synthesis import Signal, Studio, hump


def footsteps(studio: Studio) -> Signal:
    """Steps on floorboards (a thud) or on gravel (a crunch)."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    is_wooden = studio.choose("floor", "wooden floor", "gravel") == "wooden floor"
    track = studio.silence()
    for start in studio.onsets(studio.uniform(1.1, 1.6) if is_slow else studio.uniform(2.8, 3.6), 0.04):
        if is_wooden:
            thud = 4 * studio.lowpass(studio.noise(0.16), 400) * studio.decay(0.16, 0.025)
            board = studio.modes(studio.uniform(150, 220), (1, 2.3, 3.6), (0.04, 0.025, 0.02), (1, 0.5, 0.3), 0.16)
            step = thud + board
        else:
            grains = studio.random.uniform(0, 0.22, 260)
            step = np.zeros(len(studio.span(0.22)))
            places = np.minimum((grains * studio.sample_rate).astype(np.int64), len(step) - 1)
            step[places] = studio.random.standard_normal(260) * studio.sample_rate / 16000
            step = 3 * studio.bandpass(step, 1000, 5000) * hump(len(step))
        studio.place(track, step, start, studio.uniform(0.7, 1))
    return track


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
