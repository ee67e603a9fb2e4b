"""A foreign checkpoint taken apart: what it is, the tensors of each part, and its settings.

There are three kinds: the original file (UNet, VAE, vocoder and both towers of CLAP in one), the diffusers folder (the
same without CLAP's audio tower), and LAION-CLAP's own file or folder, which supplies a tower that is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from engine.audioldm import AudioLDMConfig
from engine.checkpoints import foreign_names as names
from engine.checkpoints.card import OTHER_CLAP, RAW_UNET
from engine.checkpoints.config_json import check_config
from engine.checkpoints.foreign_files import Weights, read_folder_part, read_settings, read_tensors
from engine.checkpoints.foreign_shapes import clap_config, unet_config, vae_config, vocoder_config
from engine.checkpoints.import_errors import (
    CheckpointMissingError,
    CheckpointUnknownError,
    WeightsMissingError,
    WeightsShapeError,
)
from engine.checkpoints.locations import INDEX, PARTS
from engine.checkpoints.shards import NON_EMA, find_weights, pieces_of
from engine.diffusion.guidance import Prediction
from engine.diffusion.path import VariancePreserving

Heads = Literal["original", "diffusers"]

_DIFFUSERS_HEADS = 8  # at every level, whatever the width
_PREDICTIONS: dict[str, Prediction] = {"epsilon": "eps", "v_prediction": "v"}
_PIPELINES = {"AudioLDMPipeline": "", "MusicLDMPipeline": "a MusicLDM (Chen et al. 2023), which has AudioLDM's nets"}
_SAME = 1e-4  # of the largest number; what differs by less was only computed otherwise
# Precisions that weights are published in, the coarsest first: values that were rounded to one are on its grid
_PRECISIONS = (torch.float8_e5m2, torch.float8_e4m3fn, torch.bfloat16, torch.float16, torch.float32)
_EXPECTED: dict[
    str, dict[str, Any]
] = {  # settings that have one value in all published folders, and that our nets are built for
    "unet": {"class_embed_type": "simple_projection", "class_embeddings_concat": True, "flip_sin_to_cos": True},
    "vocoder": {"normalize_before": False, "leaky_relu_slope": 0.1, "sampling_rate": 16000},
    "text_encoder": {"hidden_act": "gelu", "projection_hidden_act": "relu", "num_attention_heads": 12},
}


@dataclass(frozen=True)
class Foreign:
    """All that an import needs; `config` has no name, licence and source yet."""

    config: AudioLDMConfig
    unet: Weights
    vae: Weights
    vocoder: Weights
    text: Weights
    audio: Weights | None
    latent_scale: Tensor  # a single number
    tokenizer: Path | None  # a folder that has one
    remarks: tuple[str, ...]  # notes on the weights for the user who imports them


@dataclass(frozen=True)
class Towers:
    """CLAP's two towers, as far as they are there."""

    text: Weights | None
    audio: Weights | None
    text_norm_eps: float = 1e-5


def read_foreign(path: Path, clap: Path | None = None, heads: Heads = "original") -> Foreign:
    """Take the checkpoint at `path` apart.

    Raises:
        CheckpointError: as its branches say.
    """
    extra = None if clap is None else read_towers(clap)
    if path.is_dir():
        return _read_folder(path, extra, heads)
    return _read_file(path, extra, heads)


def weight_files(path: Path) -> list[Path]:
    """Return the files that hold the weights of a checkpoint."""
    return [file for part in PARTS for file in find_weights(path / part)] if path.is_dir() else pieces_of(path)


def read_towers(path: Path) -> Towers:
    """CLAP's towers from LAION-CLAP's file, with `module.` before its names or not, or from a transformers folder.

    Raises:
        CheckpointError: there are none.
    """
    tensors = read_tensors(*(find_weights(path) if path.is_dir() else pieces_of(path)))
    towers = _towers_in(tensors)
    if towers.text is None and towers.audio is None:
        raise CheckpointUnknownError(path, f"it has no tower of CLAP's; it begins with {next(iter(tensors))}")
    if not path.is_dir():
        return towers
    text = read_settings(path / "config.json").get("text_config", {})
    return replace(towers, text_norm_eps=text.get("layer_norm_eps", 1e-12))


def _read_file(path: Path, extra: Towers | None, heads: Heads) -> Foreign:
    tensors = read_tensors(*pieces_of(path))
    unet, remarks = _original_unet(path, tensors)
    vae = Weights("VAE", tensors, "original", names.VAE)
    vocoder = Weights("vocoder", tensors, "original", names.VOCODER)
    _check_schedule(path, tensors)
    towers, more_remarks = _joined(_towers_in(tensors), extra, path)
    if names.SCALE not in tensors:
        raise WeightsMissingError("latent scale", [names.SCALE])
    config = AudioLDMConfig(
        name="",
        unet=unet_config(unet, _DIFFUSERS_HEADS if heads == "diffusers" else None),
        vae=vae_config(vae),
        vocoder=vocoder_config(vocoder),
    )
    return _foreign(config, (unet, vae, vocoder), towers, tensors[names.SCALE], None, (*remarks, *more_remarks))


def _read_folder(path: Path, extra: Towers | None, heads: Heads) -> Foreign:
    if not (path / INDEX).is_file():
        raise CheckpointMissingError(path)
    kind = read_settings(path / INDEX).get("_class_name")
    if kind not in _PIPELINES:
        raise CheckpointUnknownError(path, f"{INDEX} says that it is {str(kind)[:60]}")
    settings: dict[str, dict[str, Any]] = {}
    weights: dict[str, Weights] = {}
    for part in PARTS:
        settings[part], tensors = read_folder_part(path, part)
        weights[part] = Weights(part.replace("unet", "UNet").replace("vae", "VAE"), tensors, "diffusers")
        if part == "text_encoder" and isinstance(settings[part].get("text_config"), dict):  # a complete CLAP
            settings[part] = settings[part]["text_config"]
        _check_settings(path / part, settings[part], _EXPECTED.get(part, {}))
    own = _towers_in(weights["text_encoder"].tensors)
    eps = settings["text_encoder"].get("layer_norm_eps", 1e-12)
    towers, remarks = _joined(Towers(own.text or weights["text_encoder"], own.audio, eps), extra, path)
    if any(NON_EMA in file.name for file in find_weights(path / "unet")):
        remarks = (RAW_UNET, *remarks)
    if _PIPELINES[kind]:
        remarks = (_PIPELINES[kind], *remarks)
    if "scaling_factor" not in settings["vae"]:
        raise WeightsMissingError("latent scale", ["scaling_factor of vae/config.json"], "download that file, too")
    schedule, prediction = _read_schedule(path / "scheduler" / "scheduler_config.json")
    config = AudioLDMConfig(
        name="",
        unet=unet_config(
            weights["unet"],
            _declared_heads(path, settings["unet"]) if heads == "diffusers" else None,
            settings["unet"].get("norm_num_groups", 32),
        ),
        vae=vae_config(weights["vae"], settings["vae"].get("norm_num_groups", 32)),
        vocoder=vocoder_config(weights["vocoder"], settings["vocoder"]),
        schedule=schedule,
        prediction=prediction,
    )
    nets = weights["unet"], weights["vae"], weights["vocoder"]
    scale = torch.tensor(float(settings["vae"]["scaling_factor"]))
    return _foreign(config, nets, towers, scale, path / "tokenizer", remarks)


def _foreign(
    config: AudioLDMConfig,
    nets: tuple[Weights, Weights, Weights],
    towers: Towers,
    scale: Tensor,
    tokenizer: Path | None,
    remarks: tuple[str, ...],
) -> Foreign:
    if towers.text is None:
        raise WeightsMissingError("CLAP", [names.MARK_OF_TEXT])
    config = replace(config, clap=clap_config(towers.text, towers.audio, towers.text_norm_eps))
    check_config(config)
    return Foreign(config, *nets, towers.text, towers.audio, scale, tokenizer, remarks)


def _original_unet(path: Path, tensors: Mapping[str, Tensor]) -> tuple[Weights, tuple[str, ...]]:
    """The moving average of the UNet, with which AudioLDM samples; the raw one if there is no other."""
    averaged = names.UNET_EMA + (names.EMA_OF + names.MARK_OF_UNET).replace(".", "")
    if averaged in tensors:
        return Weights("UNet", tensors, "original", names.UNET, averaged=names.UNET_EMA), ()
    if names.UNET + names.MARK_OF_UNET in tensors:
        return Weights("UNet", tensors, "original", names.UNET), (RAW_UNET,)
    if any(name.startswith(names.UNET) for name in tensors):
        reason = "its UNet takes no CLAP embedding; it may be Stable Diffusion or AudioLDM 2"
        raise CheckpointUnknownError(path, reason)
    raise CheckpointUnknownError(path, f"it has no UNet; its names begin with {next(iter(tensors))}")


def _towers_in(tensors: Mapping[str, Tensor]) -> Towers:
    """The towers among the tensors; of two, those that the model is conditioned on, not a copy kept for scoring."""
    found: dict[str, Weights] = {}
    for part, original, diffusers in (
        ("text tower", names.MARK_OF_TEXT, names.MARK_OF_TRANSFORMERS_TEXT),
        ("audio tower", names.MARK_OF_AUDIO, names.MARK_OF_TRANSFORMERS_AUDIO),
    ):
        forms: tuple[tuple[names.CheckpointForm, str], ...] = (("original", original), ("diffusers", diffusers))
        towers = [
            Weights(part, tensors, form, name.removesuffix(mark))
            for name in tensors
            for form, mark in forms
            if name.endswith(mark)
        ]
        if towers:
            found[part] = min(towers, key=lambda tower: not tower.prefix.startswith(names.CONDITIONING))
    return Towers(found.get("text tower"), found.get("audio tower"))


def _joined(own: Towers, extra: Towers | None, path: Path) -> tuple[Towers, tuple[str, ...]]:
    """The checkpoint's own towers; those that it lacks from elsewhere."""
    if extra is None:
        return own, ()
    if own.text is not None and own.audio is not None:
        reason = "it has both towers of CLAP, so no other CLAP is needed; leave --clap out"
        raise CheckpointUnknownError(path, reason)
    if own.text is None:
        return extra, ()
    if extra.audio is None:
        raise WeightsMissingError("CLAP given beside it", [names.MARK_OF_AUDIO])
    return replace(own, audio=extra.audio), () if _agree(own.text, extra.text) else (OTHER_CLAP,)


def _agree(one: Weights, other: Weights | None) -> bool:
    """Whether two text towers have the same last layer; true where there is nothing to compare."""
    if other is None:
        return True
    last = "text_projection.2.weight"
    a, b = (tower.get(names.clap_names(tower.form)(last)[0]) for tower in (one, other))
    return a is not None and b is not None and a.shape == b.shape and _close(a, b)


def _check_schedule(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Refuse weights that were trained on other noise than ours."""
    theirs, ours = tensors.get(names.ALPHAS), VariancePreserving().alphas_cumprod
    if theirs is not None and not (theirs.shape == ours.shape and _close(theirs, ours)):
        raise CheckpointUnknownError(path, "its noise schedule is not AudioLDM's")


def _read_schedule(file: Path) -> tuple[VariancePreserving, Prediction]:
    ours = VariancePreserving()
    if not file.is_file():
        return ours, "eps"
    settings = read_settings(file)
    _check_settings(file, settings, {"beta_schedule": "scaled_linear"})
    schedule = VariancePreserving(
        settings.get("num_train_timesteps", ours.num_train_steps),
        settings.get("beta_start", ours.beta_start),
        settings.get("beta_end", ours.beta_end),
    )
    prediction = settings.get("prediction_type", "epsilon")
    if prediction not in _PREDICTIONS:
        raise CheckpointUnknownError(file, f"its UNet predicts {prediction}")
    return schedule, _PREDICTIONS[prediction]


def _check_settings(where: Path, settings: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    for name, value in expected.items():
        if settings.get(name, value) != value:
            raise CheckpointUnknownError(where, f"{name} is {settings[name]!r}; expected {value!r}")


def _declared_heads(path: Path, settings: Mapping[str, Any]) -> int:
    """What diffusers computes with: under this name it means the number of heads."""
    heads = settings.get("attention_head_dim", _DIFFUSERS_HEADS)
    if isinstance(heads, list) and len(set(heads)) == 1:
        heads = heads[0]
    if not isinstance(heads, int):
        raise WeightsShapeError("UNet", [f"{heads} heads in {path / 'unet'}, where one number is expected"])
    return heads


def _close(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are the same, but for the rounding to a precision that weights are kept in."""
    coarsest = max(_rounding_of(one), _rounding_of(other), key=lambda precision: precision.eps)
    one, other = one.double(), other.double()
    allowed = coarsest.eps * (other.abs() + coarsest.tiny) + _SAME * other.abs().max()
    return bool(((one - other).abs() <= allowed).all())


def _rounding_of(tensor: Tensor) -> torch.finfo:
    """Return the coarsest precision on whose grid all of the numbers are."""
    values = tensor.float()
    on_grid = (kind for kind in _PRECISIONS if torch.equal(values.to(kind).float(), values))
    return torch.finfo(next(on_grid, torch.float32))
