"""Foreign files -> tensors by name; a file may be malicious, so none of its code is ever run.

Pickles are read with `weights_only`, memory-mapped: a tensor is read from disk when it is used, not before.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from safetensors import SafetensorError
from torch import Tensor

from engine.checkpoints.file_kinds import kind_of
from engine.checkpoints.foreign_names import EMA_OF, OLD_VAE_ATTENTION, STRAYS, UNET_EMA, VAE, WRAPPERS, CheckpointForm
from engine.checkpoints.import_errors import CheckpointMissingError, CheckpointUnreadableError, WeightsMissingError
from engine.checkpoints.model_files import explained, open_plain, read_object
from engine.checkpoints.pickles import unpickled
from engine.checkpoints.shards import find_weights
from engine.checkpoints.tensor_file import load_tensors

_INSIDE = (
    "state_dict",
    "model_state_dict",
    "model",
    "module",
    "weights",
    "net",
    "params",
    "ema",
)  # where training programs keep tensors
_DEPTH = 4  # of dictionaries in each other
_TIES = 4  # times that the tensors of a file may have its size: some share their numbers, and some are repeated
_BLOCK = 1 << 24  # bytes hashed at once


@dataclass
class Weights:
    """The tensors of one part under their foreign names, less the prefix that the part has in its file."""

    part: str  # what to call it in an error
    tensors: Mapping[str, Tensor]
    form: CheckpointForm
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
        """Return names in these groups of layers that are neither used nor known strays."""
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


def read_tensors(*paths: Path) -> dict[str, Tensor]:
    """The tensors in one file, or in several that belong together, whatever they are called and wrapped in.

    Raises:
        CheckpointMissingError, CheckpointUnreadableError, CheckpointUnsafeError: they cannot be used.
    """
    tensors: dict[str, Tensor] = {}
    for path in paths:
        tensors.update(_read_file(path))
    return _unwrapped(tensors)


def _read_file(path: Path) -> dict[str, Tensor]:
    kind = kind_of(path)
    if kind == "safetensors":
        try:
            return load_tensors(path)
        except OSError as error:
            raise CheckpointUnreadableError(path, error.strerror or str(error)) from error
        except (SafetensorError, KeyError, ValueError, TypeError) as error:  # whose words are about its own code
            raise CheckpointUnreadableError(path, "it is cut off or damaged") from error
        except RuntimeError as error:  # the system's own words, of memory
            hint = "close other programs, or import it on a machine with more memory"
            raise CheckpointUnreadableError(path, str(error), hint) from error
    tensors = _largest_dictionary(unpickled(path, kind), _DEPTH)
    if not tensors:
        raise CheckpointUnreadableError(
            path,
            "it holds no tensors by name",
            "give a checkpoint of the whole model, not of its optimiser or settings",
        )
    _require_backed(path, tensors)
    return tensors


def _largest_dictionary(values: Any, depth: int) -> dict[str, Tensor]:
    """The tensors by name in a dictionary, or in those inside it that training programs keep them in."""
    if not isinstance(values, dict):
        return {}
    found = [{name: value for name, value in values.items() if isinstance(name, str) and isinstance(value, Tensor)}]
    if depth:
        found += [_largest_dictionary(values[key], depth - 1) for key in _INSIDE if isinstance(values.get(key), dict)]
    return max(found, key=len)


def _require_backed(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raises CheckpointUnreadableError where the tensors claim many more numbers than the file holds."""
    claimed, size = sum(tensor.nbytes for tensor in tensors.values()), path.stat().st_size
    if any(tensor.is_meta or tensor.is_sparse or tensor.is_quantized for tensor in tensors.values()):
        raise CheckpointUnreadableError(path, "its tensors are not stored in full", "save it as plain tensors")
    if claimed > _TIES * size + _BLOCK:
        reason = f"its tensors would take {claimed / 1e9:.1f} GB, and the file has {size / 1e9:.3f} GB"
        raise CheckpointUnreadableError(path, reason, "PyTorch writes no such file; use one from its authors")


def _unwrapped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names without what compilers, trainings on several cards and modules around the model put into them."""
    plain = {_without_wrappers(name): tensor for name, tensor in tensors.items()}
    if len(plain) < len(tensors):  # two would have one name
        return tensors
    above = {name[: name.index(VAE)] for name in plain if VAE in name}
    if len(above) == 1 and (prefix := above.pop()):
        return {name.removeprefix(prefix): tensor for name, tensor in plain.items()}
    return plain


def _without_wrappers(name: str) -> str:
    if name.startswith(UNET_EMA):  # whose names have lost their dots
        for wrapper in WRAPPERS[1:]:
            name = name.replace(wrapper, "")
        return name
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def read_folder_part(folder: Path, part: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Config and tensors of one part of a diffusers folder; older names of the same layers become the newer ones.

    Raises:
        CheckpointMissingError, CheckpointUnreadableError, CheckpointUnsafeError, ShardsMissingError: it cannot be used.
    """
    tensors = read_tensors(*find_weights(folder / part))
    for old, new in OLD_VAE_ATTENTION.items():
        tensors = {name.replace(old, new): tensor for name, tensor in tensors.items()}
    return read_settings(folder / part / "config.json"), tensors


def read_settings(path: Path) -> dict[str, Any]:
    """A JSON file of a diffusers folder.

    Raises:
        CheckpointMissingError, CheckpointUnreadableError: it is not there, or no JSON object.
    """
    try:
        return read_object(path)
    except FileNotFoundError as error:
        raise CheckpointMissingError(path) from error
    except (OSError, ValueError) as error:
        raise CheckpointUnreadableError(path, explained(error)) from error


def sha256_of(path: Path, on_share: Callable[[float], None]) -> str:
    """Return the SHA-256 of a file in hexadecimal; `on_share` is called with the share done, and may raise."""
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
    if kind_of(path) != "zip":
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
    with open_plain(path) as file:
        while block := file.read(_BLOCK):
            yield block
