"""The denoising UNet: noised latent, timestep and CLAP embedding -> prediction (Liu et al. 2023, §3.3).

The embedding enters as one vector: a linear map of it is concatenated with the time embedding, and every residual block
adds a projection of the two. There is no cross-attention. A net may also follow curves in time (see `engine.gesture`).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.models.layers import PlainAttention, ResBlock, SpatialTransformer, Upsample, sinusoid, zeroed

_KNOTS = 9  # of a curve's range


@dataclass(frozen=True)
class UNetConfig:
    """Defaults are AudioLDM-S; M has base_channels 192; L has 256 and head_dim 64.

    From `patch_size` on the options are at the published models' values; the shipped small model changes them because
    each saves arithmetic per training sample. Only `num_heads` is for diffusers' sake.
    """

    base_channels: int = 128
    channel_mult: tuple[int, ...] = (1, 2, 3, 5)
    num_res_blocks: int = 2  # a level on the way down; one more on the way up
    attention_levels: tuple[int, ...] = (1, 2, 3)
    head_dim: int = 32
    latent_channels: int = 8  # Z
    condition_size: int = 512  # D
    groups: int = 32  # of group norm
    patch_size: int = 1  # p x p latent cells become channels
    frequency_positions: bool = False  # two input channels f, f² encode the pitch of a row of cells
    scale_shift: bool = False  # the embedding multiplies as well as adds
    attention: Literal["transformer", "plain"] = "transformer"
    compact: bool = False  # pixel-shuffle resampling and skips that are added, not concatenated
    condition_scale: float = 1.0  # factor on the unit-length embedding
    embedding_hidden: int = 0  # of a perceptron on time and condition together, added to them; 0: there is none
    num_heads: int | None = None  # the same at every level, as diffusers counts them; None: channels / head_dim
    curves: tuple[str, ...] = ()  # that it can follow, in this order: names of `engine.gesture.CURVES`

    @property
    def embedding_size(self) -> int:
        """Time part and condition part side by side."""
        return 8 * self.base_channels

    @property
    def stride(self) -> int:
        """Latent rows and columns must be multiples of this."""
        return int(self.patch_size * 2 ** (len(self.channel_mult) - 1))


class _Stage(nn.Module):
    """A residual block and, at attention levels, attention after it."""

    def __init__(self, in_channels: int, out_channels: int, config: UNetConfig, *, attends: bool) -> None:
        super().__init__()
        self.res = ResBlock(
            in_channels, out_channels, config.embedding_size, groups=config.groups, scale_shift=config.scale_shift
        )
        self.attention = _attention(out_channels, config) if attends else nn.Identity()

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        out: Tensor = self.attention(self.res(x, embedding))
        return out


def _attention(channels: int, config: UNetConfig) -> nn.Module:
    head_dim = config.head_dim if config.num_heads is None else channels // config.num_heads
    if config.attention == "plain":
        return PlainAttention(channels, groups=config.groups, head_dim=head_dim)
    return SpatialTransformer(channels, groups=config.groups, head_dim=head_dim)


def _downsample(channels: int, next_channels: int, config: UNetConfig) -> nn.Module:
    if config.compact:
        return nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * channels, next_channels, 1))
    return nn.Conv2d(channels, channels, 3, stride=2, padding=1)


def _upsample(channels: int, next_channels: int, config: UNetConfig) -> nn.Module:
    if config.compact:
        return nn.Sequential(nn.Conv2d(channels, 4 * next_channels, 1), nn.PixelShuffle(2))
    return Upsample(channels)


def _perceptron(size: int, hidden: int) -> nn.Module:
    """[B, size] -> [B, size], zero at first."""
    return nn.Sequential(nn.Linear(size, hidden), nn.SiLU(), zeroed(nn.Linear(hidden, size)))


class _Follow(nn.Module):
    """Curves [B, C, H] -> what they add to the first hidden layer, [B, base, H', W']; zero at first.

    Each value is spread over the two nearest of a row of knots, so that its effect is any piecewise linear function;
    what is not known (NaN) has none at all. Along frequency f the effect is a parabola a + b·f + c·f².
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        self.curves = nn.ModuleDict(
            {
                name: zeroed(nn.Linear(config.patch_size * _KNOTS, 3 * config.base_channels, bias=False))
                for name in config.curves
            }
        )

    def forward(self, curves: Tensor, columns: int) -> Tensor:
        weight = next(self.parameters())
        spread = _spread_over_knots(curves.float()).to(weight.dtype)  # [B, C, H, knots]
        by_cell = spread.unflatten(2, (-1, self.config.patch_size)).flatten(3)
        added = torch.stack([linear(by_cell[:, i]) for i, linear in enumerate(self.curves.values())]).sum(0)
        position = torch.linspace(-1, 1, columns, device=weight.device, dtype=weight.dtype)
        powers = torch.stack([torch.ones_like(position), position, position**2])  # [3, W']
        return torch.einsum("bhpc,pw->bchw", added.unflatten(2, (3, -1)), powers)


def _spread_over_knots(values: Tensor) -> Tensor:
    """Values [...] -> [..., knots]: up to 1 at the nearest knots between -1 and 1; 0 everywhere for NaN."""
    knots = torch.linspace(-1, 1, _KNOTS, device=values.device)
    distance = (values.clamp(-1, 1)[..., None] - knots).abs() * ((_KNOTS - 1) / 2)
    return torch.where(distance < 1, 1 - distance, torch.zeros_like(distance))


class UNet(nn.Module):
    """x_t [B, Z, H, W], t [B], condition [B, D] -> prediction [B, Z, H, W]; H and W multiples of `config.stride`.

    A net that can follow curves may be given some, [B, C, H]; they are NaN where they are not known.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        base, widths = config.base_channels, [config.base_channels * mult for mult in config.channel_mult]
        cells = config.latent_channels * config.patch_size**2
        self.time1 = nn.Linear(base, 4 * base)
        self.time2 = nn.Linear(4 * base, 4 * base)
        self.condition = nn.Linear(config.condition_size, 4 * base)
        self.deepen = _perceptron(config.embedding_size, config.embedding_hidden) if config.embedding_hidden else None
        self.conv_in = nn.Conv2d(cells + 2 * config.frequency_positions, base, 3, padding=1)
        self.follow = _Follow(config) if config.curves else None
        self.down = nn.ModuleList()
        skips, channels = [base], base
        for level, width in enumerate(widths):
            for _ in range(config.num_res_blocks):
                self.down.append(_Stage(channels, width, config, attends=level in config.attention_levels))
                channels = width
                skips.append(channels)
            if level < len(widths) - 1:
                following = widths[level + 1] if config.compact else channels
                self.down.append(_downsample(channels, following, config))
                channels = following
                skips.append(channels)
        self.middle1 = _Stage(channels, channels, config, attends=True)
        self.middle2 = _Stage(channels, channels, config, attends=False)
        self.up = nn.ModuleList()
        for level, width in reversed(list(enumerate(widths))):
            for _ in range(config.num_res_blocks + 1):
                joined = channels if config.compact else channels + skips[-1]
                skips.pop()
                self.up.append(_Stage(joined, width, config, attends=level in config.attention_levels))
                channels = width
            if level > 0:
                following = widths[level - 1] if config.compact else channels
                self.up.append(_upsample(channels, following, config))
                channels = following
        self.norm_out = nn.GroupNorm(config.groups, channels)
        self.conv_out = zeroed(nn.Conv2d(channels, cells, 3, padding=1))

    def forward(self, x: Tensor, t: Tensor, condition: Tensor, curves: Tensor | None = None) -> Tensor:
        embedding = self._embed(t, condition)
        hidden = self.conv_in(self._with_positions(F.pixel_unshuffle(x, self.config.patch_size)))
        if curves is not None and self.follow is not None:
            hidden = hidden + self.follow(curves, hidden.shape[3])
        skips = [hidden]
        for module in self.down:
            hidden = module(hidden, embedding) if isinstance(module, _Stage) else module(hidden)
            skips.append(hidden)
        hidden = self.middle2(self.middle1(hidden, embedding), embedding)
        for module in self.up:
            hidden = (
                module(self._join(hidden, skips.pop()), embedding) if isinstance(module, _Stage) else module(hidden)
            )
        return F.pixel_shuffle(self.conv_out(F.silu(self.norm_out(hidden))), self.config.patch_size)

    def _embed(self, t: Tensor, condition: Tensor) -> Tensor:
        """Timesteps [B], condition [B, D] -> [B, E]. Without `deepen`, what a condition does is the same at every t."""
        embedding = torch.cat([self._embed_time(t), self.condition(condition * self.config.condition_scale)], dim=1)
        return embedding if self.deepen is None else embedding + self.deepen(embedding)

    def _embed_time(self, t: Tensor) -> Tensor:
        waves = sinusoid(t, self.config.base_channels).to(self.time1.weight.dtype)
        out: Tensor = self.time2(F.silu(self.time1(waves)))
        return out

    def _with_positions(self, x: Tensor) -> Tensor:
        if not self.config.frequency_positions:
            return x
        B, _, H, W = x.shape
        position = torch.linspace(-1, 1, W, device=x.device, dtype=x.dtype).expand(B, 1, H, W)
        return torch.cat([x, position, position**2], dim=1)

    def _join(self, hidden: Tensor, skip: Tensor) -> Tensor:
        return hidden + skip if self.config.compact else torch.cat([hidden, skip], dim=1)
