"""What a recording adds to a sound: the colour of a microphone, a narrow band, a noise floor, or none.

Most recordings of single sounds are not silent between the events: the quietest twentieth of their frames lies about
31 dB below the loudest frame (-45 to -22 dB for half of them), and that floor has a spectrum of its own. Others were
gated, or cut from their floor; and four in ten end below 17 kHz, as games, MP3s and old tapes do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from engine.sounds.corpus_entry import Capture
from engine.sounds.texture import (
    BAND_CENTRES_HZ,
    FRAME_S,
    Signal,
    band_levels_db,
    equalised,
    frame_samples,
    noise_with_levels,
    num_frames_of,
    wandering_levels,
)

_LOUDEST_S = 0.05  # the frame that counts as the loudest
_NO_FLOOR_SHARE = 0.25
_LOW_FLOOR_SHARE = 0.15
_LOW_FLOOR_DB = (-95.0, -70.0)
_BAND_LIMITS_HZ = (5500.0, 8000.0, 11000.0, 16000.0)
_BAND_LIMIT_SHARES = (0.02, 0.02, 0.03, 0.03)


@dataclass(frozen=True)
class Generators:
    """The randomness of a place and of a recording, apart from the sound's own: what happens stays what it was."""

    random: np.random.Generator
    hiss: np.random.Generator


def _loudest_rms(track: Signal, sample_rate: int) -> float:
    frame = max(1, min(len(track), round(_LOUDEST_S * sample_rate)))
    frames = track[: len(track) // frame * frame].reshape(-1, frame)
    return float(np.sqrt(np.max(np.mean(frames**2, axis=1))))


def coloured(
    track: Signal,
    capture: Capture,
    random: np.random.Generator,
    sample_rate: int,
    edits: np.random.Generator | None = None,
) -> Signal:
    """The track through a microphone that nobody chose: a tilt, a few soft bumps, less bass, at times less treble.

    The tilt is about 1 dB an octave, so that what is low stays lower than what is high. With `edits`, a tenth of the
    clips have the narrow band of a coarse file.
    """
    hertz = np.array([20.0, 60.0, 150.0, 400.0, 1000.0, 2500.0, 6000.0, 11000.0, 22000.0])
    levels = float(random.normal(0.0, 0.8)) * np.log2(hertz / 1000) + random.normal(0.0, 1.3, len(hertz))
    levels[0] -= float(random.uniform(0, 18))
    levels[1] -= float(random.uniform(0, 5))
    if random.uniform() < 0.25:  # an old or a cheap microphone
        levels[-2:] -= float(random.uniform(3, 14)) * np.array([0.5, 1.0])
    levels *= capture.colour
    limit = len(_BAND_LIMITS_HZ) if edits is None else np.searchsorted(np.cumsum(_BAND_LIMIT_SHARES), edits.uniform())
    if limit == len(_BAND_LIMITS_HZ):
        return equalised(track, sample_rate, hertz.tolist(), levels.tolist())
    edge = _BAND_LIMITS_HZ[limit] * float(random.uniform(0.85, 1.0))
    level = float(np.interp(np.log2(edge), np.log2(hertz), levels))
    points = [*hertz[hertz < edge].tolist(), edge, 1.08 * edge, 48000.0]
    return equalised(track, sample_rate, points, [*levels[hertz < edge].tolist(), level, level - 70.0, level - 90.0])


def _room_tone(random: np.random.Generator) -> Signal:
    """Levels of the bands [B] of the still air of some place: dark as a rule, with soft bumps."""
    slope = float(random.uniform(-6.5, -1.5))  # dB an octave
    bumps = 2.0 * random.standard_normal(len(BAND_CENTRES_HZ))
    return cast(Signal, bumps + slope * np.log2(BAND_CENTRES_HZ / 1000))


def _hiss(random: np.random.Generator) -> Signal:
    """Levels of the bands [B] of an amplifier: white, or a little brighter."""
    return band_levels_db((30, 1000, 20000), (0.0, 0.0, float(random.uniform(-6.0, 6.0))))


def _rumble(random: np.random.Generator) -> Signal:
    """Levels of the bands [B] of wind at the microphone, or of the street behind a wall."""
    corner = float(random.uniform(80, 400))
    octaves: Signal = np.maximum(0.0, np.log2(BAND_CENTRES_HZ / corner))
    return -float(random.uniform(9, 14)) * octaves


def _hum(random: np.random.Generator, num_samples: int, sample_rate: int) -> Signal:
    """The mains, 50 or 60 Hz, with its overtones."""
    mains = (50.0, 60.0)[int(random.integers(2))] * (1 + 0.0005 * float(random.standard_normal()))
    turn = np.arange(2048) / 2048  # one period, read as a table
    period = np.zeros(len(turn))
    for k in (1, 2, 3, 4, 5, 7, 9):
        gain = float(random.uniform(0.2, 1)) * k**-0.8
        period += gain * np.sin(2 * np.pi * (k * turn + float(random.uniform())))
    hum = period[(np.arange(num_samples) * (mains / sample_rate * 2048)).astype(np.int64) % 2048]
    return cast(Signal, hum / np.sqrt(np.mean(hum**2)))


def floor_noise(random: np.random.Generator, hiss: np.random.Generator, num_samples: int, sample_rate: int) -> Signal:
    """A noise floor [num_samples] of deviation 1: room tone, hiss, often rumble, at times hum.

    Its bands wander by one or two dB, each on its own; a gusty rumble by more.
    """
    shares = random.uniform(0, 1, 3) ** 2 + np.array([0.15, 0.05, 0.0])
    parts = []
    for share, levels in zip(shares, (_room_tone(random), _hiss(random), _rumble(random)), strict=True):
        density = np.power(10.0, levels / 10)
        parts.append(share * density / np.sum(density * BAND_CENTRES_HZ))  # as loud as its share, whatever its colour
    levels_db = 10 * np.log10(np.sum(parts, axis=0) + 1e-15)
    frame = frame_samples(FRAME_S, sample_rate)
    num_frames = num_frames_of(num_samples, frame)
    seconds = num_samples / sample_rate
    depth = float(random.uniform(0.7, 2.5)) + band_levels_db((60, 600), (float(random.uniform(0, 4)), 0.0))
    wander = wandering_levels(random, num_frames, seconds, float(random.uniform(0.5, 3)))
    noise = noise_with_levels(hiss, levels_db + depth * wander, num_samples, frame, sample_rate)
    noise /= np.sqrt(np.mean(noise**2)) + 1e-12
    hum_share, gain = random.uniform(), float(random.uniform(0.2, 0.9))
    if hum_share < 0.22:
        noise += gain * _hum(random, num_samples, sample_rate)
        noise /= np.sqrt(np.mean(noise**2))
    return noise


def with_floor(
    track: Signal, capture: Capture, random: np.random.Generator, hiss: np.random.Generator, sample_rate: int
) -> Signal:
    """The track over a noise floor that lies, as the capture says, below the track's loudest frame."""
    level_db = float(np.clip(random.normal(capture.floor_db, capture.spread_db), capture.lowest_db, capture.highest_db))
    gain = _loudest_rms(track, sample_rate) * 10 ** (level_db / 20)
    return track + gain * floor_noise(random, hiss, len(track), sample_rate)


def over_its_floor(
    track: Signal, capture: Capture, place: Generators, sample_rate: int, edits: np.random.Generator | None = None
) -> Signal:
    """The track over a noise floor; with `edits`, a quarter of clips have none, a seventh one that is hardly heard."""
    chosen = 1.0 if edits is None else edits.uniform()
    if chosen < _NO_FLOOR_SHARE:
        return track
    if chosen < _NO_FLOOR_SHARE + _LOW_FLOOR_SHARE:
        gain = _loudest_rms(track, sample_rate) * 10 ** (float(place.random.uniform(*_LOW_FLOOR_DB)) / 20)
        return track + gain * floor_noise(place.random, place.hiss, len(track), sample_rate)
    return with_floor(track, capture, place.random, place.hiss, sample_rate)
