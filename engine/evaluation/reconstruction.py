"""Distances between a waveform and its reference: log-spectral distance, mel L1, spectral convergence.

All take two equal shapes [B, T] and return one value per clip [B]; identical waveforms give 0.
"""

import torch
from torch import Tensor

from engine.evaluation.evaluation_errors import NotFiniteError
from engine.mel import LogMel, MelConfig

WINDOW_S = 0.064  # 1024 samples at 16 kHz
HOP_S = 0.010  # 160 samples at 16 kHz
_TINY = 1e-12  # of the published formula
FLOOR = 1e-3  # magnitude below which differences are inaudible: -60 dB re one


def magnitudes(waveform: Tensor, sample_rate: int = 16_000) -> Tensor:
    """Magnitude STFT with a periodic Hann window, frames centred: [B, T] -> [B, F, frames]."""
    window = torch.hann_window(round(WINDOW_S * sample_rate), dtype=waveform.dtype, device=waveform.device)
    hop = round(HOP_S * sample_rate)
    spectrum = torch.stft(waveform, len(window), hop, window=window, pad_mode="constant", return_complex=True)
    return spectrum.abs()


def log_spectral_distance(estimate: Tensor, target: Tensor, sample_rate: int = 16_000) -> Tensor:
    """Mean over frames of the RMS over bins of the level difference, in dB (Gray and Markel 1976): [B].

    Levels are 20·log10 of magnitudes floored at -60 dB. Published AudioLDM figures are a tenth of this.
    """
    _check(estimate, target)
    levels = [20 * magnitudes(side, sample_rate).clamp(min=FLOOR).log10() for side in (estimate, target)]
    return (levels[0] - levels[1]).square().mean(dim=1).sqrt().mean(dim=1)


def published_lsd(estimate: Tensor, target: Tensor, sample_rate: int = 16_000) -> Tensor:
    """The LSD of papers on super-resolution (Liu et al. 2022, NVSR), by which AudioLDM is compared: [B].

    Mean over frames of the RMS over bins of log10(target² / estimate²), windows of 46 ms, 100 frames a second. Nothing
    is floored, so silence that is not quite silent weighs as much as sound; `log_spectral_distance` is perceptual.
    """
    _check(estimate, target)
    window = torch.hann_window(int(2048 * sample_rate / 44_100), dtype=estimate.dtype, device=estimate.device)
    levels = []
    for side in (estimate, target):
        spectrum = torch.stft(
            side, len(window), int(sample_rate / 100), window=window, pad_mode="constant", return_complex=True
        )
        levels.append(spectrum.abs().double())
    ratio = levels[1].square() / (levels[0] + _TINY).square() + _TINY
    return ratio.log10().square().mean(dim=1).sqrt().mean(dim=1)


def mel_l1(estimate: Tensor, target: Tensor, config: MelConfig | None = None) -> Tensor:
    """Mean absolute difference of the log-mels (natural logarithm): what vocoder and VAE are trained on: [B]."""
    _check(estimate, target)
    log_mel = LogMel(config or MelConfig()).to(estimate.device)
    difference: Tensor = log_mel(estimate) - log_mel(target)
    return difference.abs().mean(dim=(1, 2, 3))


def spectral_convergence(estimate: Tensor, target: Tensor, sample_rate: int = 16_000) -> Tensor:
    """Frobenius norm of the magnitudes' difference over the target's (Arık et al. 2018, eq. 2): [B]; 1 for silence."""
    _check(estimate, target)
    wanted = magnitudes(target, sample_rate)
    error = (wanted - magnitudes(estimate, sample_rate)).square().sum(dim=(1, 2)).sqrt()
    size = wanted.square().sum(dim=(1, 2)).sqrt()
    return error / size.clamp(min=torch.finfo(wanted.dtype).tiny)


def _check(estimate: Tensor, target: Tensor) -> None:
    if estimate.shape != target.shape or estimate.ndim != 2:
        raise ValueError(f"waveforms are {list(estimate.shape)} and {list(target.shape)}; expected two equal [B, T]")
    for what, side in (("the estimate", estimate), ("the target", target)):
        bad = int((~torch.isfinite(side)).sum())
        if bad:
            raise NotFiniteError(what, bad)
