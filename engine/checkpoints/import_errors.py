"""What can go wrong when a foreign checkpoint is imported; a branch of the tree in errors.py.

CheckpointError               a foreign checkpoint that cannot be imported
  CheckpointMissingError
  CheckpointUnreadableError   no checkpoint at all, or one that was cut short
  CheckpointUnsafeError       a pickle that would run code
  CheckpointUnknownError      weights of something that is not AudioLDM
  WeightsMissingError         some of the weights are not there
  WeightsShapeError           some of them have another shape
  ShardsMissingError          some of the files that they were cut into are not there
  WeightsNotFiniteError       some of them are no numbers
  TokenizerMissingError       nothing that turns prompts into tokens
"""

from collections.abc import Iterable
from pathlib import Path

from engine.errors import CheckpointError


class CheckpointMissingError(CheckpointError):
    code = "checkpoint_missing"

    def __init__(self, path: Path, hint: str | None = None) -> None:
        super().__init__(
            f"there is no checkpoint at {path}",
            hint
            or "give a .ckpt or .safetensors file, or a folder in which model_index.json lies, also in the Hub's cache",
        )


class CheckpointUnreadableError(CheckpointError):
    code = "checkpoint_unreadable"

    def __init__(self, path: Path, reason: str, hint: str | None = None) -> None:
        super().__init__(
            f"{path} could not be read as a checkpoint: {reason}",
            hint or "download it again; compare its size and its sha256",
        )


class CheckpointUnsafeError(CheckpointError):
    code = "checkpoint_unsafe"

    def __init__(self, path: Path, names: Iterable[str]) -> None:
        super().__init__(
            f"{path} holds more than weights: reading it would run {_some(names)}, so it was not read",
            "use a file from its authors; of a checkpoint of your own, save the weights alone",
        )


class CheckpointUnknownError(CheckpointError):
    code = "checkpoint_unknown"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} holds no AudioLDM that is known here: {reason}",
            "AudioLDM S, M and L are known, as the original .ckpt or as a diffusers folder",
        )


class WeightsMissingError(CheckpointError):
    code = "weights_missing"

    def __init__(self, part: str, names: Iterable[str], hint: str | None = None) -> None:
        super().__init__(
            f"the checkpoint's {part} is not whole: {_some(names)} missing",
            hint or "download it again, whole; a training has to save the whole model, not some parts of it",
        )


class WeightsShapeError(CheckpointError):
    code = "weights_shape"

    def __init__(self, part: str, differences: Iterable[str]) -> None:
        super().__init__(
            f"the checkpoint's {part} has another shape than AudioLDM's: {_some(differences)}",
            "use one of the published checkpoints, or one trained from their configuration",
        )


class ShardsMissingError(CheckpointError):
    """Weights that were cut into several files, of which not all are there."""

    code = "weights_missing"

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        super().__init__(
            f"the weights in {folder} are cut into several files, and not all are there: {_some(names)} missing",
            "download the missing files into the same folder",
        )


class WeightsNotFiniteError(CheckpointError):
    code = "weights_not_finite"

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(
            f"the checkpoint holds weights that are no numbers (NaN or infinite): {_some(names)}",
            "a training that went wrong leaves such; use an earlier checkpoint, or download it again",
        )


class TokenizerMissingError(CheckpointError):
    code = "tokenizer_missing"

    def __init__(self, where: Path) -> None:
        super().__init__(
            f"{where} has no tokenizer, without which no prompt can be read",
            "put vocab.json and merges.txt of the model roberta-base into a folder and give it as --tokenizer FOLDER",
        )


def _some(names: Iterable[str]) -> str:
    """The first five, and how many more there are."""
    listed = list(names)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")
