"""From log-mel to waveform: HiFi-GAN, the published neural vocoder, and Griffin-Lim, which has nothing to learn.

Both are called alike: forward(log_mel [B, 1, N, M], generator) -> waveform [B, N·hop].
"""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.mel import MelConfig, slaney_filterbank
from engine.models.fast_convolution import Conv1d, ConvTranspose1d

_SLOPE = 0.1  # of every leaky ReLU but the last, which keeps PyTorch's 0.01


@dataclass(frozen=True)
class HiFiGanConfig:
    """Defaults are the published 16 kHz vocoder: 55,264,897 parameters weight norm folded (Kong et al. 2020, V1)."""

    num_mels: int = 64
    channels: int = 1024  # before the first upsampling; each one halves them
    rates: tuple[int, ...] = (5, 4, 2, 2, 2)  # their product is the hop
    kernels: tuple[int, ...] = (16, 16, 8, 4, 4)  # of the transposed convolutions
    residual_kernels: tuple[int, ...] = (3, 7, 11)
    dilations: tuple[int, ...] = (1, 3, 5)
    mel_mean: float = 0.0  # the net sees (log-mel - mel_mean) / mel_std
    mel_std: float = 1.0

    @property
    def hop(self) -> int:
        return prod(self.rates)

    @property
    def reach(self) -> int:
        """Mel frames on either side of its own that a sample may depend on, rounded up at every stage."""
        widest, samples = max(self.residual_kernels) // 2, 3
        for rate, kernel in zip(reversed(self.rates), reversed(self.kernels), strict=True):
            samples += widest * sum(dilation + 1 for dilation in self.dilations)
            samples = -(-(samples + kernel) // rate)
        return samples + 3


class _Residual(nn.Module):
    """Dilated convolutions, each followed by a plain one, around shortcuts: [B, C, T] -> [B, C, T]."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.dilated = nn.ModuleList(Conv1d(channels, channels, kernel, d) for d in dilations)
        self.plain = nn.ModuleList(Conv1d(channels, channels, kernel) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for dilated, plain in zip(self.dilated, self.plain, strict=True):
            x = x + plain(F.leaky_relu(dilated(F.leaky_relu(x, _SLOPE)), _SLOPE))
        return x


class _MeanOf(nn.ModuleList):
    """The mean of what several modules make of the same input."""

    def forward(self, x: Tensor) -> Tensor:
        first, *others = self
        total: Tensor = first(x)
        for module in others:
            total = total + module(x)
        return total / len(self)


class HiFiGan(nn.Module):
    """Transposed convolutions up to the sample rate, each followed by the mean of several residual stacks."""

    def __init__(self, config: HiFiGanConfig) -> None:
        super().__init__()
        self.config, self.reach = config, config.reach
        channels = config.channels
        self.conv_in = Conv1d(config.num_mels, channels, 7)
        self.upsample, self.residual = nn.ModuleList(), nn.ModuleList()
        for rate, kernel in zip(config.rates, config.kernels, strict=True):
            self.upsample.append(ConvTranspose1d(channels, channels // 2, kernel, rate))
            channels //= 2
            self.residual.append(_MeanOf(_Residual(channels, k, config.dilations) for k in config.residual_kernels))
        self.conv_out = Conv1d(channels, 1, 7)

    def forward(self, log_mel: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The generator is not used: this vocoder has no randomness."""
        del generator
        num_samples = log_mel.shape[2] * self.config.hop
        x = self.conv_in(((log_mel[:, 0] - self.config.mel_mean) / self.config.mel_std).transpose(1, 2))  # [B, C, N]
        for upsample, mean_of_stacks in zip(self.upsample, self.residual, strict=True):
            x = mean_of_stacks(upsample(F.leaky_relu(x, _SLOPE)))
        waveform: Tensor = torch.tanh(self.conv_out(F.leaky_relu(x)))
        return waveform[:, 0, :num_samples]  # the odd kernels of the first stages leave a few samples more


@dataclass(frozen=True)
class GriffinLimConfig:
    """How long to search: measured on the corpus, more iterations gain less than 0.1 dB of log-spectral distance."""

    num_iterations: int = 32
    num_inversion_steps: int = 20  # multiplicative updates of the mel inversion
    momentum: float = 0.99  # of the fast variant (Perraudin et al. 2013)


class GriffinLim(nn.Module):
    """Mel -> magnitudes by non-negative least squares, then phases by fast Griffin-Lim from random ones.

    Griffin and Lim 1984; Perraudin, Balazs, Søndergaard 2013 (momentum); Lee and Seung 2001 (multiplicative updates).
    """

    filterbank: Tensor
    inverse: Tensor
    window: Tensor

    def __init__(self, config: GriffinLimConfig, mel: MelConfig) -> None:
        super().__init__()
        self.config, self.mel, self.reach = config, mel, None  # all phases of a sound hang together
        filterbank = slaney_filterbank(mel)
        self.register_buffer("filterbank", filterbank, persistent=False)
        self.register_buffer("inverse", torch.linalg.pinv(filterbank.double()).float(), persistent=False)
        self.register_buffer("window", torch.hann_window(mel.n_fft, device="cpu"), persistent=False)

    def forward(self, log_mel: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The generator draws the first phases, on the CPU so that every device starts from the same ones."""
        magnitude = self._invert(log_mel[:, 0].float())
        magnitude = F.pad(magnitude, (1, 1), mode="replicate")  # one free frame on either side: [B, F, N + 2]
        phase = torch.rand(magnitude.shape, generator=generator) * (2 * torch.pi)
        spectrum = torch.polar(magnitude, phase.to(magnitude.device))
        previous = torch.zeros_like(spectrum)
        for _ in range(self.config.num_iterations):
            consistent = self._analyse(self._synthesise(spectrum))
            accelerated = consistent + self.config.momentum * (consistent - previous)
            spectrum = magnitude * accelerated / accelerated.abs().clamp(min=1e-12)
            previous = consistent
        return self._synthesise(spectrum)

    def _invert(self, log_mel: Tensor) -> Tensor:
        """log-mel [B, N, M] -> magnitudes [B, F, N], whose mel comes closest in the least-squares sense."""
        target = log_mel.exp().transpose(1, 2)
        magnitude = (self.inverse @ target).clamp(min=self.mel.floor)
        wanted = self.filterbank.T @ target
        for _ in range(self.config.num_inversion_steps):
            magnitude = magnitude * wanted / (self.filterbank.T @ (self.filterbank @ magnitude) + 1e-8)
        return magnitude

    def _synthesise(self, spectrum: Tensor) -> Tensor:
        """[B, F, N + 2] -> [B, N·hop]; frame k + 1 is centred on sample hop·k + hop/2."""
        half, length = self.mel.hop // 2, (spectrum.shape[2] - 1) * self.mel.hop
        return torch.istft(spectrum, self.mel.n_fft, self.mel.hop, window=self.window, length=length)[:, half:-half]

    def _analyse(self, waveform: Tensor) -> Tensor:
        """[B, N·hop] -> [B, F, N + 2], the reverse of `_synthesise`."""
        half = self.mel.hop // 2
        padded = F.pad(waveform, (half, half))
        return torch.stft(
            padded, self.mel.n_fft, self.mel.hop, window=self.window, pad_mode="constant", return_complex=True
        )


VocoderConfig = HiFiGanConfig | GriffinLimConfig
Vocoder = HiFiGan | GriffinLim


def build_vocoder(config: VocoderConfig, mel: MelConfig) -> Vocoder:
    return HiFiGan(config) if isinstance(config, HiFiGanConfig) else GriffinLim(config, mel)
