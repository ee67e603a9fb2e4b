"""Somebody else's files -> tensors by their names; a file may lie, so nothing of it is ever run.

Pickles are read with `weights_only`, memory-mapped: a tensor is in memory when it is looked at, not before.
"""

import hashlib
import json
import pickle
import re
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, is_zipfile

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engine.checkpoints.foreign_names import EMA_OF, OLD_VAE_ATTENTION, STRAYS, Form
from engine.checkpoints.import_errors import (
    CheckpointMissingError,
    CheckpointUnreadableError,
    CheckpointUnsafeError,
    WeightsMissingError,
)

_STEMS = ("diffusion_pytorch_model", "model", "pytorch_model")  # of the weights in a diffusers folder
_ENDINGS = (".safetensors", ".fp16.safetensors", ".bin")
# Modules in whose classes training programs leave notes: settings, scores, states of callbacks
_BOOKKEEPING = (
    "pytorch_lightning.", "lightning.", "lightning_fabric.", "omegaconf.", "numpy.", "argparse.", "collections.",
    "pathlib.", "datetime.", "typing.",
)  # fmt: skip
_INSIDE = ("state_dict", "model")  # where training programs keep the tensors, among their notes
_BLOCK = 1 << 24  # bytes hashed at once


@dataclass
class Weights:
    """The tensors of one part under their foreign names, less the prefix that the part has in its file."""

    part: str  # what to call it in an error
    tensors: Mapping[str, Tensor]
    form: Form
    prefix: str = ""
    averaged: str | None = None  # prefix of the moving average, whose names have lost their dots
    used: set[str] = field(default_factory=set)

    def get(self, name: str) -> Tensor | None:
        """The tensor of that name; weight norm (Salimans and Kingma 2016) is folded into the weight that it means."""
        self.used.add(name)
        if self.averaged is not None:
            return self.tensors.get(self.averaged + (EMA_OF + name).replace(".", ""))
        found = self.tensors.get(self.prefix + name)
        return self._fold(name) if found is None and name.endswith(".weight") else found

    def size(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor that has to be there.

        Raises:
            WeightsMissingError: it is not.
        """
        found = self.get(name)
        if found is None:
            raise WeightsMissingError(self.part, [self.prefix + name])
        return tuple(found.shape)

    def unused(self, *groups: str) -> list[str]:
        """Names in these groups of layers that nobody asked for and that are no strays."""
        names = (name.removeprefix(self.prefix) for name in self.tensors if name.startswith(self.prefix))
        return sorted(
            name
            for name in names
            if name.startswith(groups) and name not in self.used and not any(stray in name for stray in STRAYS)
        )

    def _fold(self, name: str) -> Tensor | None:
        layer = self.prefix + name.removesuffix(".weight")
        for length, direction in (("weight_g", "weight_v"), (f"{_PARAMETRISED}0", f"{_PARAMETRISED}1")):
            g, v = self.tensors.get(f"{layer}.{length}"), self.tensors.get(f"{layer}.{direction}")
            if g is not None and v is not None:
                self.used |= {f"{layer}.{kind}".removeprefix(self.prefix) for kind in (length, direction)}
                norm = v.float().flatten(1).norm(dim=1).reshape(-1, *[1] * (v.ndim - 1))
                folded: Tensor = v.float() * (g.float() / norm)
                return folded.to(v.dtype)
        return None


_PARAMETRISED = "parametrizations.weight.original"  # what newer versions of torch call the two factors


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors in a .ckpt, .pt, .bin or .safetensors file; of {"state_dict": …} or {"model": …} what is inside.

    Raises:
        CheckpointMissingError, CheckpointUnreadableError, CheckpointUnsafeError: it cannot be used.
    """
    if not path.is_file():
        raise CheckpointMissingError(path)
    if path.suffix == ".safetensors":
        try:
            return dict(load_file(path))
        except (OSError, SafetensorError) as error:
            raise CheckpointUnreadableError(path, str(error)) from error
    values = _unpickled(path)
    inside = next((values[key] for key in _INSIDE if key in values), values) if isinstance(values, dict) else None
    tensors = {k: v for k, v in inside.items() if isinstance(v, Tensor)} if isinstance(inside, dict) else {}
    if not tensors:
        raise CheckpointUnreadableError(path, "it holds no tensors by name")
    return tensors


def read_folder_part(folder: Path, part: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Config and tensors of one part of a diffusers folder; older names of the same layers become the newer ones.

    Raises:
        CheckpointMissingError, CheckpointUnreadableError, CheckpointUnsafeError: it cannot be used.
    """
    tensors = read_tensors(find_weights(folder / part))
    for old, new in OLD_VAE_ATTENTION.items():
        tensors = {name.replace(old, new): tensor for name, tensor in tensors.items()}
    return read_settings(folder / part / "config.json"), tensors


def find_weights(folder: Path) -> Path:
    """The file with the weights of one part of a diffusers folder."""
    names = [stem + ending for ending in _ENDINGS for stem in _STEMS]
    return next((folder / name for name in names if (folder / name).is_file()), folder / names[0])


def read_settings(path: Path) -> dict[str, Any]:
    """A JSON file of a diffusers folder."""
    if not path.is_file():
        raise CheckpointMissingError(path)
    try:
        values = json.loads(path.read_bytes())
    except ValueError as error:
        raise CheckpointUnreadableError(path, str(error)) from error
    if not isinstance(values, dict):
        raise CheckpointUnreadableError(path, "it is no JSON object")
    return values


def sha256_of(path: Path, on_share: Callable[[float], None]) -> str:
    """The fingerprint of a file, in hexadecimal; `on_share` hears how much of it is done, and may raise."""
    digest, size, done = hashlib.sha256(), max(path.stat().st_size, 1), 0
    for block in _blocks(path):
        digest.update(block)
        done += len(block)
        on_share(done / size)
    return digest.hexdigest()


def check_records(path: Path, on_share: Callable[[float], None]) -> None:
    """Compare every record of a zipped checkpoint with its checksum; the tensors are read without that.

    Raises:
        CheckpointUnreadableError: it was damaged on its way.
    """
    if not is_zipfile(path):
        return
    with ZipFile(path) as archive:
        records = archive.infolist()
        size, done = max(sum(record.file_size for record in records), 1), 0
        for record in records:
            try:
                with archive.open(record) as file:
                    while block := file.read(_BLOCK):
                        done += len(block)
                        on_share(done / size)
            except (BadZipFile, OSError, EOFError) as error:
                raise CheckpointUnreadableError(path, f"it is damaged: {error}") from error


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _unpickled(path: Path) -> Any:
    """What is in a pickle, if it is nothing but tensors, numbers, words and containers.

    The notes of training programs (settings, states of callbacks) are read as hollow objects, without their code.
    """
    asked = _code_asked_for(path)
    if not all(name.startswith(_BOOKKEEPING) for name in asked):
        raise CheckpointUnsafeError(path, asked)
    hollow: list[Any] = [(_hollow(name), name) for name in asked]
    try:
        with torch.serialization.safe_globals(hollow), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about pickles that torch has not written
            return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zipfile(path))
    except pickle.UnpicklingError as error:  # its words advise to read the file unsafely; ours do not
        if asked := re.findall(r"GLOBAL ([\w.]+)", str(error)):
            raise CheckpointUnsafeError(path, asked[:1]) from error
        raise CheckpointUnreadableError(path, "it is no file of PyTorch's") from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise CheckpointUnreadableError(path, _first_sentence(error)) from error


def _code_asked_for(path: Path) -> list[str]:
    """Functions and classes that a pickle would call and that are not on PyTorch's list of harmless ones."""
    if not is_zipfile(path):
        return []
    try:
        return list(torch.serialization.get_unsafe_globals_in_checkpoint(path))
    except Exception as error:  # a scan of arbitrary bytes may fail in any way
        raise CheckpointUnreadableError(path, _first_sentence(error)) from error


def _hollow(name: str) -> type:
    """A class that takes anything and does nothing; the unpickler fills only dictionaries that it knows."""
    if name.endswith("Dict"):
        return OrderedDict

    def swallow(self: object, *_: object, **__: object) -> None:
        del self

    return type(name.rpartition(".")[2], (), {"__init__": swallow, "__setstate__": swallow})


def _first_sentence(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "it is empty, or ends too early"
    said = re.sub(r"^\[enforce fail at [^]]*\][ .]*", "", str(error).strip()) or type(error).__name__
    return said.splitlines()[0].split(". ")[0]
