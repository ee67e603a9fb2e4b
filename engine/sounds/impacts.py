"""Things that strike, break, burst, rub or rush past."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext, hump


def explosion(synth: SynthContext) -> Signal:
    """One sudden boom with a sinking sub tone, then falling debris."""
    is_huge = synth.choose("size", "huge", "small") == "huge"
    track = synth.silence()
    seconds, fall = (3.6, synth.uniform(0.7, 1.0)) if is_huge else (1.5, synth.uniform(0.18, 0.28))
    time = synth.span(seconds)
    for start in synth.occasions(1.3, 5.5, 8.0):
        boom = 5 * synth.lowpass(synth.noise(seconds), synth.uniform(150, 250)) * np.exp(-time / fall)
        boom += 2 * synth.bandpass(synth.noise(seconds), 200, 5000) * np.exp(-time / (0.35 * fall))
        boom += np.sin(synth.phase(60 * np.exp(-time * 2) + 25)) * np.exp(-time / (0.7 * fall))
        synth.place(track, np.tanh(1.5 * boom) * np.minimum(1, time / 0.003), start)
        debris = start + 0.2 + synth.random.exponential(2 * fall / 3, 25)
        track += synth.bandpass(synth.impulses(debris, synth.random.uniform(0.1, 0.7, 25)), 900, 4000)
    return track


def glass(synth: SynthContext) -> Signal:
    """A pane shatters: a bright burst and a rain of tinkling shards."""
    track = synth.silence()
    for start in synth.occasions(1.4, 4.5, 6.5):
        burst = 1.2 * synth.highpass(synth.noise(0.2), 2000) * synth.decay(0.2, 0.04, 0.001)
        synth.place(track, burst, start)
        for _ in range(synth.count(25, 50)):
            falls = (synth.uniform(0.02, 0.12), 0.03)
            shard = synth.modes(synth.uniform(2200, 5600), (1, 1.37), falls, (1, 0.5), 0.4)
            delay = float(synth.random.exponential(0.45)) + 0.005
            synth.place(track, shard, start + delay, synth.uniform(0.1, 0.6))
    return track


def whoosh(synth: SynthContext) -> Signal:
    """Something rushes past: noise that swells and brightens, then is gone."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    track = synth.silence()
    for start in synth.onsets(0.42 if is_slow else synth.uniform(1, 1.5), 0.08):
        seconds = synth.uniform(1.2, 1.8) if is_slow else synth.uniform(0.3, 0.5)
        noise = synth.noise(seconds)
        swell = hump(len(noise))
        air = synth.bandpass(noise, 300, 900) * (0.3 + swell) + 1.8 * synth.bandpass(noise, 900, 3000) * swell**3
        synth.place(track, air * swell, start, synth.uniform(0.7, 1))
    return track


def door_creak(synth: SynthContext) -> Signal:
    """A dry hinge: stick-slip pulses of a wandering rate, ringing in the wood."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    track = synth.silence()
    centre = synth.uniform(750, 1100)
    for start in synth.occasions(0.4, 2.2 if is_slow else 0.7, 2.8 if is_slow else 1.0):
        seconds = synth.uniform(1.5, 2.0) if is_slow else synth.uniform(0.4, 0.6)
        course = np.linspace(0, 1, len(synth.span(seconds)))
        low, high = (22, 75) if is_slow else (70, 180)
        rate = low + (high - low) * np.sin(np.pi * course) * (0.8 + 0.2 * np.sin(9 * course + synth.uniform(0, 6)))
        slips = np.diff(np.floor(synth.phase(rate) / (2 * np.pi)), prepend=0.0) * synth.sample_rate / 16000
        bend = 1 + 0.3 * synth.uniform(-1, 1)
        wood = sum(synth.bandpass(slips, centre * k * bend, centre * k * bend * 1.12, 1) for k in (1, 1.9, 3.1))
        synth.place(track, np.asarray(wood) * hump(len(course)) ** 0.4, start)
    return track
