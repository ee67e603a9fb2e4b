"""The mel autoencoder: log-mel [B, 1, N, M] <-> latent [B, Z, N/4, M/4] (Liu et al. 2023, §3.2; r = 4)."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.models.layers import GroupNorm, PlainAttention, ResBlock, Upsample, zeroed

_EPS = 1e-6  # of the autoencoder's group norms


@dataclass(frozen=True)
class VaeConfig:
    """Defaults are the published autoencoder: 55,376,873 parameters."""

    base_channels: int = 128
    channel_mult: tuple[int, ...] = (1, 2, 4)  # one level each; every level but the last halves time and frequency
    num_res_blocks: int = 2  # a level in the encoder; the decoder has one more
    latent_channels: int = 8  # Z
    groups: int = 32  # of group norm
    mid_attention: bool = True
    patch_size: int = 1  # p x p mel cells become channels before the first convolution
    linear_skip: bool = False  # a linear patch transform beside the convolutions, started from PCA
    mel_mean: float = 0.0  # the nets see (log-mel - mel_mean) / mel_std
    mel_std: float = 1.0

    @property
    def stride(self) -> int:
        """Mel cells per latent cell, in time and in frequency."""
        return int(self.patch_size * 2 ** (len(self.channel_mult) - 1))


class Posterior(NamedTuple):
    """A diagonal Gaussian over latents: mean and log-variance, both [B, Z, H, W]."""

    mean: Tensor
    logvar: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        noise = torch.randn(self.mean.shape, generator=generator, dtype=self.mean.dtype).to(self.mean.device)
        return self.mean + torch.exp(self.logvar / 2) * noise

    def kl(self) -> Tensor:
        """Divergence from the unit Gaussian, [B, Z, H, W] (Kingma and Welling 2014, appendix B)."""
        return 0.5 * (self.mean**2 + self.logvar.exp() - 1 - self.logvar)


class _Downsample(nn.Module):
    """3x3 convolution of stride 2, padded right and below only: [B, C, H, W] -> [B, C, H/2, W/2]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(F.pad(x, (0, 1, 0, 1)))
        return out


def _middle(channels: int, config: VaeConfig) -> nn.Sequential:
    attention = [PlainAttention(channels, groups=config.groups)] if config.mid_attention else []
    block1 = ResBlock(channels, channels, groups=config.groups, eps=_EPS)
    block2 = ResBlock(channels, channels, groups=config.groups, eps=_EPS)
    return nn.Sequential(block1, *attention, block2)


def _head(channels: int, out_channels: int, config: VaeConfig) -> nn.Sequential:
    last = nn.Conv2d(channels, out_channels, 3, padding=1)
    if config.linear_skip:
        last = zeroed(last)
    return nn.Sequential(GroupNorm(config.groups, channels, _EPS), nn.SiLU(), last)


class Encoder(nn.Module):
    """log-mel patches [B, p², N/p, M/p] -> moments before the 1x1 quantisation convolution [B, 2Z, N/4, M/4]."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        channels = config.base_channels
        self.conv_in = nn.Conv2d(config.patch_size**2, channels, 3, padding=1)
        levels: list[nn.Module] = []
        for index, mult in enumerate(config.channel_mult):
            width = config.base_channels * mult
            for _ in range(config.num_res_blocks):
                levels.append(ResBlock(channels, width, groups=config.groups, eps=_EPS))
                channels = width
            if index < len(config.channel_mult) - 1:
                levels.append(_Downsample(channels))
        self.levels = nn.Sequential(*levels)
        self.middle = _middle(channels, config)
        self.head = _head(channels, 2 * config.latent_channels, config)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.middle(self.levels(self.conv_in(x))))
        return out


class Decoder(nn.Module):
    """latent [B, Z, N/4, M/4] -> log-mel patches [B, p², N/p, M/p]."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        channels = config.base_channels * config.channel_mult[-1]
        self.conv_in = nn.Conv2d(config.latent_channels, channels, 3, padding=1)
        self.middle = _middle(channels, config)
        levels: list[nn.Module] = []
        for index, mult in reversed(list(enumerate(config.channel_mult))):
            width = config.base_channels * mult
            for _ in range(config.num_res_blocks + 1):
                levels.append(ResBlock(channels, width, groups=config.groups, eps=_EPS))
                channels = width
            if index > 0:
                levels.append(Upsample(channels))
        self.levels = nn.Sequential(*levels)
        self.head = _head(channels, config.patch_size**2, config)

    def forward(self, latent: Tensor) -> Tensor:
        out: Tensor = self.head(self.levels(self.middle(self.conv_in(latent))))
        return out


class Vae(nn.Module):
    """Encoder and decoder with their 1x1 convolutions; optionally a linear path beside each (see `start_from_pca`)."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        self.config = config
        Z, stride = config.latent_channels, config.stride
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quant_conv = nn.Conv2d(2 * Z, 2 * Z, 1)
        self.post_quant_conv = nn.Conv2d(Z, Z, 1)
        self.linear_encoder = nn.Conv2d(1, Z, stride, stride) if config.linear_skip else None
        self.linear_decoder = nn.ConvTranspose2d(Z, 1, stride, stride) if config.linear_skip else None

    def encode(self, log_mel: Tensor) -> Posterior:
        """log-mel [B, 1, N, M], N and M multiples of 4 -> posterior over latents [B, Z, N/4, M/4]."""
        x = (log_mel - self.config.mel_mean) / self.config.mel_std
        moments = self.quant_conv(self.encoder(F.pixel_unshuffle(x, self.config.patch_size)))
        mean, logvar = moments.chunk(2, dim=1)
        if self.linear_encoder is not None:
            mean = mean + self.linear_encoder(x)
        return Posterior(mean, logvar.clamp(-30, 20))

    def decode(self, latent: Tensor) -> Tensor:
        """Latent [B, Z, H, W] -> log-mel [B, 1, 4H, 4W]."""
        x = F.pixel_shuffle(self.decoder(self.post_quant_conv(latent)), self.config.patch_size)
        if self.linear_decoder is not None:
            x = x + self.linear_decoder(latent)
        out: Tensor = x * self.config.mel_std + self.config.mel_mean
        return out

    def decode_linearly(self, latent: Tensor) -> Tensor:
        """By the linear path alone, at next to no cost: latent [B, Z, N/4, M/4] -> log-mel [B, 1, N, M], nearly."""
        assert self.linear_decoder is not None, "decode_linearly needs linear_skip"
        log_mel: Tensor = self.linear_decoder(latent) * self.config.mel_std + self.config.mel_mean
        return log_mel

    def encode_change(self, change: Tensor) -> Tensor:
        """What a change of the log-mel [B, 1, N, M] does to its latent [B, Z, N/4, M/4], by the linear path alone."""
        assert self.linear_encoder is not None, "encode_change needs linear_skip"
        return F.conv2d(change / self.config.mel_std, self.linear_encoder.weight, stride=self.config.stride)

    @torch.no_grad()
    def start_from_pca(self, log_mel: Tensor) -> tuple[Tensor, float]:
        """Set the linear paths to the whitened principal components of the patches of log_mel [B, 1, N, M].

        Returns the standard deviation of each component [Z] and the share of variance that they explain.
        """
        assert self.linear_encoder is not None, "start_from_pca needs linear_skip"
        assert self.linear_decoder is not None, "start_from_pca needs linear_skip"
        Z, stride = self.config.latent_channels, self.config.stride
        x = (log_mel - self.config.mel_mean) / self.config.mel_std
        patches = F.pixel_unshuffle(x, stride).movedim(1, -1).reshape(-1, stride**2).double()
        mean = patches.mean(0)
        covariance = (patches - mean).T @ (patches - mean) / len(patches)
        variances, directions = torch.linalg.eigh(covariance)
        variances, directions = variances.flip(0), directions.flip(1)[:, :Z]
        deviation = variances[:Z].sqrt()
        encode, decode = (directions / deviation).T, (directions * deviation).T  # both [Z, stride²]
        self.linear_encoder.weight.copy_(encode.reshape(Z, 1, stride, stride))
        assert self.linear_encoder.bias is not None
        self.linear_encoder.bias.copy_(-(mean @ (directions / deviation)))
        self.linear_decoder.weight.copy_(decode.reshape(Z, 1, stride, stride))
        assert self.linear_decoder.bias is not None
        self.linear_decoder.bias.fill_(mean.mean())
        nn.init.zeros_(self.quant_conv.weight)
        assert self.quant_conv.bias is not None
        nn.init.zeros_(self.quant_conv.bias)
        self.quant_conv.bias[Z:] = -5.0  # start nearly deterministic
        self.quant_conv.weight.copy_(torch.eye(2 * Z)[:, :, None, None])
        return deviation.float(), float(variances[:Z].sum() / variances.sum())
