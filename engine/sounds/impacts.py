"""Things that strike, break, burst, rub or rush past."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, Studio, hump


def explosion(studio: Studio) -> Signal:
    """One sudden boom with a sinking sub tone, then falling debris."""
    is_huge = studio.choose("size", "huge", "small") == "huge"
    track = studio.silence()
    seconds, fall = (3.6, studio.uniform(0.7, 1.0)) if is_huge else (1.5, studio.uniform(0.18, 0.28))
    time = studio.span(seconds)
    for start in studio.occasions(1.3, 5.5, 8.0):
        boom = 5 * studio.lowpass(studio.noise(seconds), studio.uniform(150, 250)) * np.exp(-time / fall)
        boom += 2 * studio.bandpass(studio.noise(seconds), 200, 5000) * np.exp(-time / (0.35 * fall))
        boom += np.sin(studio.phase(60 * np.exp(-time * 2) + 25)) * np.exp(-time / (0.7 * fall))
        studio.place(track, np.tanh(1.5 * boom) * np.minimum(1, time / 0.003), start)
        debris = start + 0.2 + studio.random.exponential(2 * fall / 3, 25)
        track += studio.bandpass(studio.impulses(debris, studio.random.uniform(0.1, 0.7, 25)), 900, 4000)
    return track


def glass(studio: Studio) -> Signal:
    """A pane shatters: a bright burst and a rain of tinkling shards."""
    track = studio.silence()
    for start in studio.occasions(1.4, 4.5, 6.5):
        burst = 1.2 * studio.highpass(studio.noise(0.2), 2000) * studio.decay(0.2, 0.04, 0.001)
        studio.place(track, burst, start)
        for _ in range(studio.count(25, 50)):
            falls = (studio.uniform(0.02, 0.12), 0.03)
            shard = studio.modes(studio.uniform(2200, 5600), (1, 1.37), falls, (1, 0.5), 0.4)
            delay = float(studio.random.exponential(0.45)) + 0.005
            studio.place(track, shard, start + delay, studio.uniform(0.1, 0.6))
    return track


def whoosh(studio: Studio) -> Signal:
    """Something rushes past: noise that swells and brightens, then is gone."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    track = studio.silence()
    for start in studio.onsets(0.42 if is_slow else studio.uniform(1, 1.5), 0.08):
        seconds = studio.uniform(1.2, 1.8) if is_slow else studio.uniform(0.3, 0.5)
        noise = studio.noise(seconds)
        swell = hump(len(noise))
        air = studio.bandpass(noise, 300, 900) * (0.3 + swell) + 1.8 * studio.bandpass(noise, 900, 3000) * swell**3
        studio.place(track, air * swell, start, studio.uniform(0.7, 1))
    return track


def door_creak(studio: Studio) -> Signal:
    """A dry hinge: stick-slip pulses of a wandering rate, ringing in the wood."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    track = studio.silence()
    centre = studio.uniform(750, 1100)
    for start in studio.occasions(0.4, 2.2 if is_slow else 0.7, 2.8 if is_slow else 1.0):
        seconds = studio.uniform(1.5, 2.0) if is_slow else studio.uniform(0.4, 0.6)
        course = np.linspace(0, 1, len(studio.span(seconds)))
        low, high = (22, 75) if is_slow else (70, 180)
        rate = low + (high - low) * np.sin(np.pi * course) * (0.8 + 0.2 * np.sin(9 * course + studio.uniform(0, 6)))
        slips = np.diff(np.floor(studio.phase(rate) / (2 * np.pi)), prepend=0.0) * studio.sample_rate / 16000
        bend = 1 + 0.3 * studio.uniform(-1, 1)
        wood = sum(studio.bandpass(slips, centre * k * bend, centre * k * bend * 1.12, 1) for k in (1, 1.9, 3.1))
        studio.place(track, np.asarray(wood) * hump(len(course)) ** 0.4, start)
    return track
