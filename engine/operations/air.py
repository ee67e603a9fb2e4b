"""Air: the sound above a model's band, made for a replacement from noise that is shaped like its surroundings.

The level of the surroundings in each band above the model's, split into a constant floor and a varying part, sets the
level of the air; the varying part follows the top octave of what the model made, and what the air net makes of it: in
dB, half the one and half the other. Nothing of the replaced sound is used.
The noise is as correlated between channels as the surroundings are.

Shape letters: C channels, T samples, F frames, Q frequencies, H bands above the model's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from engine.audio import resampled_slices
from engine.operations.air_levels import air_levels
from engine.operations.air_spectra import FULL_RATE, HOP, LINE_HZ, UPPER
from engine.operations.frames import Spectra, frame_size, frames_of, hann, num_frames, overlapped
from engine.operations.splice import correlation, rms
from engine.wav_writer import Samples

FRAME_S = 0.0107  # seconds
BANDS_AN_OCTAVE = 12
LEAST_ROOM = 1.1  # of where the air begins: half the rate must be that for any
REST_PERCENT = 10  # of the frames are softer than what counts as always there
BRIGHTEST = 10 ** (20 / 10)  # of power, relative to the octave: how much brighter than its surroundings air may be
NATURAL_DB = -12.0  # an octave, relative to the top octave: the air of a loud event in quiet surroundings,
EVENT = 10 ** (6 / 10)  # of power: but at most this much above the surroundings
ALIKE = 0.999  # channels more alike than this are one
TINY = 1e-20
FRAMES_AT_ONCE = 256  # that are shaped

Powers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Air:
    """What surroundings have above a model's band, and in the octave below its end."""

    edges: NDArray[np.int64]  # [H + 1], numbers of frequencies
    octave: tuple[int, int]  # numbers of the first frequency and of the one after the last
    size: int  # samples of a frame
    mean: Powers  # [C, H], power of white noise that is as loud
    rest: Powers  # [C, H]
    below: Powers  # [C], of the octave
    likeness: float  # -1 to 1, of the channels
    lufs: float = -np.inf  # of the surroundings, without their air
    share_lu: float = 0.0  # by which their air makes them louder

    @property
    def is_silent(self) -> bool:
        return self.mean.size == 0 or float(self.mean.max()) < TINY

    def beside(self, lufs: float) -> "Air":
        """Return the air for a replacement of that loudness (measured without air): a softer one has softer air."""
        softer = 10 ** (min(0.0, lufs - self.lufs) / 10) if np.isfinite(self.lufs) else 1.0
        return replace(self, mean=self.mean * softer, rest=self.rest * softer, below=self.below * softer, lufs=lufs)


def air_of(surroundings: Sequence[Samples], sample_rate: int, from_hz: float) -> Air:
    """What sounds [C, T] have above a frequency; without any sound, or any room above it, that is nothing."""
    size = frame_size(sample_rate, FRAME_S)
    line_hz = sample_rate / size
    count = int(np.log2(max(1.0, sample_rate / 2 / from_hz)) * BANDS_AN_OCTAVE)
    edges = np.unique(np.rint(from_hz * 2 ** (np.arange(count + 1) / BANDS_AN_OCTAVE) / line_hz).astype(np.int64))
    edges[-1] = size // 2 + 1
    octave = int(from_hz / 2 / line_hz), int(from_hz / line_hz)
    num_channels = surroundings[0].shape[0]
    if sample_rate / 2 < LEAST_ROOM * from_hz:
        return _nothing(edges, octave, size, num_channels)
    bands, below = [np.zeros((num_channels, 0, len(edges) - 1))], [np.zeros((num_channels, 0))]
    cross = np.zeros(3)
    for sound in surroundings:
        for _, spectra in frames_of(sound[:, : sound.shape[1] // (size // 2) * (size // 2)], size, hann(size)):
            whole = spectra[:, 1:-1]  # half of each outer one is outside the sound
            bands.append(_in_bands(whole, edges, size))
            below.append(_in_octave(whole, octave, size))
            cross += _cross(whole[..., edges[0] : edges[-1]])
    every, top = np.concatenate(bands, axis=1), np.concatenate(below, axis=1)
    if not every.size:
        return _nothing(edges, octave, size, num_channels)
    likeness = float(cross[0] / np.sqrt(max(cross[1] * cross[2], TINY**2)))
    rest = np.minimum(np.percentile(every, REST_PERCENT, axis=1), every.mean(axis=1))
    return Air(edges, octave, size, every.mean(axis=1), rest, top.mean(axis=1), likeness)


def _nothing(edges: NDArray[np.int64], octave: tuple[int, int], size: int, num_channels: int) -> Air:
    silence = np.zeros((num_channels, 0))
    return Air(edges, octave, size, silence, silence, np.zeros(num_channels), 0.0)


def add_air(replacement: Samples, air: Air, generator: torch.Generator, learned_at: int | None = None) -> None:
    """Add air to a replacement [C, T] that has none, in place; one generator, one noise.

    `learned_at` is the replacement's rate where its air is to move as the air net expects, too.
    """
    if air.is_silent:
        return
    movement = None if learned_at is None else _Movement.of(replacement, air, learned_at)
    octave = [
        _in_octave(spectra, air.octave, air.size) for _, spectra in frames_of(replacement, air.size, hann(air.size))
    ]
    levels = np.concatenate(octave, axis=1)
    overlapped(_noise(air, levels, movement, replacement.shape[1], generator), air.size, replacement)


@dataclass(frozen=True, eq=False)
class _Movement:
    """How air moves as the air net expects, in every band around 1; worked out a few frames at a time."""

    levels: NDArray[np.float32]  # [C', H', N], dB, of the air net's bands and frames
    bands: NDArray[np.int64]  # [H], which of the net's each is
    frames: NDArray[np.int64]  # [F], which of the net's each is

    @classmethod
    def of(cls, replacement: Samples, air: Air, sample_rate: int) -> "_Movement":
        """Replacement [C, T] -> its movement; it is resampled and heard slice by slice.

        Channels that are one sound at two levels move alike, though the net does not hear both levels alike.
        """
        size = max(1, round(replacement.shape[1] * FULL_RATE / sample_rate))
        is_one = abs(air.likeness) > ALIKE or abs(correlation(replacement[0], replacement[-1])) > ALIKE
        louder = int(np.argmax([rms(channel) for channel in replacement]))
        source = replacement[louder : louder + 1] if is_one else replacement
        levels = air_levels(resampled_slices(source, sample_rate, FULL_RATE, size), len(source))
        middles_hz = (air.edges[:-1] + air.edges[1:] - 1) / 2 * sample_rate / air.size
        bands = np.clip(np.searchsorted(UPPER * LINE_HZ, middles_hz, side="right") - 1, 0, levels.shape[1] - 1)
        centres_s = np.arange(num_frames(replacement.shape[1], air.size)) * (air.size // 2) / sample_rate
        frames = np.clip(np.rint(centres_s * FULL_RATE / HOP).astype(np.int64), 0, levels.shape[2] - 1)
        return cls(levels, bands, frames)

    def blocks(self, num_channels: int) -> Iterator[Powers]:
        """Return the movement of so many frames at once, [C, f, H], from the first on."""
        starts = range(0, len(self.frames), FRAMES_AT_ONCE)
        total = sum(self._powers(start).sum(axis=1, keepdims=True) for start in starts)
        mean = np.maximum(total / len(self.frames), TINY)
        for start in starts:
            movement: Powers = self._powers(start) / mean
            yield np.broadcast_to(movement, (num_channels, *movement.shape[1:]))

    def _powers(self, start: int) -> Powers:
        levels = self.levels[:, self.bands][:, :, self.frames[start : start + FRAMES_AT_ONCE]]
        powers: Powers = 10 ** (levels.astype(np.float64).transpose(0, 2, 1) / 10)
        return powers


def _noise(
    air: Air, octave: Powers, movement: _Movement | None, num_samples: int, generator: torch.Generator
) -> Iterator[tuple[int, Spectra]]:
    """Spectra [C, F, Q] of shaped noise, moving with an octave's powers [C, F], and as told."""
    mean_octave = np.maximum(octave.mean(axis=1, keepdims=True), TINY)
    blocks, first = None if movement is None else movement.blocks(len(octave)), 0
    while first < num_frames(num_samples, air.size):
        now = octave[:, first : first + FRAMES_AT_ONCE]
        power = _powers(air, now, now / mean_octave)  # [C, F, H]
        if blocks is not None:
            power = np.sqrt(power * _moved(air, now, next(blocks)))
        width = int(air.edges[-1] - air.edges[0])
        drawn = torch.randn((2, 2, now.shape[1], width), generator=generator, dtype=torch.float64).numpy()
        carrier = (drawn[0] + 1j * drawn[1]) * np.sqrt(air.size / 2)  # [2, F, Q']
        spectra = np.zeros((len(octave), now.shape[1], air.size // 2 + 1), np.complex128)
        shaped = np.sqrt(np.repeat(power, np.diff(air.edges), axis=2))
        spectra[..., air.edges[0] : air.edges[-1]] = shaped * _as_alike(carrier, air.likeness, len(octave))
        yield first, spectra
        first += now.shape[1]


def _powers(air: Air, octave: Powers, movement: Powers) -> Powers:
    """Return the level of the air in each band, [C, F, H], from an octave's powers and their variation, both [C, F]."""
    mean, rest = air.mean[:, None], air.rest[:, None]
    slope, natural = _slopes(air)
    moving = np.minimum((mean - rest) * movement[..., None], BRIGHTEST * np.maximum(slope, natural) * octave[..., None])
    event = np.minimum(np.minimum(slope, natural) * octave[..., None], EVENT * mean)
    powers: Powers = np.maximum(rest + moving, event)
    return powers


def _moved(air: Air, octave: Powers, movement: Powers) -> Powers:
    """Return the level of the air where it moves as told [C, F, H], never far brighter than its surroundings."""
    rest, varying = air.rest[:, None], (air.mean - air.rest)[:, None]
    slope, natural = _slopes(air)
    powers: Powers = rest + np.minimum(varying * movement, BRIGHTEST * np.maximum(slope, natural) * octave[..., None])
    return powers


def _slopes(air: Air) -> tuple[Powers, Powers]:
    """How loud the bands of the surroundings are relative to the top octave, [C, 1, H], and of natural sounds, [H]."""
    centres = (air.edges[:-1] + air.edges[1:]) / 2 / (sum(air.octave) / 2)
    slope: Powers = air.mean[:, None] / np.maximum(air.below, TINY)[:, None, None]
    return slope, centres ** (NATURAL_DB / (10 * np.log10(2)))


def _as_alike(carrier: Spectra, likeness: float, num_channels: int) -> Spectra:
    """Two independent noises [2, F, Q] -> one or two whose likeness is that, [C, F, Q]."""
    alike = float(np.sign(likeness)) if abs(likeness) > ALIKE else likeness
    both: Spectra = np.stack([carrier[0], alike * carrier[0] + np.sqrt(1 - alike**2) * carrier[1]])
    return both[:num_channels]


def _in_bands(spectra: Spectra, edges: NDArray[np.int64], size: int) -> Powers:
    """Spectra [C, F, Q] -> mean powers in bands, [C, F, H]."""
    if len(edges) < 2:
        return np.zeros((*spectra.shape[:2], 0))
    power = np.square(np.abs(spectra[..., edges[0] : edges[-1]])) / np.square(hann(size)).sum()
    means: Powers = np.add.reduceat(power, edges[:-1] - edges[0], axis=2) / np.diff(edges)
    return means


def _in_octave(spectra: Spectra, octave: tuple[int, int], size: int) -> Powers:
    power: Powers = np.square(np.abs(spectra[..., slice(*octave)])).mean(axis=2) / np.square(hann(size)).sum()
    return power


def _cross(spectra: Spectra) -> NDArray[np.float64]:
    """Of spectra [C, F, Q]: the channels' common power, and the power of each."""
    one, other = spectra[0], spectra[-1]
    return np.array([(one * other.conj()).real.sum(), np.square(np.abs(one)).sum(), np.square(np.abs(other)).sum()])
