"""Adversaries for training: patches of log-mel for the autoencoder, periods and scales of waveform for the vocoder."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

_SLOPE = 0.1


class PatchDiscriminator(nn.Module):
    """log-mel [B, 1, N, M] -> scores of overlapping patches [B, 1, N', M'] (Isola et al. 2017)."""

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(1, channels, 4, 2, 1), nn.LeakyReLU(0.2)]
        for factor in (1, 2):
            layers += [
                nn.Conv2d(channels * factor, channels * factor * 2, 4, 2, 1, bias=False),
                nn.BatchNorm2d(channels * factor * 2),
                nn.LeakyReLU(0.2),
            ]
        layers.append(nn.Conv2d(channels * 4, 1, 4, 1, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, log_mel: Tensor) -> Tensor:
        out: Tensor = self.layers(log_mel)
        return out


class PeriodDiscriminator(nn.Module):
    """Waveform [B, T] folded at one period -> score map and inner layers (Kong et al. 2020, §2.3)."""

    def __init__(self, period: int, channels: int) -> None:
        super().__init__()
        self.period = period
        widths = [1, channels, 2 * channels, 4 * channels]
        self.layers = nn.ModuleList(weight_norm(nn.Conv2d(a, b, (5, 1), (3, 1), (2, 0))) for a, b in pairwise(widths))
        self.out = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, waveform: Tensor) -> tuple[Tensor, list[Tensor]]:
        missing = -waveform.shape[1] % self.period
        folded = F.pad(waveform[:, None], (0, missing), mode="reflect").unflatten(2, (-1, self.period))
        return _through(folded, self.layers, self.out)


class SpectralDiscriminator(nn.Module):
    """Waveform [B, T] as magnitudes at one resolution -> score map and inner layers (Jang et al. 2021)."""

    def __init__(self, n_fft: int, hop: int, channels: int) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        widths = [1, channels, channels, 2 * channels]
        self.layers = nn.ModuleList(weight_norm(nn.Conv2d(a, b, (5, 3), (2, 1), (2, 1))) for a, b in pairwise(widths))
        self.out = weight_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, waveform: Tensor) -> tuple[Tensor, list[Tensor]]:
        window = torch.hann_window(self.n_fft, device=waveform.device)
        spectrum = torch.stft(waveform, self.n_fft, self.hop, window=window, return_complex=True)
        magnitude = (spectrum.real**2 + spectrum.imag**2 + 1e-7).sqrt()
        return _through(torch.log(magnitude + 1e-4)[:, None] / 3, self.layers, self.out)


class VocoderDiscriminator(nn.Module):
    """All periods and resolutions: waveform [B, T] -> list of score maps, list of lists of inner layers."""

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            [PeriodDiscriminator(period, channels) for period in (2, 3, 5, 7, 11)]
            + [SpectralDiscriminator(n_fft, hop, channels) for n_fft, hop in ((1024, 160), (256, 64))]
        )

    def forward(self, waveform: Tensor) -> tuple[list[Tensor], list[list[Tensor]]]:
        results = [part(waveform) for part in self.parts]
        return [scores for scores, _ in results], [layers for _, layers in results]


def _through(x: Tensor, layers: nn.ModuleList, out: nn.Module) -> tuple[Tensor, list[Tensor]]:
    inner = []
    for layer in layers:
        x = F.leaky_relu(layer(x), _SLOPE)
        inner.append(x)
    return out(x), inner
