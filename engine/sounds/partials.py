"""Tones and noise made of parts: struck bodies, tones of given harmonics, noise whose bands have lives of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import fftconvolve, lfilter

from engine.sounds.rooms import Place, sounding_in
from engine.sounds.synthesis import REFERENCE_RATE, Signal, SynthContext

_BLOCK = 256


def ringing(synth: SynthContext, partials_hz: Signal, falls_s: Signal, gains: Signal, seconds: float) -> Signal:
    """Decaying partials of a struck body, given by frequency, fall to 1/e and gain [K] each; [T].

    All samples of block b are powers of each partial's pole: z**(256·b + a) = z**(256·b) · z**a, one matrix product.
    """
    num_samples = len(synth.span(seconds))
    shifts = synth.random.uniform(0, 6.28, len(partials_hz))
    poles = (-1 / falls_s + 2j * np.pi * partials_hz) / synth.sample_rate
    weights = np.where(partials_hz < 0.47 * synth.sample_rate, gains, 0.0) * np.exp(1j * shifts)
    heard = weights != 0
    poles, weights = poles[heard], weights[heard]
    starts = _BLOCK * np.arange(-(-num_samples // _BLOCK))
    blocks = weights * np.exp(starts[:, None] * poles)
    ring: Signal = (blocks @ np.exp(poles[:, None] * np.arange(_BLOCK))).imag.ravel()[:num_samples]
    end = np.minimum(1.0, np.arange(num_samples, 0, -1) / (0.1 * num_samples))
    struck: Signal = ring * end * np.minimum(1.0, np.arange(num_samples) / (0.0004 * synth.sample_rate))
    return struck


def doublets(
    synth: SynthContext, partials_hz: Signal, falls_s: Signal, gains: Signal, *, split_hz: float, share: float = 0.3
) -> tuple[Signal, Signal, Signal]:
    """Each partial with a weaker neighbour up to `split_hz` away: no bell or string is quite round, so they beat."""
    near = partials_hz + split_hz * synth.random.uniform(0.25, 1, len(partials_hz))
    falls = falls_s * synth.random.uniform(0.8, 1.2, len(partials_hz))
    return np.r_[partials_hz, near], np.r_[falls_s, falls], np.r_[gains, share * gains]


def overtones(synth: SynthContext, pitch_hz: Signal, gains: Sequence[float] | Signal) -> Signal:
    """A tone of a pitch curve [T] whose k-th harmonic has the gain `gains[k - 1]`; none lies above Nyquist."""
    most = max(1, int(0.47 * synth.sample_rate / float(np.max(pitch_hz))))
    weights = np.asarray(gains, dtype=np.float64)
    weights = weights * np.exp(1j * synth.random.uniform(0, 6.28, len(weights)))
    turn = np.exp(1j * synth.phase(pitch_hz))
    total = np.zeros(len(turn), dtype=np.complex128)
    for weight in weights[:most][::-1]:  # Horner's scheme: one product and one sum for each harmonic
        total += weight
        total *= turn
    return total.imag


def gliding(synth: SynthContext, pitch_hz: Signal, gains: Sequence[float] | Signal) -> Signal:
    """As `overtones`, but each harmonic sounds wherever it lies below Nyquist: for short events that sweep far."""
    phase = synth.phase(pitch_hz)
    tone = np.zeros(len(phase))
    for k, gain in enumerate(gains, 1):
        room = np.clip((0.47 * synth.sample_rate - k * pitch_hz) / (0.03 * synth.sample_rate), 0, 1)
        if not room.any():
            break
        tone += gain * room * np.sin(k * phase)
    return tone


def falling_gains(num: int, slope: float, *, even: float = 1.0) -> Signal:
    """Gains [num] of harmonics that fall as k**-slope, the even ones times `even`."""
    k = np.arange(1, num + 1)
    made: Signal = np.where(k % 2 == 0, even, 1.0) * k.astype(np.float64) ** -slope
    return made


def banded_noise(synth: SynthContext, centres_hz: Sequence[float], levels: Sequence[Signal | float]) -> Signal:
    """Noise of neighbouring bands that follow envelopes of their own, [T].

    Each band reaches from the centre below to the centre above; the lowest and the highest go on to the ends.
    `levels` are amplitudes, one number or curve [T] for each band; 1 in all of them is white noise.
    """
    length = next((len(level) for level in levels if isinstance(level, np.ndarray)), synth.num_samples)
    padded = cast(int, next_fast_len(length, real=True))
    white = synth.hiss.standard_normal(padded, dtype=np.float32) * np.float32(
        np.sqrt(synth.sample_rate / REFERENCE_RATE)
    )
    spectrum = rfft(white)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(padded, 1 / synth.sample_rate), 1.0))
    places = np.interp(octaves, np.log2(np.asarray(centres_hz)), np.arange(len(centres_hz))).astype(np.float32)
    still = np.zeros(len(places), dtype=np.float32)
    track = np.zeros(length)
    for band, level in enumerate(levels):
        weight = np.cos(0.5 * np.pi * np.minimum(1, np.abs(places - band)))
        if isinstance(level, np.ndarray):
            track += irfft(spectrum * weight, padded)[:length] * level
        else:
            still += weight * np.float32(level)
    return track + irfft(spectrum * still, padded)[:length] if still.any() else track


def strokes(synth: SynthContext, starts_s: Signal, gains: Signal, fall_s: float, rise_s: float = 0.0007) -> Signal:
    """An envelope [T] that jumps by a gain at each start and falls to 1/e in `fall_s`; strokes add up."""
    jumps = np.zeros(synth.num_samples)
    places = np.minimum((starts_s * synth.sample_rate).astype(np.int64), synth.num_samples - 1)
    np.add.at(jumps, places, gains)
    fall, rise = (np.exp(-1 / (max(1e-4, time_s) * synth.sample_rate)) for time_s in (fall_s, rise_s))
    slow, quick = (lfilter([1.0], [1.0, -pole], jumps) for pole in (fall, rise))
    return cast(Signal, slow - quick)


def body(synth: SynthContext, track: Signal, modes_hz: Signal, falls_s: Signal, gains: Signal) -> Signal:
    """The track as a resonant body passes it on: convolved with the body's own ringing, of unit energy at 16 kHz."""
    response = ringing(synth, modes_hz, falls_s, gains, 5 * float(np.max(falls_s)))
    energy = REFERENCE_RATE * float(np.sum(gains**2 * falls_s)) / 4  # of all modes, also of those above Nyquist
    response *= REFERENCE_RATE / synth.sample_rate / np.sqrt(energy)
    return cast(Signal, fftconvolve(track, response)[: len(track)])


def wet(synth: SynthContext, track: Signal, fall_s: float, share: float) -> Signal:
    """The track with an artificial hall, as producers of such sounds add it: 60 dB in `fall_s`, at a `share`."""
    place = Place(fall_s, size_m=synth.uniform(4, 20), wet=share, early=0.2, treble=synth.uniform(0.4, 0.9))
    return sounding_in(track, place, synth.random, synth.hiss, synth.sample_rate)


def spread(synth: SynthContext, low: float, high: float, num: int | None = None) -> Signal:
    """Numbers drawn evenly on a logarithmic scale from `low` to `high`, [num] or one."""
    return cast(Signal, np.exp(synth.random.uniform(np.log(low), np.log(high), num)))


def is_alone(synth: SynthContext, share: float) -> bool:
    """Return whether this clip holds one event and then nothing, as most files of a library do; it has no speed then.

    `share` of the clips do; one in which events are counted has as many as its caption says.
    """
    if "count" in synth.attributes or synth.uniform(0, 1) > share:
        return False
    synth.attributes.pop("speed", None)
    return True
