"""Published weights of PANNs and VGGish -> nets; a file may be malicious, so none of its code is ever run."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engine.checkpoints.feature_extractors import PANNS, VGGISH, extractors_folder
from engine.checkpoints.foreign_files import read_tensors
from engine.errors import EngineError
from engine.evaluation.cnn14 import COMPUTED, Cnn14, Cnn14Config
from engine.evaluation.evaluation_errors import ExtractorBrokenError, ExtractorMissingError
from engine.evaluation.vggish import Vggish, VggishConfig

_CONVERTED = ".safetensors"  # the same file in this form is taken first
_RECONSTRUCT = np.core.multiarray._reconstruct  # type: ignore[attr-defined]  # noqa: SLF001
_ARRAYS = (_RECONSTRUCT, np.ndarray, np.dtype, type(np.dtype("f4")), type(np.dtype("f8")))  # numbers, no code


def load_cnn14(folder: Path | None = None, config: Cnn14Config | None = None) -> Cnn14:
    """PANNs' Cnn14 with the weights in `folder`, or in the models folder.

    Raises:
        ExtractorMissingError, ExtractorBrokenError: they are not there, or are not Cnn14's.
    """
    path = _weights_file(PANNS.name, PANNS.files[0], folder)
    tensors = {name: tensor for name, tensor in _tensors(path).items() if not name.startswith(COMPUTED)}
    net = Cnn14(config)
    _fill(net, tensors, path)
    return net


def load_vggish(folder: Path | None = None, config: VggishConfig | None = None, *, released: bool = False) -> Vggish:
    """VGGish with the weights in `folder`, or in the models folder; `released`: with the PCA of the released form.

    Raises:
        ExtractorMissingError, ExtractorBrokenError: they are not there, or are not VGGish's.
    """
    path = _weights_file(VGGISH.name, VGGISH.files[0], folder)
    net = Vggish(config)
    _fill(net, {name: tensor for name, tensor in _tensors(path).items() if not name.startswith("pproc.")}, path)
    if released:
        path = _weights_file(VGGISH.name, VGGISH.files[1], folder)
        arrays = _arrays(path)
        for name, buffer in net.named_buffers():
            if name not in arrays or arrays[name].numel() != buffer.numel():
                raise ExtractorBrokenError(path, f"it has no {name} of {buffer.numel()} numbers")
            buffer.copy_(arrays[name].reshape(buffer.shape))
    return net


def _weights_file(name: str, file: str, folder: Path | None) -> Path:
    where = folder or extractors_folder()
    for candidate in ((where / file).with_suffix(_CONVERTED), where / file):
        if candidate.is_file():
            return candidate
    raise ExtractorMissingError(name, where / file)


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return read_tensors(path)
    except EngineError as error:
        raise ExtractorBrokenError(path, error.text) from error


def _arrays(path: Path) -> dict[str, Tensor]:
    """Tensors of a file in which some are NumPy's."""
    if path.suffix == _CONVERTED:
        return _tensors(path)
    try:
        with torch.serialization.safe_globals([*_ARRAYS]):
            values = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise ExtractorBrokenError(path, f"it holds no arrays ({type(error).__name__})") from error
    found = values if isinstance(values, dict) else {}
    return {str(k): torch.as_tensor(v) for k, v in found.items() if isinstance(v, (np.ndarray, Tensor))}


def _fill(net: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Strictly: every tensor by its name, none left over; counters of batches may be missing."""
    wanted = net.state_dict()
    complete = {name: torch.zeros_like(t) for name, t in wanted.items() if name.endswith("num_batches_tracked")}
    try:
        net.load_state_dict({**complete, **tensors})
    except RuntimeError as error:
        raise ExtractorBrokenError(path, " ".join(str(error).split())[:300]) from error
    if not all(bool(t.isfinite().all()) for t in net.state_dict().values()):
        raise ExtractorBrokenError(path, "it holds weights that are not numbers")
    net.eval().requires_grad_(requires_grad=False)
