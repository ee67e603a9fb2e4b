"""The autoencoder SAME around diffusers' layers: SAME-S's attention in chunks, and long sounds piece by piece.

diffusers 0.42 has SAME-L's attention alone, in which each token sees the rows beside its own. The small models have
SAME-S: its tokens see their own chunk, two rows long, and from the middle layer on chunks lie one row later, so that
every border is inside a chunk once; its decoder ends in a convolution over three patches.

Shape letters: B batch, C audio channels or a layer's width, T samples, P patches of samples, H latent rows,
Z latent channels, S patches in a row.
"""

from collections.abc import Callable, Iterable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.families.stable_audio.config import SameConfig

PIECE_ROWS = 128
"""Longer latents go through a sliding window's layers in pieces: their mask grows with the square of the length."""


class ChunkedResampler(nn.Module):
    """A resampling block with the weights of one of diffusers', and SAME-S's attention; its weights keep their names.

    Encoder: [B, C, P] -> [B, C', H], a row being S patches; decoder the reverse. Both cover whole chunks.
    """

    def __init__(self, block: nn.Module, config: SameConfig, *, encodes: bool) -> None:
        super().__init__()
        self.mapping = cast("nn.Module", block.mapping)
        self.transformers = cast("nn.ModuleList", block.transformers)
        self.new_tokens = cast("nn.Parameter", block.new_tokens)
        self._stride, self._encodes = cast("int", block.stride), encodes
        self._chunk = config.chunk_size * (self._stride + 1) // self._stride  # tokens: each row has one of its own
        self._rows = max(1, config.chunk_size // self._stride)
        self._shift = self._chunk // 2 if config.chunk_midpoint_shift else 0

    def forward(self, x: Tensor) -> Tensor:
        if self._encodes:
            x = self.mapping(_padded(x, self._rows * self._stride))
            rows = self._attend(torch.cat([x.unflatten(-1, (-1, self._stride)), self._new(x, 1)], dim=-1))
            return rows[..., -1]
        x = _padded(x, self._rows)
        rows = self._attend(torch.cat([x[..., None], self._new(x, self._stride)], dim=-1))
        mapped: Tensor = self.mapping(rows[..., 1:].flatten(-2))
        return mapped

    def _new(self, x: Tensor, count: int) -> Tensor:
        """The learned tokens in which the result appears: [B, C, H, count]."""
        rows = x.shape[-1] // (self._stride if self._encodes else 1)
        return self.new_tokens.mT[:, :, None].expand(len(x), -1, rows, count)

    def _attend(self, rows: Tensor) -> Tensor:
        """Rows of tokens [B, C, H, 1 + S] through all layers, and back to that shape."""
        tokens = rows.flatten(2).mT
        middle = len(self.transformers) // 2 if self._shift else len(self.transformers)
        tokens = self._through(tokens, self.transformers[:middle])
        if self._shift:
            ends = tokens[:, : self._shift], tokens[:, -self._shift :]
            tokens = self._through(torch.cat([ends[0], tokens, ends[1]], dim=1), self.transformers[middle:])
            tokens = tokens[:, self._shift : -self._shift]
        attended: Tensor = tokens.mT.unflatten(-1, rows.shape[2:])
        return attended

    def _through(self, tokens: Tensor, layers: Iterable[nn.Module]) -> Tensor:
        chunks: Tensor = tokens.unflatten(1, (-1, self._chunk)).flatten(0, 1)
        for layer in layers:
            chunks = layer(chunks)
        return chunks.reshape(tokens.shape)


def make_chunked(autoencoder: nn.Module, config: SameConfig, kernel: Callable[[int, int], nn.Module]) -> None:
    """Give diffusers' SAME the attention and the decoder's last layer that `config` tells; `kernel` makes that."""
    for side in ("encoder", "decoder"):
        blocks = cast("nn.ModuleList", cast("nn.Module", getattr(autoencoder, side)).blocks)
        for index, block in enumerate(blocks):
            if side == "decoder" and config.decoder_mapping_kernel != 1 and not isinstance(block.mapping, nn.Identity):
                block.mapping = kernel(cast("int", block.in_channels), cast("int", block.out_channels))
            if config.sliding_window is None:
                blocks[index] = ChunkedResampler(block, config, encodes=side == "encoder")


def encode_rows(autoencoder: nn.Module, waveform: Tensor, config: SameConfig) -> Tensor:
    """Waveform [B, C, T], T a multiple of a row's samples -> latent [B, Z, H]."""
    samples = config.samples_per_row

    def encode(start: int, end: int) -> Tensor:
        latent: Tensor = autoencoder.encode(waveform[..., start * samples : end * samples]).latents  # type: ignore[operator]
        return latent

    return _in_pieces(encode, waveform.shape[-1] // samples, 1, config)


def decode_rows(autoencoder: nn.Module, latent: Tensor, config: SameConfig) -> Tensor:
    """Latent [B, Z, H] -> waveform [B, C, T]."""

    def decode(start: int, end: int) -> Tensor:
        waveform: Tensor = autoencoder.decode(latent[..., start:end]).sample  # type: ignore[operator]
        return waveform

    return _in_pieces(decode, latent.shape[-1], config.samples_per_row, config)


def _in_pieces(work: Callable[[int, int], Tensor], rows: int, per_row: int, config: SameConfig) -> Tensor:
    """`work` on rows start to end, in pieces that overlap by all that a row can hear of its neighbours.

    So nothing changes. Each layer of a sliding window sees `sliding_window` rows further; chunks are always cheap.
    """
    if config.sliding_window is None or rows <= PIECE_ROWS:
        return work(0, rows)[..., : rows * per_row]
    heard = config.sliding_window * sum(config.encoder_transformer_depths)
    pieces = []
    for start in range(0, rows, PIECE_ROWS):
        end = min(rows, start + PIECE_ROWS)
        before = max(0, start - heard)
        piece = work(before, min(rows, end + heard))
        pieces.append(piece[..., (start - before) * per_row : (end - before) * per_row])
    return torch.cat(pieces, dim=-1)


def _padded(x: Tensor, multiple: int) -> Tensor:
    return F.pad(x, (0, -x.shape[-1] % multiple))
