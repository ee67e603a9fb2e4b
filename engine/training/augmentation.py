"""Other log-mels that are still the same sound: what microphones, rooms, files and mixes do to it.

Listeners that are taught with few recordings learn them by heart unless no two passes hear the same. Everything happens
on log-mels, a batch at a time, each clip by itself; where a clip is mixed with another, that one is of the same batch.

Shape letters: B clips, N mel frames, M mel bands.
"""

import math

import torch
from torch import Tensor

from engine.mel import MelConfig

SILENCE = math.log(MelConfig().floor)
_NEPER = math.log(10) / 20  # natural-log units in a decibel
_NOTHING = -40.0  # log-mel far below silence
_FRAME_S = MelConfig().hop / MelConfig().sample_rate


class Dice:
    """Random numbers for every clip of a batch by itself, shaped so that they spread over frames and bands."""

    def __init__(self, clips: int, generator: torch.Generator) -> None:
        self._clips, self._generator = clips, generator

    def between(self, low: float, high: float) -> Tensor:
        """Uniform, [B, 1, 1]."""
        return low + (high - low) * torch.rand(self._clips, 1, 1, generator=self._generator)

    def chance(self, share: float) -> Tensor:
        """True for a share of the clips, [B, 1, 1]."""
        return self.between(0, 1) < share

    def places(self, count: int) -> Tensor:
        """Whole numbers below `count`, [B]."""
        return torch.randint(count, (self._clips,), generator=self._generator)

    def normal(self, *shape: int) -> Tensor:
        """Gaussian of the given shape."""
        return torch.randn(*shape, generator=self._generator)

    def order(self) -> Tensor:
        """The clips of the batch in any order, [B]."""
        return torch.randperm(self._clips, generator=self._generator)


def record_anew(log_mels: Tensor, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """Log-mels [B, N, M] -> others of the same shape; `strength` 0 changes little but place in time and level."""
    dice = Dice(len(log_mels), generator)
    varied = _shifted(log_mels.float(), dice)
    varied = _transposed(varied, dice, strength)
    varied = _in_a_room(varied, dice, strength)
    varied = _equalised(varied, dice, strength)
    varied = _mixed(varied, dice, strength)
    varied = _on_a_noise_floor(varied, dice, strength)
    varied = _with_holes(varied + dice.between(-2, 2), dice, strength)
    return varied.clamp(min=SILENCE)


def _shifted(x: Tensor, dice: Dice) -> Tensor:
    """Later, with the end at the start."""
    return torch.stack([one.roll(int(k), 0) for one, k in zip(x, dice.places(x.shape[1]), strict=True)])


def _transposed(x: Tensor, dice: Dice, strength: float) -> Tensor:
    """Higher or lower by up to four bands: a smaller or bigger source, or tape speed without its tempo."""
    bands = x.shape[2]
    by = dice.between(-4, 4) * strength * dice.chance(0.5)
    position = (torch.arange(bands) - by).clamp(0, bands - 1)  # [B, 1, M]
    below, share = position.floor().long(), position - position.floor()
    low, high = (x.gather(2, place.expand_as(x)) for place in (below, (below + 1).clamp(max=bands - 1)))
    return low + share * (high - low)


def _in_a_room(x: Tensor, dice: Dice, strength: float) -> Tensor:
    """Every frame rings on for 0.1 to 2 s, 3 to 23 dB below the sound itself."""
    within = dice.chance(0.35 * strength)[:, 0, 0]
    decay_s, level = 10 ** dice.between(-1, 0.3)[within], 10 ** -dice.between(0.3, 2.3)[within]
    if not within.any():
        return x
    frames = x.shape[1]
    time_s = torch.arange(frames)[None, :, None] * _FRAME_S
    tail = level * torch.exp(-math.log(1e6) * time_s / decay_s)
    tail[:, 0] = 1
    spectrum = torch.fft.rfft((2 * x[within]).exp(), 2 * frames, 1) * torch.fft.rfft(tail, 2 * frames, 1)
    power = torch.fft.irfft(spectrum, 2 * frames, 1)[:, :frames]
    ringing = x.clone()
    ringing[within] = power.clamp(min=1e-10).log() / 2
    return ringing


def _equalised(x: Tensor, dice: Dice, strength: float) -> Tensor:
    """Another slope and two humps, often; the highs or lows cut off, sometimes."""
    place = torch.linspace(0, 1, x.shape[2])
    curve = dice.between(-2.4, 2.4) * (place - 0.5)
    for _ in range(2):
        hump = torch.exp(-(((place - dice.between(0, 1)) / dice.between(0.05, 0.3)) ** 2))
        curve = curve + dice.between(-1.3, 1.3) * hump
    curve = curve * dice.chance(0.8)
    top, bottom = dice.between(0.2, 1.4), dice.between(0, 0.35)
    curve = curve - dice.chance(0.15) * 8 * ((place - top) / 0.06).clamp(0, 1)
    curve = curve - dice.chance(0.15) * 5 * ((bottom - place) / 0.08).clamp(0, 1)
    return x + strength * curve


def _mixed(x: Tensor, dice: Dice, strength: float) -> Tensor:
    """Another clip of the batch, 8 to 34 dB below."""
    loudest, other = x.amax((1, 2), keepdim=True), dice.order()
    below = torch.where(dice.chance(0.35 * strength), -dice.between(0.9, 3.9), torch.tensor(_NOTHING))
    return _sum(x, x[other] - loudest[other] + loudest + below)


def _on_a_noise_floor(x: Tensor, dice: Dice, strength: float) -> Tensor:
    """Steady noise of some colour, 5 to 80 dB below the loudest point."""
    clips, frames, bands = x.shape
    place = torch.linspace(-1, 1, bands)
    level = x.amax((1, 2), keepdim=True) - dice.between(2, 8) + dice.between(-1.5, 1.5) * place
    level = level - dice.chance(0.3) * 6 * (place - dice.between(-1, 1)).abs().clamp(0, 1)  # only in a part of the band
    level = torch.where(dice.chance(0.6 * strength), level, torch.tensor(_NOTHING))
    grains = dice.normal(clips, frames, bands) ** 2 + dice.normal(clips, frames, bands) ** 2  # power of Gaussian noise
    return _sum(x, level + (grains + 1e-3).log() / 2 - 0.35)


def _with_holes(x: Tensor, dice: Dice, strength: float) -> Tensor:
    """A stretch of time is missing, and some bands (SpecAugment, Park et al. 2019)."""
    frames, bands = x.shape[1:]
    time, band = torch.arange(frames)[None, :, None], torch.arange(bands)[None, None]
    start, lowest = dice.between(0, frames), dice.between(0, bands)
    gap = (time >= start) & (time < start + dice.between(0, frames / 7)) & dice.chance(0.6 * strength)
    cut = (band >= lowest) & (band < lowest + dice.between(0, bands / 7)) & dice.chance(0.6 * strength)
    filled = torch.where(gap, torch.tensor(SILENCE), x)
    return torch.where(cut, filled.mean((1, 2), keepdim=True), filled)


def _sum(one: Tensor, other: Tensor) -> Tensor:
    """Log-mel of two sounds together, whose phases have nothing in common."""
    return torch.logaddexp(2 * one, 2 * other) / 2


def crossed(x: Tensor, generator: torch.Generator) -> Tensor:
    """Each band with the mean and spread of another clip in part: as if heard by another's microphone in its room.

    MixStyle over frequency (Kim et al. 2022), on log-mels [B, N, M].
    """
    dice = Dice(len(x), generator)
    other, share = dice.order(), _near_the_ends(dice)
    mean, spread = x.mean(1, keepdim=True), x.std(1, keepdim=True) + 0.1
    new_mean, new_spread = share * mean + (1 - share) * mean[other], share * spread + (1 - share) * spread[other]
    return ((x - mean) / spread * new_spread + new_mean).clamp(min=SILENCE)


def mixed_up(x: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two clips of the batch together, [B, N, M], and their targets [B, K] in proportion (Zhang et al. 2018)."""
    dice = Dice(len(x), generator)
    other, share = dice.order(), _near_the_ends(dice)
    share = torch.maximum(share, 1 - share)
    level = x.amax((1, 2), keepdim=True)
    together = _sum(x + share.log(), x[other] - level[other] + level + (1.001 - share).log())
    return together, share[:, 0] * targets + (1 - share[:, 0]) * targets[other]


def _near_the_ends(dice: Dice) -> Tensor:
    """Shares between 0 and 1, most of them near one of the two: [B, 1, 1]."""
    return torch.sin(dice.between(0, math.pi / 2) * dice.between(0, 1)) ** 2
