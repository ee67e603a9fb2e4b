"""The one narrow way into laion-clap: its audio tower, built from numbers, without network, hub or training stack.

`import laion_clap` runs its training code, which downloads three tokenizers and imports wandb, webdataset, pandas and
torchvision. Its file `clap_module/htsat.py` needs none of that. So the two packages above that file are registered
bare (their `__init__` never runs), and a stand-in for the one torchvision class that a file beside it names (and CLAP
never uses) is there while the import runs.
"""

import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import ModuleType, SimpleNamespace

import torch
from torch import Tensor, nn

from engine.models.clap_sizes import FRONT_END, AudioTower


class LaionHtsat:
    """Audio towers computed by laion-clap's own module."""

    def build(self, tower: AudioTower) -> nn.Module:
        """Return laion-clap's HTSAT with random weights; no file is read and no address is called.

        Under `torch.device("meta")` it still comes up on the CPU: its constructor reads numbers out of tensors (the
        stochastic depth of each block).
        """
        config = SimpleNamespace(
            mel_bins=FRONT_END.mel_bins, window_size=FRONT_END.n_fft, hop_size=FRONT_END.hop,
            sample_rate=tower.sample_rate, fmin=FRONT_END.fmin, fmax=FRONT_END.fmax,
        )  # fmt: skip
        with torch.device("cpu"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="torch.meshgrid", category=UserWarning)
            net: nn.Module = import_htsat().HTSAT_Swin_Transformer(
                spec_size=256, patch_size=4, patch_stride=(4, 4), window_size=8, num_classes=FRONT_END.num_classes,
                embed_dim=tower.dim, depths=list(tower.depths), num_heads=list(tower.num_heads), config=config,
            )  # fmt: skip
        for front_end in ("spectrogram_extractor", "logmel_extractor"):
            _turn_parameters_into_constants(net.get_submodule(front_end))
        return net

    def embed(self, net: nn.Module, waveform: Tensor) -> Tensor:
        """Waveform [B, num_samples] at the tower's rate -> what it sends to the projection [B, width]."""
        embedding: Tensor = net({"waveform": waveform.contiguous()}, device=waveform.device)["embedding"]
        return embedding


@cache
def import_htsat() -> ModuleType:
    """Import `laion_clap.clap_module.htsat` and nothing else of the package.

    This import stands inside a function because it takes seconds (librosa) that a daemon's worker with the shipped
    model, whose CLAP is another, must not pay.

    Raises:
        ModuleNotFoundError: laion-clap is not installed.
    """
    if "laion_clap" not in sys.modules:
        spec = find_spec("laion_clap")
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError("laion-clap is not installed", name="laion_clap")
        folder = spec.submodule_search_locations[0]
        sys.modules["laion_clap"] = bare_package("laion_clap", folder)
        sys.modules["laion_clap.clap_module"] = bare_package("laion_clap.clap_module", f"{folder}/clap_module")
    with registered(torchvision_stand_in()):
        return import_module("laion_clap.clap_module.htsat")


def bare_package(name: str, *folders: str) -> ModuleType:
    """Return a package whose files can be imported but whose `__init__` has not run."""
    spec = ModuleSpec(name, loader=None, is_package=True)
    spec.submodule_search_locations = list(folders)
    return module_from_spec(spec)


def torchvision_stand_in() -> dict[str, ModuleType]:
    """Return three hollow modules that hold the one name which laion-clap imports from torchvision."""
    modules = {name: bare_package(name) for name in ("torchvision", "torchvision.ops", "torchvision.ops.misc")}
    vars(modules["torchvision.ops.misc"])["FrozenBatchNorm2d"] = type("FrozenBatchNorm2d", (nn.Module,), {})
    return modules


@contextmanager
def registered(modules: Mapping[str, ModuleType]) -> Iterator[None]:
    """Show `modules` to the import system for the length of a block, then restore what was there."""
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


def _turn_parameters_into_constants(net: nn.Module) -> None:
    """Make every parameter of `net` a buffer that is neither saved nor loaded."""
    for module in net.modules():
        for name, value in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, value.detach(), persistent=False)
