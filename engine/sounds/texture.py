"""Sound by short frames: noise whose bands wander independently, filters that move, and places that answer.

Frames overlap by half under square-root Hann windows, whose squares add up to one: what is not changed comes out as
it went in, and noise made frame by frame is as loud as noise made at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

Signal = NDArray[np.float64]

BAND_CENTRES_HZ: Signal = 31.25 * 2.0 ** (np.arange(20) / 2)
"""Centres of the bands [B] that wander: two an octave, from 31 Hz to 22.6 kHz, whatever the sample rate."""

FRAME_S = 0.032
"""Seconds of a frame; what has to change faster is multiplied by an envelope."""


def frame_samples(frame_s: float, sample_rate: int) -> int:
    """Even number of samples of a frame."""
    return 2 * max(8, round(frame_s * sample_rate / 2))


@lru_cache(maxsize=64)
def _window(num_samples: int) -> Signal:
    angle: Signal = np.pi * (np.arange(num_samples) + 0.5) / num_samples
    return cast(Signal, np.sin(angle))


@lru_cache(maxsize=64)
def band_weights(frame: int, sample_rate: int) -> Signal:
    """Share [B, frame // 2 + 1] that each band has in each bin: straight lines over the logarithm of frequency."""
    bins = np.maximum(np.fft.rfftfreq(frame, 1 / sample_rate), 1.0)
    place = np.clip(2 * np.log2(bins / BAND_CENTRES_HZ[0]), 0, len(BAND_CENTRES_HZ) - 1)
    distance = np.abs(place - np.arange(len(BAND_CENTRES_HZ))[:, None])
    return cast(Signal, np.maximum(0.0, 1 - distance))


def band_levels_db(hertz: Sequence[float], levels_db: Sequence[float]) -> Signal:
    """Levels of the bands [B] of a spectrum given by a few points, straight lines over the logarithm of frequency."""
    return np.interp(np.log2(BAND_CENTRES_HZ), np.log2(np.asarray(hertz)), levels_db)


def wandering_levels(random: np.random.Generator, num_frames: int, seconds: float, rate_hz: float) -> Signal:
    """Random curves [num_frames, B] of deviation 1, `rate_hz` turns a second, each band's its own.

    Neighbours share a part of their course, as bands of one source do; those an octave apart share nothing.
    """
    num_knots = max(4, int(seconds * rate_hz) + 3)
    knots = random.standard_normal((num_knots, len(BAND_CENTRES_HZ) + 1))
    knots = (knots[:, 1:] + 0.5 * knots[:, :-1]) / np.sqrt(1.25)
    place = np.linspace(0, num_knots - 1.001, num_frames)
    before = place.astype(np.int64)
    turn = (0.5 - 0.5 * np.cos(np.pi * (place - before)))[:, None]
    return cast(Signal, knots[before] * (1 - turn) + knots[before + 1] * turn)


def num_frames_of(num_samples: int, frame: int) -> int:
    """Frames that cover a clip, half of the first and of the last beyond its ends."""
    return -(-num_samples // (frame // 2)) + 1


def _overlapped(frames: Signal, num_samples: int) -> Signal:
    """The frames [N, W] added up, each half a frame after the one before, [num_samples]."""
    hop = frames.shape[1] // 2
    track = np.zeros((len(frames) + 1, hop))
    track[:-1] += frames[:, :hop]
    track[1:] += frames[:, hop:]
    return track.ravel()[hop : hop + num_samples]


def noise_with_levels(hiss: np.random.Generator, levels_db: Signal, num_samples: int, frame: int, rate: int) -> Signal:
    """Noise whose bands have the levels [N, B] in dB at every frame; 0 dB is white noise of deviation 1."""
    amplitudes = np.power(10.0, levels_db / 20) @ band_weights(frame, rate) * np.sqrt(frame / 2)
    spectra = hiss.standard_normal((*amplitudes.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
    spectra *= amplitudes.astype(np.float32)  # single precision halves the time, and is far below the noise
    return _overlapped(irfft(spectra, frame, axis=1, overwrite_x=True) * _window(frame), num_samples)


def filtered_by_frames(track: Signal, gains: Signal, frame: int) -> Signal:
    """The track through a filter of gains [N, frame // 2 + 1] that is another one at every frame."""
    hop = frame // 2
    padded = np.pad(track, (hop, (len(gains) + 1) * hop - hop - len(track)))
    frames = sliding_window_view(padded, frame)[::hop][: len(gains)] * _window(frame)
    return _overlapped(irfft(rfft(frames, axis=1) * gains, frame, axis=1) * _window(frame), len(track))


def peak_gains(bins_hz: Signal, centres_hz: Signal, widths_hz: Signal, gains: Signal) -> Signal:
    """Gains [N, bins] of resonances that move: `centres_hz`, `widths_hz` and `gains` are [N, K].

    Each is the magnitude of a resonator, 1 / sqrt(1 + (2 (f - centre) / width)^2); they add up.
    """
    total = np.zeros((len(centres_hz), len(bins_hz)))
    for k in range(centres_hz.shape[1]):
        off = 2 * (bins_hz - centres_hz[:, k : k + 1]) / widths_hz[:, k : k + 1]
        total += gains[:, k : k + 1] / np.sqrt(1 + off * off)
    return total


def equalised(track: Signal, sample_rate: int, hertz: Sequence[float], levels_db: Sequence[float]) -> Signal:
    """The whole track through one equaliser given by a few points, without delay."""
    length = cast(int, next_fast_len(len(track) + sample_rate // 20, real=True))
    bins = np.maximum(np.fft.rfftfreq(length, 1 / sample_rate), 1.0)
    levels = np.interp(np.log2(bins), np.log2(np.asarray(hertz)), levels_db)
    return cast(Signal, irfft(rfft(track, length) * np.power(10.0, levels / 20), length)[: len(track)])
