"""The towers of LAION's CLAP and the layers behind them, built from numbers: no file is read, no address is called."""

from importlib import import_module
from typing import Protocol

from torch import Tensor, nn

from engine.models.clap_back_end import BackEnd, installed_back_end
from engine.models.clap_laion import LaionHtsat
from engine.models.clap_sizes import AudioTower, TextTower
from engine.models.clap_transformers import TransformersHtsat


class Htsat(Protocol):
    """What both libraries can do: build an audio tower, and run it. Its state dict has laion-clap's names."""

    def build(self, tower: AudioTower) -> nn.Module:
        """Return the tower with random weights."""
        ...

    def embed(self, net: nn.Module, waveform: Tensor) -> Tensor:
        """Waveform [B, num_samples] at the tower's rate -> [B, width]; `net` is what `build` returned."""
        ...


_LIBRARIES: dict[BackEnd, Htsat] = {"laion-clap": LaionHtsat(), "transformers": TransformersHtsat()}


def htsat(back_end: BackEnd | None = None) -> Htsat:
    """Return the way to an audio tower through one library; without a name, through the installed one."""
    return _LIBRARIES[back_end or installed_back_end()]


def build_text_tower(tower: TextTower) -> nn.Module:
    """Return transformers' RoBERTa with random weights: laion-clap's text tower is this very class."""
    transformers = import_module("transformers")
    config = transformers.RobertaConfig(
        vocab_size=tower.vocabulary_size,
        hidden_size=tower.width,
        num_hidden_layers=tower.num_layers,
        num_attention_heads=tower.num_heads,
        intermediate_size=tower.feed_forward,
        max_position_embeddings=tower.num_positions,
        type_vocab_size=1,
        layer_norm_eps=tower.norm_eps,
    )
    roberta: nn.Module = transformers.RobertaModel(config)
    return roberta


def build_projection(width: int, embedding_dim: int) -> nn.Module:
    """Return the two layers between a tower and the common space: [B, width] -> [B, embedding_dim]."""
    return nn.Sequential(nn.Linear(width, embedding_dim), nn.ReLU(), nn.Linear(embedding_dim, embedding_dim))
