"""Weapons: guns and swords."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.sounds.synthesis import Signal, Studio, hump


def _bursts(studio: Studio) -> Iterator[float]:
    """Moments of automatic fire: bursts of strict shots with rests between."""
    moment = studio.uniform(0.02, min(0.4, 0.2 * studio.seconds))
    interval = 1 / studio.uniform(8.0, 11.0)
    while moment < studio.seconds:
        for _ in range(studio.count(6, 13)):
            yield moment
            moment += interval
        moment += studio.uniform(0.45, 0.8)


def gunshot(studio: Studio) -> Signal:
    """Shots: a dry crack, a thump, and the slap of walls that answer; single ones or automatic fire."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    is_huge = studio.choose("size", "huge", "small") == "huge"
    seconds = 1.3 if is_huge else 0.7
    cutoff, fall = (studio.uniform(350, 600), 0.09) if is_huge else (studio.uniform(1700, 2600), 0.028)
    crack = (1.2 if is_huge else 3) * studio.noise(seconds) * studio.decay(seconds, 0.01, 0.0003)
    body = 5 * studio.lowpass(studio.noise(seconds), cutoff) * studio.decay(seconds, fall, 0.001)
    shot = np.tanh(crack + body)
    air = 0.3 * studio.lowpass(studio.noise(seconds), 1.5 * cutoff, order=1)
    shot += air * studio.decay(seconds, 0.3 if is_huge else 0.12, 0.02)
    answered = shot.copy()
    dull = studio.lowpass(shot, 1500)
    for delay, gain in ((studio.uniform(0.09, 0.14), 0.3), (studio.uniform(0.19, 0.3), 0.18)):
        start = round(delay * studio.sample_rate)
        answered[start:] += gain * dull[:-start]
    track = studio.silence()
    for start_s in studio.onsets(studio.uniform(0.8, 1.3), 0.2) if is_slow else _bursts(studio):
        studio.place(track, answered, start_s, studio.uniform(0.75, 1))
    return track


def _clash(studio: Studio, pitch_hz: float) -> Signal:
    """Blade on blade: a burst of hiss and a dozen unrelated partials."""
    num_partials = 12
    ratios = np.sort(studio.random.uniform(1.0, 6.5, num_partials))
    falls = studio.random.uniform(0.12, 0.5, num_partials) / np.sqrt(ratios)
    ring = studio.modes(pitch_hz, ratios.tolist(), falls.tolist(), studio.random.uniform(0.3, 1, 12).tolist(), 0.9)
    hit = 2.5 * studio.highpass(studio.noise(0.12), 2500) * studio.decay(0.12, 0.018, 0.0005)
    ring[: len(hit)] += hit
    return ring


def sword(studio: Studio) -> Signal:
    """Sword play: the air of a swing, the clash, and now and then a blade that slides along the other."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    is_low = studio.choose("pitch", "low", "high") == "low"
    base = studio.uniform(480, 700) if is_low else studio.uniform(1500, 2000)
    clashes = [_clash(studio, base * studio.uniform(0.9, 1.15)) for _ in range(3)]
    track = studio.silence()
    swing_s = 0.22 if is_slow else 0.12
    for start in studio.onsets(studio.uniform(0.8, 1.1) if is_slow else studio.uniform(2.6, 3.4), 0.18):
        swing = studio.bandpass(studio.noise(swing_s), 500, 2500)
        studio.place(track, swing * hump(len(swing)) ** 2, start, 1.6)
        met = start + 0.8 * swing_s
        studio.place(track, clashes[studio.count(0, 3)], met, studio.uniform(0.7, 1))
        if studio.uniform(0, 1) < 0.4:
            seconds = studio.uniform(0.25, 0.4)
            edge = min(4 * base, 4500)
            scrape = studio.lowpass(studio.highpass(studio.noise(seconds), edge), edge + 2500)
            rough = 0.6 + 0.4 * np.sin(2 * np.pi * studio.uniform(60, 90) * studio.span(seconds))
            studio.place(track, scrape * rough * hump(len(scrape)), met + 0.05, 1.3)
    return track
