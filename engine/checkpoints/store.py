"""A model as a folder: config.json tells its shape, model.safetensors its weights, MODEL_CARD.md its story.

Half precision on disk unless told otherwise, the draft net (and where asked the denoiser) in 8 bits; float32 again in
memory. Nothing is ever unpickled.
"""

import json
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.audioldm import AudioLDM, AudioLDMConfig, DraftConfig
from engine.checkpoints.catalogue import CONFIG_FILE, CONFIG_FORMAT, WEIGHTS_FILE, find_model, read_json
from engine.checkpoints.small_weights import squeeze, unsqueeze
from engine.errors import ModelBrokenError
from engine.models.clap import ClapConfig, LaionClap
from engine.models.clap_tokenizer import RobertaTokenizer
from engine.models.pocket_clap import PocketClapConfig
from engine.models.vocoder import GriffinLimConfig, HiFiGanConfig
from engine.presets import PRESETS, build

_TEST_PRESET = "tiny"  # random weights, never on disk
_KINDS: dict[str, type] = {
    kind.__name__: kind for kind in (ClapConfig, PocketClapConfig, GriffinLimConfig, HiFiGanConfig, DraftConfig)
}
_DRAFT, _DENOISER = "draft.", "unet."  # how the names of these nets' weights begin

Config = TypeVar("Config")


def save_model(model: AudioLDM, folder: Path, *, half: bool = True, small: bool = False) -> None:
    """Write config and weights; parts of an earlier model there are replaced. `small`: the denoiser in 8 bits, too."""
    folder.mkdir(parents=True, exist_ok=True)
    state = model.state_dict()
    squeezed = (_DRAFT, _DENOISER) if small else (_DRAFT,)
    few = {name: state.pop(name) for name in list(state) if name.startswith(squeezed)}
    tensors = {name: _stored(tensor, half=half) for name, tensor in state.items()}
    kept = {name: _stored(tensor, half=False) for name, tensor in few.items()}
    save_file(tensors | (squeeze(kept) if half else kept), folder / WEIGHTS_FILE)
    if isinstance(model.clap, LaionClap) and model.clap.tokenizer is not None:
        model.clap.tokenizer.write(folder)
    (folder / CONFIG_FILE).write_text(json.dumps(config_to_json(model.config), indent=1) + "\n", encoding="utf-8")


def open_model(name: str, device: torch.device | str = "cpu", extra: Path | None = None) -> AudioLDM:
    """Load an installed model by name or path; "tiny" is built with random weights, always the same ones."""
    if name == _TEST_PRESET:
        return build(PRESETS[_TEST_PRESET]).to(device)
    return load_model(find_model(name, extra), device)


def load_model(folder: Path, device: torch.device | str = "cpu") -> AudioLDM:
    """The model in `folder`, ready to run.

    Raises:
        ModelBrokenError: a file is missing or damaged, or the weights do not fit the config.
    """
    model = AudioLDM(read_config(folder))
    try:
        tensors = unsqueeze(load_file(folder / WEIGHTS_FILE))
    except (OSError, SafetensorError) as error:
        raise ModelBrokenError(folder, f"{WEIGHTS_FILE}: {error}") from error
    try:
        model.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in tensors.items()})
    except RuntimeError as error:
        raise ModelBrokenError(folder, str(error).replace("\n", " ")) from error
    if isinstance(model.clap, LaionClap):
        model.clap.tokenizer = RobertaTokenizer.read(folder)
    return model.to(device).eval()


def read_config(folder: Path) -> AudioLDMConfig:
    """The config of the model in `folder`.

    Raises:
        ModelBrokenError: it is missing, or of another format.
    """
    try:
        return config_from_json(read_json(folder))
    except (ValueError, TypeError, KeyError) as error:
        raise ModelBrokenError(folder, f"{CONFIG_FILE}: {error}") from error


def config_to_json(config: AudioLDMConfig) -> dict[str, Any]:
    """Plain values; the parts that come in several kinds carry theirs."""
    values = asdict(config)
    for part in ("vocoder", "clap", "draft"):
        if values[part] is not None:
            values[part]["kind"] = type(getattr(config, part)).__name__
    return {"format": CONFIG_FORMAT, **values}


def config_from_json(values: dict[str, Any]) -> AudioLDMConfig:
    """The reverse of `config_to_json`."""
    values = dict(values)
    if values.pop("format", None) != CONFIG_FORMAT:
        message = f"expected format {CONFIG_FORMAT}"
        raise ValueError(message)
    return _parse(AudioLDMConfig, values)


def _parse(kind: type[Config], values: dict[str, Any]) -> Config:
    hints = get_type_hints(kind)
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    unknown = values.keys() - known - {"kind"}
    if unknown:
        message = f"unknown settings of {kind.__name__}: {', '.join(sorted(unknown))}"
        raise ValueError(message)
    parsed: dict[str, Any] = {}
    for name, value in values.items():
        if name == "kind":
            continue
        if isinstance(value, dict):
            part = _KINDS[value["kind"]] if "kind" in value else hints[name]
            assert is_dataclass(part), f"{name} is not a group of settings"
            parsed[name] = _parse(part, value)
        else:
            parsed[name] = tuple(value) if isinstance(value, list) else value
    return kind(**parsed)


def _stored(tensor: Tensor, *, half: bool) -> Tensor:
    tensor = tensor.detach().cpu().contiguous().clone()
    return tensor.half() if half and tensor.is_floating_point() else tensor
