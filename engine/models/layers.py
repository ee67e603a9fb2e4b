"""Layers that several nets share: residual block, attentions, resampling; published form by default."""

import math
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.models.fast_convolution import Conv2d, Prepared, computes

AnyModule = TypeVar("AnyModule", bound=nn.Module)
_FEW_CELLS = 4096  # up to this many cells PyTorch's own sums are exact enough
_PIECES = 64


def zeroed(module: AnyModule) -> AnyModule:
    """The same module with all parameters at zero, so that a residual branch starts as the identity."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


def sinusoid(position: Tensor, size: int) -> Tensor:
    """Position [B] -> [B, size]: cosines, then sines, at 10000^(-i / (size / 2)) (Vaswani et al. 2017, §3.5)."""
    half = size // 2
    frequencies = torch.exp(-math.log(10_000) / half * torch.arange(half, device=position.device))
    angles = position[:, None].float() * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class GroupNorm(Prepared, nn.GroupNorm):
    """Group norm whose sums stay exact on big images; see `prepare`. Its state is that of `nn.GroupNorm`.

    With channels last PyTorch adds up all cells of an image one after the other, and the rounding adds up as well (7e-6
    over 65,536 cells, 2e-4 where the mean is ten deviations): here, blocks of it are normalised, and then moved to the
    moments of the whole.
    """

    def forward(self, x: Tensor) -> Tensor:
        B, C, H, W = x.shape
        is_big = H * W > _FEW_CELLS and H % _PIECES == 0
        short = self.prepared and computes(x)  # cards want another layout, and add up in pieces anyway
        if not (short and is_big and x.is_contiguous(memory_format=torch.channels_last)):
            return super().forward(x)
        pieces = x.permute(0, 2, 3, 1).reshape(B * _PIECES, H // _PIECES, W, C).permute(0, 3, 1, 2)
        sizes = B * _PIECES, C, H * W // _PIECES
        out, means, inverses = torch.native_group_norm(pieces, None, None, *sizes, self.num_groups, self.eps)
        mean, deviation = means.view(B, _PIECES, -1).double(), 1 / inverses.view(B, _PIECES, -1).double()
        whole_mean = mean.mean(1, keepdim=True)
        whole_power = (deviation.square() + mean.square()).mean(1, keepdim=True)  # eps included
        inverse = (whole_power - whole_mean.square()).rsqrt()

        def per_channel(values: Tensor) -> Tensor:
            return values.repeat_interleave(C // self.num_groups, 2).flatten(0, 1)  # [B·pieces, C]

        scale = per_channel(deviation * inverse) * self.weight
        shift = per_channel((mean - whole_mean) * inverse) * self.weight + self.bias
        torch.addcmul(shift.to(x)[..., None, None], out, scale.to(x)[..., None, None], out=out)
        return out.permute(0, 2, 3, 1).reshape(B, H, W, C).permute(0, 3, 1, 2)


class ResBlock(nn.Module):
    """norm, SiLU, conv, twice, around a shortcut; the embedding is added (or scales and shifts) between the two.

    Shapes: x [B, C_in, H, W], embedding [B, E] or None -> [B, C_out, H, W].
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        embedding_size: int | None = None,
        *,
        groups: int = 32,
        eps: float = 1e-5,
        scale_shift: bool = False,  # embedding multiplies too (FiLM, Perez et al. 2018); published: adds only
    ) -> None:
        super().__init__()
        self.scale_shift = scale_shift
        self.norm1 = GroupNorm(groups, in_channels, eps)
        self.conv1 = Conv2d(in_channels, out_channels, 3)
        embedded = out_channels * (2 if scale_shift else 1)
        self.embed = nn.Linear(embedding_size, embedded) if embedding_size is not None else None
        self.norm2 = GroupNorm(groups, out_channels, eps)
        self.conv2 = zeroed(Conv2d(out_channels, out_channels, 3))
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else nn.Identity()

    def forward(self, x: Tensor, embedding: Tensor | None = None) -> Tensor:
        hidden = self.conv1(F.silu(self.norm1(x)))
        if self.embed is None or embedding is None:
            hidden = self.norm2(hidden)
        else:
            condition = self.embed(F.silu(embedding))[:, :, None, None]
            if self.scale_shift:
                scale, shift = condition.chunk(2, dim=1)
                hidden = self.norm2(hidden) * (1 + scale) + shift
            else:
                hidden = self.norm2(hidden + condition)
        out: Tensor = self.shortcut(x) + self.conv2(F.silu(hidden))
        return out


class PlainAttention(nn.Module):
    """One residual self-attention over all positions; head_dim None means a single head as wide as the channels.

    Shapes: x [B, C, H, W] -> [B, C, H, W].
    """

    def __init__(self, channels: int, *, groups: int = 32, head_dim: int | None = None, eps: float = 1e-6) -> None:
        super().__init__()
        self.num_heads = 1 if head_dim is None else channels // head_dim
        self.norm = GroupNorm(groups, channels, eps)
        self.query_key_value = nn.Linear(channels, 3 * channels)
        self.out = zeroed(nn.Linear(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        B, C, H, W = x.shape
        tokens = self.norm(x).permute(0, 2, 3, 1).reshape(B, H * W, C)
        packed = self.query_key_value(tokens).unflatten(2, (3, self.num_heads, C // self.num_heads))
        query, key, value = packed.permute(2, 0, 3, 1, 4).unbind(0)  # each [B, heads, H·W, C / heads]
        mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(B, H, W, C)
        out: Tensor = x + self.out(mixed).permute(0, 3, 1, 2)
        return out


class SelfAttention(nn.Module):
    """Multi-head self-attention on tokens [B, L, C]; query, key and value without bias, output with."""

    def __init__(self, channels: int, head_dim: int) -> None:
        super().__init__()
        self.num_heads = channels // head_dim
        self.query = nn.Linear(channels, channels, bias=False)
        self.key = nn.Linear(channels, channels, bias=False)
        self.value = nn.Linear(channels, channels, bias=False)
        self.out = nn.Linear(channels, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        def heads(projected: Tensor) -> Tensor:
            split: Tensor = projected.unflatten(2, (self.num_heads, -1))
            return split.transpose(1, 2)

        mixed = F.scaled_dot_product_attention(
            heads(self.query(tokens)), heads(self.key(tokens)), heads(self.value(tokens))
        )
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out


class GatedFeedForward(nn.Module):
    """GEGLU feed-forward of four times the width (Shazeer 2020): tokens [B, L, C] -> [B, L, C]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(channels, 8 * channels)
        self.out = nn.Linear(4 * channels, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        value, gate = self.project(tokens).chunk(2, dim=-1)
        out: Tensor = self.out(value * F.gelu(gate))
        return out


class SpatialTransformer(nn.Module):
    """AudioLDM's attention block: 1x1 in, two self-attentions and a GEGLU feed-forward, 1x1 out, around a shortcut.

    The second attention is the place where Stable Diffusion looks at its text; in AudioLDM it
    attends to the sound itself. Shapes: x [B, C, H, W] -> [B, C, H, W].
    """

    def __init__(self, channels: int, *, head_dim: int, groups: int = 32) -> None:
        super().__init__()
        self.norm = GroupNorm(groups, channels, 1e-6)
        self.proj_in = nn.Conv2d(channels, channels, 1)
        self.norm1 = nn.LayerNorm(channels)
        self.attention1 = SelfAttention(channels, head_dim)
        self.norm2 = nn.LayerNorm(channels)
        self.attention2 = SelfAttention(channels, head_dim)
        self.norm3 = nn.LayerNorm(channels)
        self.feed_forward = GatedFeedForward(channels)
        self.proj_out = zeroed(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        H, W = x.shape[2:]
        tokens = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)  # [B, H·W, C]
        tokens = tokens + self.attention1(self.norm1(tokens))
        tokens = tokens + self.attention2(self.norm2(tokens))
        tokens = tokens + self.feed_forward(self.norm3(tokens))
        out: Tensor = x + self.proj_out(tokens.transpose(1, 2).unflatten(2, (H, W)))
        return out


class Upsample(nn.Module):
    """Nearest neighbour times two, then a 3x3 convolution: [B, C, H, W] -> [B, C, 2H, 2W]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = Conv2d(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return out
