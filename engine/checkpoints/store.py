"""A model as a folder: config.json (its shape), model.safetensors (its weights), MODEL_CARD.md (how it was made).

Half precision on disk by default, the draft net (and on request the denoiser) in 8 bits; float32 again in
memory. Nothing is ever unpickled.
"""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from engine.audioldm import AudioLDM, AudioLDMConfig
from engine.checkpoints.blueprint import draw_up, require_promised
from engine.checkpoints.catalogue import CONFIG_FILE, WEIGHTS_FILE, find_model, read_json
from engine.checkpoints.config_json import FAMILY, config_from_json, config_to_json
from engine.checkpoints.model_files import explained, require_plain
from engine.checkpoints.small_weights import squeeze, unsqueeze
from engine.checkpoints.tensor_file import load_tensors
from engine.errors import ModelBrokenError, ModelFamilyUnknownError
from engine.models.clap import ClapConfig, LaionClap
from engine.models.clap_tokenizer import RobertaTokenizer
from engine.presets import PRESETS, build

_TEST_PRESET = "tiny"  # random weights, never on disk
_DRAFT, _DENOISER = "draft.", "unet."  # how the names of these nets' weights begin
_TOKENIZER_FILES, _MAX_TOKENIZER_BYTES = ("tokenizer.json", "vocab.json", "merges.txt"), 50_000_000


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
    """The model in `folder`, ready to run. Config and weights are compared before any memory is taken.

    Raises:
        ModelBrokenError: a file is missing or damaged, or the weights do not fit the config.
    """
    config, weights = read_config(folder), folder / WEIGHTS_FILE
    model = draw_up(config, folder)
    require_promised(model, weights)
    try:
        tensors = unsqueeze(load_tensors(weights))
    except (OSError, SafetensorError, KeyError, RuntimeError, ValueError) as error:
        raise ModelBrokenError(folder, f"{WEIGHTS_FILE}: {error}") from error
    if isinstance(config.clap, ClapConfig):
        model.set_submodule("_clap", LaionClap(config.clap))  # its constants are no weights, and are in no file
    model.load_state_dict({name: _own(tensor) for name, tensor in tensors.items()}, assign=True)
    assert not any(buffer.is_meta for buffer in model.buffers()), "what is in no file is computed on the CPU"
    if isinstance(model.clap, LaionClap):
        model.clap.tokenizer = read_tokenizer(folder)
    return model.to(device).eval()


def read_tokenizer(folder: Path) -> RobertaTokenizer:
    """RoBERTa's tokenizer from its files.

    Raises:
        ModelBrokenError: they are missing or damaged, or no plain files.
    """
    for name in _TOKENIZER_FILES:
        try:
            require_plain(folder / name, _MAX_TOKENIZER_BYTES)
        except FileNotFoundError:
            continue  # one of the two forms is enough
        except OSError as error:
            raise ModelBrokenError(folder, f"{name}: {explained(error)}") from error
    return RobertaTokenizer.read(folder)


def read_config(folder: Path) -> AudioLDMConfig:
    """The config of the model in `folder`.

    Raises:
        ModelBrokenError: it is missing, or of another format.
        ModelFamilyUnknownError: it is of a family that is not known here.
    """
    values = read_json(folder)
    if (family := values.get("family", FAMILY)) != FAMILY:
        raise ModelFamilyUnknownError(folder, family, [FAMILY])
    try:
        return config_from_json(values)
    except (ValueError, TypeError, KeyError) as error:
        raise ModelBrokenError(folder, f"{CONFIG_FILE}: {error}") from error


def _own(tensor: Tensor) -> Tensor:
    """Return a copy, in 32 bits unless it is an integer: the file may be replaced while we run."""
    return tensor.to(torch.float32 if tensor.is_floating_point() else tensor.dtype, copy=True)


def _stored(tensor: Tensor, *, half: bool) -> Tensor:
    tensor = tensor.detach().cpu().contiguous().clone()
    return tensor.half() if half and tensor.is_floating_point() else tensor
