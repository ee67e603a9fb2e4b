"""What of a sound is known and stays: the latent cells that are imposed at every step.

Shape letters: B batch, Z latent channels, H latent rows, W latent columns, M mel bins.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.audioldm import AudioLDM
from engine.diffusion.path import NoiseLevel
from engine.diffusion.solvers import Draw, Impose
from engine.mel import MelConfig, slaney_filterbank


@dataclass(frozen=True, eq=False)
class MaskedSpan:
    """What is to be replaced: from one sample to another of a waveform at the model's rate, in a band."""

    start: float  # samples
    end: float
    low_hz: float | None = None  # open below
    high_hz: float | None = None  # open above


def imposing(observed: Tensor, is_observed: Tensor, draw: Draw) -> Impose:
    """Return the function that puts observed cells [H, W], or rows, back after each step, at that step's noise level.

    Liu et al. 2023, §3.5; Lugmayr et al. 2022, equation 8. observed: [B, Z, H, W], and so is the noise that `draw`
    returns for each step (`Rendering.observed_noise`).
    """

    def impose(x: Tensor, level: NoiseLevel) -> Tensor:
        return torch.where(is_observed, level.mix(observed, draw()), x)

    return impose


def observed_rows(rows: int, samples_per_row: int, spans: Sequence[MaskedSpan]) -> Tensor:
    """Which latent rows keep what was observed, bool [H]: all but the spans'."""
    keeps = torch.ones(rows, dtype=torch.bool)
    for span in spans:
        keeps[_rows(span, samples_per_row)] = False
    return keeps


def observed_cells(model: AudioLDM, rows: int, spans: Sequence[MaskedSpan]) -> Tensor:
    """Which latent cells keep what was observed, bool [H, W]: all but the spans' rows in their bands' columns."""
    mel = model.config.mel
    _, _, columns = model.latent_shape(rows)
    keeps = torch.ones(rows, columns, dtype=torch.bool)
    for span in spans:
        in_band = reaching(mel, span.low_hz, span.high_hz).view(columns, -1).any(dim=1)
        keeps[_rows(span, model.samples_per_row)] &= ~in_band
    return keeps.to(model.device)


def _rows(span: MaskedSpan, samples_per_row: int) -> slice:
    return slice(math.floor(span.start / samples_per_row), math.ceil(span.end / samples_per_row))


def reaching(mel: MelConfig, low_hz: float | None, high_hz: float | None) -> Tensor:
    """Return which mel bins respond to a band, bool [M]."""
    hz = torch.linspace(0, mel.sample_rate / 2, mel.n_fft // 2 + 1)
    inside = (hz > (low_hz or 0.0)) & (hz < (high_hz or math.inf))
    return (slaney_filterbank(mel) * inside).amax(dim=1) > 0
