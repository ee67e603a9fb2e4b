"""Stable Audio 3's nets: diffusers' classes and transformers' T5Gemma, built without weights and then given them.

Both packages load here and only when a net is built. Nothing is read from disk, and nothing from a hub.
"""

import warnings
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from engine.errors import PackageMissingError
from engine.families.stable_audio.config import DiTConfig, DurationConfig, SameConfig
from engine.families.stable_audio.same import make_chunked

EXTRA = "stable-audio"
"""Of Retake's package: what `pip install "retake[…]"` adds for this family."""
_SHOWN = 5  # names in an error


class LeaveUninitialised(TorchFunctionMode):
    """Nets that are built inside have no random weights: `fill` replaces them anyway, and a billion take seconds."""

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        given = kwargs or {}
        if getattr(function, "__module__", None) == "torch.nn.init":
            return given["tensor"] if "tensor" in given else args[0]
        return function(*args, **given)


def build_dit(config: DiTConfig) -> nn.Module:
    """The denoiser with random weights.

    Raises:
        PackageMissingError: diffusers is not installed, or older than 0.42.
    """
    return cast("nn.Module", _diffusers("StableAudio3DiTModel")(**asdict(config)).eval())


def build_same(config: SameConfig) -> nn.Module:
    """The autoencoder with random weights. Raises PackageMissingError, as `build_dit`."""
    own = ("chunk_size", "chunk_midpoint_shift", "decoder_mapping_kernel")
    values = {name: value for name, value in asdict(config).items() if name not in own}
    values["sliding_window"] = config.sliding_window or 1
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*weight_norm.*", category=FutureWarning)
        autoencoder = cast("nn.Module", _diffusers("AutoencoderSAME")(**values))
        make_chunked(autoencoder, config, partial(_normed_convolution, config.decoder_mapping_kernel))
    return autoencoder.eval()


def build_duration(config: DurationConfig) -> nn.Module:
    """The embedder of the length with random weights. Raises PackageMissingError, as `build_dit`."""
    return cast("nn.Module", _diffusers("StableAudio3DurationEmbedder")(**asdict(config)).eval())


def build_text_encoder(values: Mapping[str, Any]) -> nn.Module:
    """T5Gemma's encoder with random weights, from its config.json.

    Raises:
        ValueError: the config is another model's.
    """
    from transformers import T5GemmaConfig, T5GemmaEncoderModel  # noqa: PLC0415 - slow to load, and of this family only

    if values.get("model_type") != "t5gemma":
        raise ValueError(f"it is a {values.get('model_type')!r}; expected 't5gemma'")
    config = T5GemmaConfig.from_dict(dict(values))
    config.is_encoder_decoder = False
    return cast("nn.Module", T5GemmaEncoderModel(config).eval())


def fill(net: nn.Module, tensors: Mapping[str, Tensor], part: str) -> nn.Module:
    """Give a net its weights, in 32 bits; those that it computes itself may be left out.

    Raises:
        ValueError: some are missing, or have another shape, or are not known; nothing was changed.
    """
    own = net.state_dict()
    missing = sorted(set(own) - set(tensors) - {"freqs", "rotary_pos_emb.inv_freq"})
    if missing:
        raise ValueError(f"{part}: {_some(missing)} missing")
    if unknown := sorted(set(tensors) - set(own)):
        raise ValueError(f"{part}: {_some(unknown)} not known")
    differing = [
        f"{name} is {tuple(tensor.shape)}, expected {tuple(own[name].shape)}"
        for name, tensor in tensors.items()
        if tensor.shape != own[name].shape
    ]
    if differing:
        raise ValueError(f"{part}: it has another size than its config tells: {_some(differing)}")
    own_format = {name: _own(tensor) for name, tensor in tensors.items()}
    if broken := [name for name, tensor in own_format.items() if not tensor.isfinite().all()]:
        raise ValueError(f"{part}: {_some(broken)} no numbers (NaN or infinite)")
    net.load_state_dict(own_format, strict=False, assign=True)
    return net.eval().requires_grad_(False)


def _diffusers(name: str) -> Any:
    try:
        import diffusers  # noqa: PLC0415 - seconds to load, and of this family only

        return getattr(diffusers, name)
    except (ImportError, AttributeError, RuntimeError) as error:  # not there, too old, or broken in itself
        raise PackageMissingError("diffusers>=0.42", "Stable Audio 3", EXTRA) from error


def _normed_convolution(kernel: int, inside: int, outside: int) -> nn.Module:
    convolution = nn.Conv1d(inside, outside, kernel, padding=kernel // 2)
    return cast("nn.Module", nn.utils.weight_norm(convolution))


def _own(tensor: Tensor) -> Tensor:
    """A copy: the file may be replaced while we run."""
    return tensor.to(torch.float32 if tensor.is_floating_point() else tensor.dtype, copy=True)


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
