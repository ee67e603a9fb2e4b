"""A throat for any animal: pulses of a larynx with its unrest, breath, and a mouth whose resonances move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext
from engine.sounds.texture import filtered_by_frames, frame_samples, num_frames_of

Decibels = Callable[[Signal, Signal], Signal]
"""From moments in seconds [F] and frequencies in Hz [B] to a gain in dB, [F, B]."""

_EVENED = 0.7
"""The share of a level's difference between two shapes of a mouth that is taken back: "ee" is not lost beside "ah"."""

_FRAME_S = 0.024


def shaped(synth: SynthContext, source: Signal, decibels: Decibels, frame_s: float = _FRAME_S) -> Signal:
    """The source [T] through a response that moves."""
    frame = frame_samples(frame_s, synth.sample_rate)
    times = np.arange(num_frames_of(len(source), frame)) * (frame // 2) / synth.sample_rate
    bins = np.maximum(np.fft.rfftfreq(frame, 1 / synth.sample_rate), 1.0)
    return filtered_by_frames(source, np.exp(0.11513 * decibels(times, bins)), frame)


def drift(synth: SynthContext, seconds: float, rate_hz: float) -> Signal:
    """A random curve between -1 and 1 over an event, about `rate_hz` turns a second, [T]."""
    num_knots = int(seconds * rate_hz) + 3
    knots = synth.random.uniform(-1, 1, num_knots)
    length = len(synth.span(seconds))
    return np.interp(np.linspace(0, num_knots - 1.001, length), np.arange(num_knots), knots)


def evened(track: Signal) -> Signal:
    """The track at a root mean square of 1."""
    level: Signal = track / (np.sqrt(np.mean(track**2)) + 1e-9)
    return level


@dataclass(frozen=True)
class Tract:
    """Resonances of a mouth: rows of centres in Hz [K, N], evenly spaced over a call unless `moments` [K] say when.

    Each stands `gains_db` over a spectrum that falls by `tilt_db` an octave above the first and by `low_db` below it.
    """

    centres_hz: Sequence[Sequence[float]]
    gains_db: Sequence[float]
    widths_hz: Sequence[float]
    tilt_db: float = 9.0
    low_db: float = 6.0
    moments: Sequence[float] | None = None

    def decibels(self, seconds: float, size: float, times: Signal, bins: Signal) -> Signal:
        """The response [F, B] of a tract of `size` (the centres move up with 1 / size) at moments of a call."""
        rows = np.asarray(self.centres_hz, dtype=np.float64) / size
        moments = np.linspace(0, seconds, len(rows)) if self.moments is None else np.asarray(self.moments)
        first = np.mean(rows[:, 0])
        octave = np.log2(bins / first)
        level = np.where(octave > 0, -self.tilt_db * octave, self.low_db * octave)[None, :].astype(np.float32)
        bins_hz = bins.astype(np.float32)
        for column, (gain, width) in enumerate(zip(self.gains_db, self.widths_hz, strict=True)):
            centre = np.interp(times, moments, rows[:, column])[:, None].astype(np.float32)
            level = level + gain / (1 + ((bins_hz - centre) / np.float32(width)) ** 2)
        power_db = 10 * np.log10(np.mean(np.exp(0.2303 * level), axis=1, keepdims=True))
        return np.broadcast_to(level - _EVENED * power_db, (len(times), len(bins)))


@dataclass(frozen=True)
class Unrest:
    """How uneven a larynx is: jitter of its pitch, shimmer of its strength, every other pulse weaker by `rough`."""

    jitter: float = 0.01
    shimmer: float = 0.15
    rough: float = 0.0
    chaos: float = 0.0  # share of the sound that is noise in step with the pulses


def larynx(synth: SynthContext, seconds: float, pitch_hz: Signal, unrest: Unrest) -> Signal:
    """Band-limited pulses [T] whose partials are all of amplitude 1 (a closed sum of cosines), with their unrest."""
    uneven = pitch_hz * (1 + unrest.jitter * drift(synth, seconds, 45))
    half = 0.5 * synth.phase(uneven)
    partials = np.maximum(1, np.floor(0.47 * synth.sample_rate / np.maximum(uneven, 20.0)))
    sine = np.sin(half)
    sine = np.where(np.abs(sine) < 1e-5, 1e-5, sine)
    pulses = 0.5 * (np.sin((2 * partials + 1) * half) / sine - 1)
    strength = 1 + unrest.shimmer * drift(synth, seconds, 60) + unrest.rough * np.cos(half)
    if unrest.chaos:
        hiss = synth.noise(seconds) * (0.5 + 0.5 * np.cos(2 * half))
        pulses = (1 - unrest.chaos) * pulses + 4 * unrest.chaos * hiss
    train: Signal = pulses * strength
    return train


def utter(
    synth: SynthContext,
    seconds: float,
    pitch_hz: Signal,
    tract: Tract,
    loudness: Signal,
    *,
    breath: float | Signal = 0.2,
    unrest: Unrest | None = None,
    size: float = 1.0,
) -> Signal:
    """One call of a throat: pitch in Hz and loudness from 0 to 1, [T]; its root mean square is 1."""
    source = larynx(synth, seconds, pitch_hz, unrest or Unrest()) * loudness + breath * synth.noise(seconds)
    call = shaped(synth, source, lambda times, bins: tract.decibels(seconds, size, times, bins))
    return evened(call)


def curve(synth: SynthContext, seconds: float, *points: tuple[float, float]) -> Signal:
    """A curve over an event through (share of its length, value) points, [T]."""
    course = np.linspace(0, 1, len(synth.span(seconds)))
    return np.interp(course, [share for share, _ in points], [value for _, value in points])


def swell(synth: SynthContext, seconds: float, rise_s: float, fall_s: float) -> Signal:
    """A loudness that rises in `rise_s`, holds, and falls in `fall_s`, rounded at both ends."""
    time = synth.span(seconds)
    ends = np.minimum(np.minimum(1.0, time / max(rise_s, 1e-4)), np.minimum(1.0, (seconds - time) / max(fall_s, 1e-4)))
    loudness: Signal = np.sin(0.5 * np.pi * np.clip(ends, 0, 1)) ** 2
    return loudness


def tremble(synth: SynthContext, seconds: float, rate_hz: float) -> Signal:
    """A sine between -1 and 1 whose rate wanders by a sixth, [T]."""
    turning: Signal = np.sin(synth.phase(rate_hz * (1 + 0.17 * drift(synth, seconds, 4))) + synth.uniform(0, 6.28))
    return turning
