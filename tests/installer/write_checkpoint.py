"""Writes a narrow checkpoint as AudioLDM's authors do, with both towers of CLAP, for the programs to import."""

from pathlib import Path

import torch
from torch import nn

from tests.engine.foreign_checkpoints import diffusers_modules, laion_clap, original_checkpoint, write_tokenizer


def _loud(net: nn.Module, seed: int) -> nn.Module:
    """Give a net random weights that keep its signals at about their size."""
    generator = torch.Generator().manual_seed(seed)
    for value in net.parameters():
        if value.ndim > 1:
            value.data = torch.randn(value.shape, generator=generator) / value[0].numel() ** 0.5
    return net.eval()


def main(folder: str) -> None:
    """Write `foreign.ckpt` and the folder `words` with its tokenizer."""
    tensors = original_checkpoint(diffusers_modules(_loud), laion_clap(_loud), averaged=False)
    torch.save({"state_dict": tensors}, Path(folder, "foreign.ckpt"))
    write_tokenizer(Path(folder, "words"))
