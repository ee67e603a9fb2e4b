"""What the air net makes of a sound at 48 kHz that comes in slices: levels and tonality of the bands above 7.5 kHz.

The sound is read in tiles that begin where they begin, however it is cut into slices: what is read is the same to the
last bit, and memory does not grow with length.

Shape letters: C channels, T samples at 48 kHz, N frames, L lower bands, H upper bands, G groups, F features.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from engine.models.air_net import AirNet, load_air_net
from engine.operations.air_spectra import (
    HOP,
    LOWER,
    LOWER_GROUPS,
    Levels,
    features_of,
    levels_in,
    moments_of,
    powers_of,
    reference_of,
    tonality_in,
)
from engine.wav_writer import Samples

TILE = 1024  # frames that are read at a time, 5.5 s
MARGIN = 8  # frames on either side that the features are averaged over
SLICE = 2**18  # samples
BRIGHTEST_DB = 6.0  # above the top octave: no band is louder
SOFTEST_DB = -104.0  # of the top octave: softer is silence, and stays it


@dataclass(frozen=True, eq=False)
class Below:
    """Frames of one channel's lower bands."""

    samples: Samples  # [(N + 1) · HOP]
    lower: Levels  # [L, N], dB
    tonality: Levels  # [G, N], dB
    liveliness: Levels  # [N], dB
    moments: NDArray[np.float32]  # [N, SIZE]

    @classmethod
    def of(cls, samples: Samples, num_frames: int) -> "Below":
        powers = powers_of(samples, num_frames)
        moments, liveliness = moments_of(samples, num_frames)
        return cls(samples, levels_in(powers, LOWER), tonality_in(powers, LOWER_GROUPS), liveliness, moments)

    def features(self, net: AirNet) -> Levels:
        """Features [F, N]."""
        inside = np.ones(self.lower.shape[1], np.float32)
        config = net.config
        return features_of(self.lower, self.tonality, self.liveliness, inside, config.level_mean, config.level_scale)


@dataclass(frozen=True, eq=False)
class AirTile:
    """What the net expects above one channel's frames, and those frames with some on either side."""

    below: Below
    first: int  # place among them of the first frame that is meant
    levels: Levels  # [H, N], dB
    tonality: Levels  # [G, N], dB


class AirReader:
    """Reads slices [C, t] of any length; what is read is the same however a sound is cut."""

    def __init__(self, num_channels: int, net: AirNet | None = None) -> None:
        self._net = net or load_air_net()
        self._context = self._net.config.reach + MARGIN
        self._first = -HOP * (self._context + 1)  # the sample that `_sound` begins with: silence comes before a sound
        self._sound = np.zeros((num_channels, -self._first), np.float32)
        self._tiles = 0
        self.total = 0

    def push(self, samples: Samples) -> list[list[AirTile]]:
        """Return the tiles that are complete with more of the sound [C, t]; in each there is one entry a channel."""
        self._sound = np.concatenate([self._sound, samples.astype(np.float32, copy=False)], axis=1)
        self.total += samples.shape[1]
        tiles = []
        while self.total >= ((self._tiles + 1) * TILE + self._context) * HOP:
            tiles.append(self._tile(None))
        return tiles

    def finish(self) -> list[list[AirTile]]:
        """Return the tiles that are left."""
        num_frames, tiles = -(-self.total // HOP) + 1, []
        while self._tiles * TILE < num_frames:
            tiles.append(self._tile(num_frames))
        return tiles

    def _tile(self, num_frames: int | None) -> list[AirTile]:
        first = self._tiles * TILE - self._context
        last = first + TILE + 2 * self._context
        begin, end = max(0, first), last if num_frames is None else min(last, num_frames)
        samples = np.zeros((len(self._sound), (end - begin + 1) * HOP), np.float32)
        start = (begin - 1) * HOP - self._first
        inside = self._sound[:, start : start + samples.shape[1]]
        samples[:, : inside.shape[1]] = inside
        channels = [Below.of(channel, end - begin) for channel in samples]
        features = np.zeros((len(channels), self._net.config.features, last - first), np.float32)
        for one, channel in zip(features, channels, strict=True):
            one[:, begin - first : end - first] = channel.features(self._net)
        with torch.inference_mode():
            levels, tonality = (made.numpy() for made in self._net(torch.from_numpy(features)))
        meant = self._tiles * TILE - begin  # the first frame of the tile, among those of the window
        count = min(TILE, end - begin - meant)
        core = slice(self._context, self._context + count)
        self._tiles += 1
        self._forget()
        return [
            AirTile(below, meant, _absolute(wanted, below, slice(meant, meant + count)), tonal)
            for below, wanted, tonal in zip(channels, levels[..., core], tonality[..., core], strict=True)
        ]

    def _forget(self) -> None:
        """Drop samples that no later tile looks at."""
        needed = (self._tiles * TILE - self._context - 1) * HOP
        if needed > self._first:
            self._sound = self._sound[:, needed - self._first :]
            self._first = needed


def _absolute(levels: Levels, below: Below, frames: slice) -> Levels:
    """Levels [H, N] above the top octave's -> levels, dB; nothing in silence."""
    reference = reference_of(below.lower)[frames]
    wanted: Levels = np.minimum(levels, BRIGHTEST_DB) + reference
    wanted[:, reference < SOFTEST_DB] = -np.inf
    return wanted


def air_levels(slices: Iterable[Samples], num_channels: int) -> Levels:
    """Slices [C, t] of a sound at 48 kHz -> levels [C, H, N] of the bands that belong above it, dB."""
    reader = AirReader(num_channels)
    levels = [np.stack([one.levels for one in tile]) for samples in slices for tile in reader.push(samples)]
    return np.concatenate([*levels, *(np.stack([one.levels for one in tile]) for tile in reader.finish())], axis=2)
