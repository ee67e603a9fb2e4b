"""The one narrow way into laion-clap: its two towers, built from numbers, without network, hub or training stack.

`import laion_clap` runs its training code, which downloads three tokenizers and wants wandb, webdataset, pandas and
torchvision. Its file `clap_module/model.py` needs none of that. So the two packages above that file are registered
bare (their `__init__` never runs), a stand-in for the one torchvision class that it names (and CLAP never uses) is
there for the moment of the import, and RoBERTa is built from its configuration where laion-clap would download it.
"""

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True)
class TextTower:
    """RoBERTa (Liu et al. 2019). laion-clap's text projection fixes the width at 768."""

    num_layers: int = 12
    vocabulary_size: int = 50265
    num_heads: int = 12
    feed_forward: int = 3072
    num_positions: int = 514
    width: int = 768
    norm_eps: float = 1e-5  # of the layer norms


@dataclass(frozen=True)
class AudioTower:
    """HTSAT (Chen et al. 2022): a Swin transformer on the log-mel of ten seconds, folded to 256 x 256."""

    dim: int = 96  # of the first stage; doubles at each of the three next ones
    depths: tuple[int, int, int, int] = (2, 2, 6, 2)
    num_heads: tuple[int, int, int, int] = (4, 8, 16, 32)
    sample_rate: int = 48000  # Hz
    num_samples: int = 480000  # the tower hears exactly ten seconds

    @property
    def width(self) -> int:
        """Length of the vector that leaves the tower."""
        return 8 * self.dim


TEXT_TOWERS: dict[str, TextTower] = {
    "roberta-base": TextTower(),
    "roberta-test": TextTower(num_layers=1, vocabulary_size=512, feed_forward=256),
}
AUDIO_TOWERS: dict[str, AudioTower] = {
    "HTSAT-tiny": AudioTower(),
    "HTSAT-base": AudioTower(dim=128, depths=(2, 2, 12, 2)),
    "HTSAT-test": AudioTower(dim=32, depths=(1, 1, 2, 1), num_heads=(2, 4, 8, 16)),
}

# laion-clap's front end: power spectrogram, 64 Slaney mel bands 50 Hz to 14 kHz, decibels, 1001 frames of 10 ms
_FRONT_END = {"mel_bins": 64, "window_size": 1024, "hop_size": 480, "fmin": 50, "fmax": 14000, "class_num": 527}


def build_towers(text: TextTower, audio: AudioTower | None, embedding_dim: int) -> nn.Module:
    """Build laion-clap's CLAP module with random weights; no file is read and no address is called.

    With no audio tower its place is empty, and the layers behind it hear nothing either.

    Under `torch.device("meta")` the audio tower still comes up on the CPU: its constructor reads numbers out of
    tensors (the stochastic depth of each block).
    """
    model_file = _import_model_file()
    heard = audio or AudioTower()
    audio_config = {
        "model_type": "HTSAT", "model_name": "tiny", "audio_length": 1024,
        "sample_rate": heard.sample_rate, "clip_samples": heard.num_samples, **_FRONT_END,
    }  # fmt: skip
    text_config = {"model_type": "roberta", "context_length": 77, "vocab_size": 0, "width": 0, "heads": 0, "layers": 0}
    offline_roberta = SimpleNamespace(from_pretrained=lambda _name: _build_roberta(text))
    with _replaced(model_file, RobertaModel=offline_roberta, create_htsat_model=_htsat_builder(audio)):
        clap: nn.Module = model_file.CLAP(heard.width, audio_config, text_config, joint_embed_shape=embedding_dim)
    return clap


def _build_roberta(tower: TextTower) -> nn.Module:
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


def _htsat_builder(tower: AudioTower | None) -> Callable[[Any, bool, str], nn.Module]:
    """Give what stands in for laion-clap's `create_htsat_model`, which knows three sizes and swallows every error."""
    htsat = import_module("laion_clap.clap_module.htsat")

    def build(config: object, enable_fusion: bool, fusion_type: str) -> nn.Module:
        if tower is None:
            return nn.Identity()
        with torch.device("cpu"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="torch.meshgrid", category=UserWarning)
            net: nn.Module = htsat.HTSAT_Swin_Transformer(
                spec_size=256, patch_size=4, patch_stride=(4, 4), window_size=8, num_classes=_FRONT_END["class_num"],
                embed_dim=tower.dim, depths=list(tower.depths), num_heads=list(tower.num_heads),
                config=config, enable_fusion=enable_fusion, fusion_type=fusion_type,
            )  # fmt: skip
        return net

    return build


@cache
def _import_model_file() -> ModuleType:
    """Import `laion_clap.clap_module.model` and nothing else of the package.

    This import stands inside a function because it takes seconds (transformers, librosa) that a daemon's worker with
    the shipped model, whose CLAP is another, must not pay.
    """
    transformers = import_module("transformers")
    # Touched before the stand-in is there: transformers looks for torchvision when a lazy name is first used.
    _ = transformers.BertModel, transformers.RobertaModel, transformers.BartModel
    if "laion_clap" not in sys.modules:
        spec = find_spec("laion_clap")
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError("laion-clap is not installed", name="laion_clap")
        folder = spec.submodule_search_locations[0]
        sys.modules["laion_clap"] = _bare_package("laion_clap", folder)
        sys.modules["laion_clap.clap_module"] = _bare_package("laion_clap.clap_module", f"{folder}/clap_module")
    with _registered(_torchvision_stand_in()):
        return import_module("laion_clap.clap_module.model")


def _bare_package(name: str, *folders: str) -> ModuleType:
    """Make a package whose files can be imported but whose `__init__` has not run."""
    spec = ModuleSpec(name, loader=None, is_package=True)
    spec.submodule_search_locations = list(folders)
    return module_from_spec(spec)


def _torchvision_stand_in() -> dict[str, ModuleType]:
    """Three hollow modules that hold the one name which laion-clap imports from torchvision."""
    modules = {name: _bare_package(name) for name in ("torchvision", "torchvision.ops", "torchvision.ops.misc")}
    vars(modules["torchvision.ops.misc"])["FrozenBatchNorm2d"] = type("FrozenBatchNorm2d", (nn.Module,), {})
    return modules


@contextmanager
def _registered(modules: Mapping[str, ModuleType]) -> Iterator[None]:
    """Show `modules` to the import system for one moment; what stood there before comes back."""
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


@contextmanager
def _replaced(module: ModuleType, **names: object) -> Iterator[None]:
    """Let other objects stand under these names of `module` for one moment."""
    before = {name: getattr(module, name) for name in names}
    vars(module).update(names)
    try:
        yield
    finally:
        vars(module).update(before)
