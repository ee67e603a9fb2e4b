"""Stable Audio 3 from disk, in either of its two forms; every file is checked before any memory is taken.

diffusers' folder     model_index.json, and transformer/ vae/ duration_embedder/ text_encoder/ tokenizer/ scheduler/
the authors' folder   model_config.json, model.safetensors, and t5gemma-b-b-ul2/ with text encoder and tokenizer

Weights may be cut into several files, and be stored in any precision. Only safetensors files are read, never pickles.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from engine.checkpoints.catalogue import find_model
from engine.checkpoints.file_kinds import kind_of
from engine.checkpoints.model_files import explained, read_object
from engine.checkpoints.shards import find_weights
from engine.checkpoints.stable_audio_folders import AUTHORS_FILE, PIPELINE_FILE, TEXT_FOLDER, holds_stable_audio
from engine.checkpoints.tensor_file import read_shapes
from engine.errors import EngineError, ModelBrokenError, ModelNotFoundError
from engine.families.stable_audio.config import PIPELINES, StableAudioConfig, read_authors_config, read_parts_config
from engine.families.stable_audio.names import (
    DIT,
    DURATION,
    TEXT,
    VAE,
    place_of,
    split_parts,
    text_encoder_names,
    unknown_names,
)
from engine.families.stable_audio.nets import (
    LeaveUninitialised,
    build_dit,
    build_duration,
    build_same,
    build_text_encoder,
    fill,
)
from engine.families.stable_audio.text import PromptReader, open_tokenizer
from engine.file_names import text_name

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class StableAudioParts:
    """What a model is put together of; the text encoder is opened when a prompt needs it."""

    config: StableAudioConfig
    dit: nn.Module
    same: nn.Module
    duration: nn.Module
    reader: PromptReader


def find_stable_audio(name: str, extra: Path | None = None) -> Path | None:
    """The folder of such a model by its name, or a path to one, as `find_model` finds all; None where it is none.

    Raises:
        ModelBrokenError: a folder of that name is among the models, but cannot be used.
    """
    try:
        folder = find_model(name, extra)
    except ModelNotFoundError:
        return None
    return folder if holds_stable_audio(folder) else None


def read_stable_audio_config(folder: Path) -> StableAudioConfig:
    """The config of the model in `folder`, of either form.

    Raises:
        ModelBrokenError: it is missing, damaged, or another family's.
    """
    if (folder / PIPELINE_FILE).is_file():
        index = _settings(folder, PIPELINE_FILE)
        if index.get("_class_name") not in PIPELINES:
            kind = index.get("_class_name")
            raise ModelBrokenError(folder, f"it is a {kind!r}; expected one of {', '.join(PIPELINES)}")
        parts = {part: _settings(folder, f"{part}/config.json") for part in (DIT, VAE, DURATION)}
        parts["scheduler"] = _settings(folder, "scheduler/scheduler_config.json")
        return _told(folder, read_parts_config, parts, folder.name)
    return _told(folder, read_authors_config, _settings(folder, AUTHORS_FILE), folder.name)


def open_stable_audio(folder: Path) -> StableAudioParts:
    """The parts of the model in `folder`, on the CPU in 32 bits.

    Raises:
        ModelBrokenError: a file is missing, cut off or damaged, or the weights do not fit the config.
        PackageMissingError: diffusers is not installed.
    """
    config = read_stable_audio_config(folder)
    is_authors = not (folder / PIPELINE_FILE).is_file()
    text = folder / (TEXT_FOLDER if is_authors else TEXT)
    _require_text_encoder(folder, text)
    tokenizer = _told(folder, open_tokenizer, text if is_authors else folder / "tokenizer")
    read = _authors_parts(folder, config) if is_authors else partial(_folder_part, folder)
    builders: dict[str, Callable[[], nn.Module]] = {
        DIT: partial(build_dit, config.dit),
        VAE: partial(build_same, config.same),
        DURATION: partial(build_duration, config.duration),
    }
    nets = {part: _told(folder, _filled, build, read, part) for part, build in builders.items()}
    reader = PromptReader(tokenizer, partial(_told, folder, _open_text_encoder, text), config.max_tokens)
    return StableAudioParts(config, nets[DIT], nets[VAE], nets[DURATION], reader)


def _filled(build: Callable[[], nn.Module], read: Callable[[str], Mapping[str, Tensor]], part: str) -> nn.Module:
    tensors = read(part)
    with LeaveUninitialised():
        net = build()
    return fill(net, tensors, part)


def _require_text_encoder(folder: Path, text: Path) -> None:
    if not text.is_dir():
        raise ModelBrokenError(folder, f"its text encoder is not there: expected T5Gemma in {text.name}/")
    _settings(folder, f"{text.name}/config.json")
    _told(folder, _files_of, text)


def _open_text_encoder(text: Path) -> nn.Module:
    values = read_object(text / "config.json")
    tensors = text_encoder_names(_read(_files_of(text), lambda name: "decoder." not in name))
    with LeaveUninitialised():
        net = build_text_encoder(values)
    return fill(net, tensors, TEXT)


def _folder_part(folder: Path, part: str) -> Mapping[str, Tensor]:
    return _read(_files_of(folder / part), lambda _: True)


def _authors_parts(folder: Path, config: StableAudioConfig) -> Callable[[str], Mapping[str, Tensor]]:
    """What reads one part of the authors' file at a time, under diffusers' names."""
    files = _told(folder, _files_of, folder)
    levels = len(config.same.encoder_strides)
    names = [name for path in files for name in read_shapes(path)]
    if unknown := unknown_names(names, levels):
        raise ModelBrokenError(folder, f"it holds weights that are not known here: {', '.join(unknown[:5])}")
    differential = {
        DIT: config.dit.use_differential_attention,
        VAE: config.same.use_differential_attention,
    }

    def read(part: str) -> Mapping[str, Tensor]:
        own = {name for name in names if (place := place_of(name, levels)) is not None and place[0] == part}
        return split_parts(_read(files, own.__contains__), levels, differential)[part]

    return read


def _files_of(folder: Path) -> list[Path]:
    """The files with a part's weights, whole, each with all its bytes.

    Raises:
        EngineError, ValueError, OSError: they are not there, not whole, or no safetensors files.
    """
    files = find_weights(folder)
    for path in files:
        if kind_of(path) != "safetensors":
            raise ValueError(f"{path.name} could run code when it is read; only .safetensors files are")
        try:
            read_shapes(path)
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
    return files


def _read(files: list[Path], wanted: Callable[[str], bool]) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for path in files:
        with text_name(path) as name, safe_open(name, framework="pt") as file:
            tensors |= {key: file.get_tensor(key) for key in file.keys() if wanted(key)}  # noqa: SIM118 - no mapping
    return tensors


def _settings(folder: Path, file: str) -> dict[str, Any]:
    with _as_broken(folder, file):
        return read_object(folder / file)


def _told(folder: Path, work: Callable[..., _Value], *values: Any) -> _Value:
    """What `work` returns; what is the matter with the model, as an error about its folder."""
    with _as_broken(folder):
        return work(*values)


@contextmanager
def _as_broken(folder: Path, file: str = "") -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        words = f"it says nothing of {error}" if isinstance(error, KeyError) else explained(error)
        raise ModelBrokenError(folder, f"{file}: {words}" if file else words) from error
    except EngineError as error:
        if error.code in ("checkpoint_missing", "weights_missing", "checkpoint_unreadable"):
            raise ModelBrokenError(folder, error.text) from error
        raise
