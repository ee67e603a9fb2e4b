"""Weapons: guns and swords."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext, hump


def _bursts(synth: SynthContext) -> Iterator[float]:
    """Moments of automatic fire: bursts of strict shots with rests between."""
    moment = synth.uniform(0.02, min(0.4, 0.2 * synth.seconds))
    interval = 1 / synth.uniform(8.0, 11.0)
    while moment < synth.seconds:
        for _ in range(synth.count(6, 13)):
            yield moment
            moment += interval
        moment += synth.uniform(0.45, 0.8)


def gunshot(synth: SynthContext) -> Signal:
    """Shots: a dry crack, a thump, and the slap of walls that answer; single ones or automatic fire."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_huge = synth.choose("size", "huge", "small") == "huge"
    seconds = 1.3 if is_huge else 0.7
    cutoff, fall = (synth.uniform(350, 600), 0.09) if is_huge else (synth.uniform(1700, 2600), 0.028)
    crack = (1.2 if is_huge else 3) * synth.noise(seconds) * synth.decay(seconds, 0.01, 0.0003)
    body = 5 * synth.lowpass(synth.noise(seconds), cutoff) * synth.decay(seconds, fall, 0.001)
    shot = np.tanh(crack + body)
    air = 0.3 * synth.lowpass(synth.noise(seconds), 1.5 * cutoff, order=1)
    shot += air * synth.decay(seconds, 0.3 if is_huge else 0.12, 0.02)
    answered = shot.copy()
    dull = synth.lowpass(shot, 1500)
    for delay, gain in ((synth.uniform(0.09, 0.14), 0.3), (synth.uniform(0.19, 0.3), 0.18)):
        start = round(delay * synth.sample_rate)
        answered[start:] += gain * dull[:-start]
    track = synth.silence()
    for start_s in synth.onsets(synth.uniform(0.8, 1.3), 0.2) if is_slow else _bursts(synth):
        synth.place(track, answered, start_s, synth.uniform(0.75, 1))
    return track


def _clash(synth: SynthContext, pitch_hz: float) -> Signal:
    """Blade on blade: a burst of hiss and a dozen unrelated partials."""
    num_partials = 12
    ratios = np.sort(synth.random.uniform(1.0, 6.5, num_partials))
    falls = synth.random.uniform(0.12, 0.5, num_partials) / np.sqrt(ratios)
    ring = synth.modes(pitch_hz, ratios.tolist(), falls.tolist(), synth.random.uniform(0.3, 1, 12).tolist(), 0.9)
    hit = 2.5 * synth.highpass(synth.noise(0.12), 2500) * synth.decay(0.12, 0.018, 0.0005)
    ring[: len(hit)] += hit
    return ring


def sword(synth: SynthContext) -> Signal:
    """Sword play: the air of a swing, the clash, and now and then a blade that slides along the other."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(480, 700) if is_low else synth.uniform(1500, 2000)
    clashes = [_clash(synth, base * synth.uniform(0.9, 1.15)) for _ in range(3)]
    track = synth.silence()
    swing_s = 0.22 if is_slow else 0.12
    for start in synth.onsets(synth.uniform(0.8, 1.1) if is_slow else synth.uniform(2.6, 3.4), 0.18):
        swing = synth.bandpass(synth.noise(swing_s), 500, 2500)
        synth.place(track, swing * hump(len(swing)) ** 2, start, 1.6)
        met = start + 0.8 * swing_s
        synth.place(track, clashes[synth.count(0, 3)], met, synth.uniform(0.7, 1))
        if synth.uniform(0, 1) < 0.4:
            seconds = synth.uniform(0.25, 0.4)
            edge = min(4 * base, 4500)
            scrape = synth.lowpass(synth.highpass(synth.noise(seconds), edge), edge + 2500)
            rough = 0.6 + 0.4 * np.sin(2 * np.pi * synth.uniform(60, 90) * synth.span(seconds))
            synth.place(track, scrape * rough * hump(len(scrape)), met + 0.05, 1.3)
    return track
