"""Loss terms of the recipes, each with what it compares and its source."""

import torch
from torch import Tensor
from torch.nn import functional as F

_RESOLUTIONS = ((1024, 160), (512, 128), (256, 64))  # n_fft, hop


def contrastive(audio: Tensor, text: Tensor, log_temperature: Tensor) -> Tensor:
    """Symmetric cross-entropy of a batch of matching unit vectors [B, D] (Wu et al. 2023, equation 4)."""
    logits = audio @ text.T * log_temperature.exp().clamp(max=50.0)
    target = torch.arange(len(audio), device=audio.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def spectral_slopes(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference of the log-mels' slopes in time and in frequency, [B, 1, N, M] each."""
    in_time = (a.diff(dim=2) - b.diff(dim=2)).abs().mean()
    in_frequency = (a.diff(dim=3) - b.diff(dim=3)).abs().mean()
    return in_time + in_frequency


def multi_resolution_stft(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Spectral convergence and log-magnitude distance of waveforms [B, T] (Yamamoto et al. 2020, equations 5 and 6)."""
    convergence = logarithmic = torch.zeros((), device=a.device)
    for n_fft, hop in _RESOLUTIONS:
        magnitude_a, magnitude_b = (_magnitude(x, n_fft, hop) for x in (a, b))
        distance = (magnitude_a - magnitude_b).square().sum((1, 2)).sqrt()
        convergence = convergence + (distance / (magnitude_b.square().sum((1, 2)).sqrt() + 1e-2)).mean()
        logarithmic = logarithmic + ((magnitude_a + 1e-4).log() - (magnitude_b + 1e-4).log()).abs().mean()
    return convergence / len(_RESOLUTIONS), logarithmic / len(_RESOLUTIONS)


def _magnitude(waveform: Tensor, n_fft: int, hop: int) -> Tensor:
    window = torch.hann_window(n_fft, device=waveform.device)
    spectrum = torch.stft(waveform, n_fft, hop, window=window, return_complex=True)
    return (spectrum.real**2 + spectrum.imag**2 + 1e-8).sqrt()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """The critic's hinge loss on its scores (Lim and Ye 2017); the autoencoder's adversary."""
    return (F.relu(1 - real).mean() + F.relu(1 + fake).mean()) / 2


def least_squares_discriminator(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Mao et al. 2017; the vocoder's adversaries (Kong et al. 2020, equation 1)."""
    return torch.stack([(r - 1).square().mean() + f.square().mean() for r, f in zip(real, fake, strict=True)]).sum()


def least_squares_generator(fake: list[Tensor]) -> Tensor:
    """Kong et al. 2020, equation 2."""
    return torch.stack([(f - 1).square().mean() for f in fake]).sum()


def feature_matching(real: list[list[Tensor]], fake: list[list[Tensor]]) -> Tensor:
    """Mean absolute distance of the critics' inner layers (Kong et al. 2020, equation 4)."""
    pairs = [(r, f) for rs, fs in zip(real, fake, strict=True) for r, f in zip(rs, fs, strict=True)]
    return torch.stack([(r.detach() - f).abs().mean() for r, f in pairs]).sum()
