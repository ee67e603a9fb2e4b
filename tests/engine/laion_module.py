"""laion-clap's whole CLAP, made by its own class: the independent implementation that ours is held against.

The engine takes only the audio tower from laion-clap; this builds all of it, offline: RoBERTa is built from its
configuration where laion-clap would download it. Where laion-clap is not installed, the tests of it are skipped.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from engine.models.clap_laion import import_htsat, registered, torchvision_stand_in
from engine.models.clap_sizes import AUDIO_TOWERS, TEXT_TOWERS, AudioTower
from engine.models.clap_towers import build_text_tower

needs_laion_clap = pytest.mark.skipif(find_spec("laion_clap") is None, reason="laion-clap is not installed")


def whole_laion_clap(text: str, audio: str, embedding_dim: int) -> nn.Module:
    """Return laion-clap's CLAP with random weights and both towers, named as in `TEXT_TOWERS` and `AUDIO_TOWERS`."""
    if find_spec("laion_clap") is None:
        pytest.skip("laion-clap is not installed")
    module, tower = _model_module(), AUDIO_TOWERS[audio]
    audio_config = {
        "model_type": "HTSAT", "model_name": "tiny", "audio_length": 1024, "sample_rate": 48000,
        "clip_samples": 480000, "mel_bins": 64, "window_size": 1024, "hop_size": 480, "fmin": 50, "fmax": 14000,
        "class_num": 527,
    }  # fmt: skip
    text_config = {"model_type": "roberta", "context_length": 77, "vocab_size": 0, "width": 0, "heads": 0, "layers": 0}
    roberta = SimpleNamespace(from_pretrained=lambda _name: build_text_tower(TEXT_TOWERS[text]))
    with _replaced(module, RobertaModel=roberta, create_htsat_model=_htsat_builder(tower)):
        clap: nn.Module = module.CLAP(tower.width, audio_config, text_config, joint_embed_shape=embedding_dim)
    return clap


def _htsat_builder(tower: AudioTower) -> Callable[[Any, bool, str], nn.Module]:
    """Return a stand-in for laion-clap's `create_htsat_model`, which knows three sizes and swallows every error."""

    def build(config: object, enable_fusion: bool, fusion_type: str) -> nn.Module:
        with torch.device("cpu"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="torch.meshgrid", category=UserWarning)
            net: nn.Module = import_htsat().HTSAT_Swin_Transformer(
                spec_size=256, patch_size=4, patch_stride=(4, 4), window_size=8, num_classes=527,
                embed_dim=tower.dim, depths=list(tower.depths), num_heads=list(tower.num_heads),
                config=config, enable_fusion=enable_fusion, fusion_type=fusion_type,
            )  # fmt: skip
        return net

    return build


@cache
def _model_module() -> ModuleType:
    """Import `laion_clap.clap_module.model` and nothing else of the package."""
    import_htsat()
    transformers = import_module("transformers")
    # Touched before the stand-in is there: transformers looks for torchvision when a lazy name is first used
    _ = transformers.BertModel, transformers.RobertaModel, transformers.BartModel
    with registered(torchvision_stand_in()):
        return import_module("laion_clap.clap_module.model")


@contextmanager
def _replaced(module: ModuleType, **names: object) -> Iterator[None]:
    """Put other objects under these names of `module` for the length of a block."""
    before = {name: getattr(module, name) for name in names}
    vars(module).update(names)
    try:
        yield
    finally:
        vars(module).update(before)
