"""Imitations as a musician makes them, synthesised: hums, taps and whistles that move in a random but smooth way."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.wav_writer import Samples

SAMPLE_RATE = 44_100  # of a microphone; no model's
_POINTS_A_SECOND = 2.5  # at which a voice chooses where to go next
_HARMONICS = 12
_FLOOR = 2e-4  # -74 dB: the room's noise

Curve = NDArray[np.float64]  # [T]


def hum(rng: np.random.Generator, seconds: float) -> Samples:
    """Return a voiced hum, [T]: loudness by 30 dB, pitch by an octave, brightness from closed to open mouth."""
    size = round(seconds * SAMPLE_RATE)
    f0 = rng.uniform(90, 220) * 2 ** (_wander(rng, size, seconds) * 0.5)
    openness = 1.5 + _wander(rng, size, seconds)  # exponent of the harmonics' fall: 0.5 is open, 2.5 closed
    phase = 2 * np.pi * np.cumsum(f0) / SAMPLE_RATE
    voice = sum(np.sin(k * phase + k) * k**-openness for k in range(1, _HARMONICS + 1))
    return _recorded(rng, np.asarray(voice) * _swell(rng, size, seconds))


def whistle(rng: np.random.Generator, seconds: float) -> Samples:
    """Return a whistle, [T]: loudness by 30 dB, pitch by an octave and a half, with a little breath."""
    size = round(seconds * SAMPLE_RATE)
    f0 = rng.uniform(900, 1500) * 2 ** (_wander(rng, size, seconds) * 0.75)
    tone = np.sin(2 * np.pi * np.cumsum(f0) / SAMPLE_RATE) + 0.02 * rng.standard_normal(size)
    return _recorded(rng, tone * _swell(rng, size, seconds))


def taps(rng: np.random.Generator, seconds: float) -> Samples:
    """Return taps on a table, [T]: two to four a second, irregular, of different strength."""
    size = round(seconds * SAMPLE_RATE)
    waveform, time = np.zeros(size), rng.uniform(0.05, 0.2)
    while time < seconds - 0.05:
        start = round(time * SAMPLE_RATE)
        age = np.arange(size - start) / SAMPLE_RATE
        knock = rng.standard_normal(len(age)) + 4 * np.sin(2 * np.pi * rng.uniform(150, 400) * age)
        waveform[start:] += 10 ** (rng.uniform(-18, 0) / 20) * knock * np.exp(-age / rng.uniform(0.03, 0.08))
        time += rng.uniform(0.25, 0.5)
    return _recorded(rng, waveform)


IMITATIONS: dict[str, tuple[Callable[[np.random.Generator, float], Samples], tuple[str, ...]]] = {
    "hum": (hum, ("loudness", "brightness", "pitch")),
    "taps": (taps, ("loudness",)),
    "whistle": (whistle, ("loudness", "pitch")),
}
"""How each is made, and in what it moves."""


def _wander(rng: np.random.Generator, size: int, seconds: float) -> Curve:
    """A smooth curve between -1 and 1, [size]: points at random, joined by halves of a cosine."""
    count = max(2, round(seconds * _POINTS_A_SECOND)) + 1
    points, place = rng.uniform(-1, 1, count), np.linspace(0, count - 1, size, endpoint=False)
    before, share = place.astype(int), place % 1
    ease = (1 - np.cos(np.pi * share)) / 2
    curve: Curve = points[before] * (1 - ease) + points[before + 1] * ease
    return curve


def _swell(rng: np.random.Generator, size: int, seconds: float) -> Curve:
    """A gain that moves between 0 and -30 dB, [size]."""
    return 10 ** ((_wander(rng, size, seconds) - 1) * 15 / 20)


def _recorded(rng: np.random.Generator, waveform: Curve) -> Samples:
    """At a peak of 0.5, in a room that is not quite silent, [T]."""
    level = 0.5 / np.abs(waveform).max()
    return np.asarray(level * waveform + _FLOOR * rng.standard_normal(len(waveform)), np.float32)
