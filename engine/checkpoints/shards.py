"""Which files hold the weights of one part of a model: one file or several, in any of the precisions it was saved in.

A name is stem, variant, number of the piece and ending, as diffusers and transformers put them together:
    diffusion_pytorch_model.fp16-00001-of-00003.safetensors, model.non_ema.safetensors, pytorch_model-00001-of-00002.bin
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from engine.checkpoints.file_kinds import holds_weights
from engine.checkpoints.import_errors import CheckpointMissingError, CheckpointUnreadableError, ShardsMissingError
from engine.checkpoints.model_files import explained, read_object

_STEMS = ("diffusion_pytorch_model", "model", "pytorch_model")
_ENDINGS = ("safetensors", "bin", "ckpt", "pt", "pth")
_NAME = re.compile(
    r"(?P<stem>.+?)(?P<variant>\.[\w-]*?\w)??(?:-(?P<number>\d{4,6})-of-(?P<count>\d{4,6})(?P<late>\.\w+)?)?"
    rf"\.(?P<ending>{'|'.join(_ENDINGS)})",
    re.IGNORECASE,
)
_PREFERRED = ("", ".fp32", ".ema")  # other precisions come after these
NON_EMA = ".non_ema"
"""What diffusers calls raw weights that lie beside averaged ones; last of all."""
_INDEX = re.compile(r"(?P<before>.+)\.index(?P<variant>(?:\.\w+)?)\.json", re.IGNORECASE)


@dataclass(frozen=True)
class _Group:
    """Files that hold the same weights together."""

    stem: str
    variant: str
    ending: str
    pieces: int  # 1 for a file by itself

    @property
    def rank(self) -> tuple[int, ...]:
        precision = _PREFERRED.index(self.variant) if self.variant in _PREFERRED else len(_PREFERRED)
        stem = _STEMS.index(self.stem) if self.stem in _STEMS else len(_STEMS)
        return (self.variant == NON_EMA, precision, _ENDINGS.index(self.ending), self.pieces > 1, stem)


def find_weights(folder: Path) -> list[Path]:
    """The files with the weights of one part of a diffusers folder.

    Raises:
        CheckpointMissingError: there are none.
        ShardsMissingError: they are cut into pieces, and not all pieces are there.
    """
    groups = {group: files for group, files in _groups_in(folder).items() if group.stem in _STEMS}
    if not groups:
        if indices := [path for path in _files_in(folder) if _INDEX.fullmatch(path.name)]:
            raise ShardsMissingError(folder, _listed(indices[0]))
        unfinished = [path.name for path in _files_in(folder) if path.suffix in (".incomplete", ".part", ".crdownload")]
        hint = f"the download of {unfinished[0]} was not finished: download it again" if unfinished else None
        raise CheckpointMissingError(
            folder / f"{_STEMS[0]}.safetensors", hint or "download the files of this part, too"
        )
    ranked = sorted(groups, key=lambda group: group.rank)
    whole = [group for group in ranked if not _missing(folder, group, groups[group])]
    usable = [group for group in whole if all(holds_weights(path) for path in groups[group])]
    chosen = (usable or whole or ranked)[0]
    if missing := _missing(folder, chosen, groups[chosen]):
        raise ShardsMissingError(folder, missing)
    return groups[chosen]


def pieces_of(path: Path) -> list[Path]:
    """The file itself, or all that belong together where it is a piece of several, or the index of such.

    Raises:
        ShardsMissingError: not all pieces are there.
    """
    if _INDEX.fullmatch(path.name):
        listed = [path.with_name(name) for name in _listed(path)]
        if missing := [piece.name for piece in listed if not piece.is_file()]:
            raise ShardsMissingError(path.parent, missing)
        return listed
    match = _NAME.fullmatch(path.name)
    if match is None or match["number"] is None:
        return [path]
    for group, files in _groups_in(path.parent).items():
        if path in files:
            if missing := _missing(path.parent, group, files):
                raise ShardsMissingError(path.parent, missing)
            return files
    return [path]


def plain_stem(name: str) -> str:
    """The name of a file of weights without ending, variant and number of the piece."""
    match = _NAME.fullmatch(name)
    return (
        match["stem"]
        if match and match["number"]
        else re.sub(rf"\.({'|'.join(_ENDINGS)})$", "", name, flags=re.IGNORECASE)
    )


def _files_in(folder: Path) -> list[Path]:
    try:
        return sorted(folder / name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return []


def _groups_in(folder: Path) -> dict[_Group, list[Path]]:
    groups: dict[_Group, list[Path]] = {}
    for path in _files_in(folder):
        if match := _NAME.fullmatch(path.name):
            variant = (match["variant"] or match["late"] or "").lower()
            group = _Group(match["stem"].lower(), variant, match["ending"].lower(), int(match["count"] or 1))
            groups.setdefault(group, []).append(path)
    return groups


def _missing(folder: Path, group: _Group, files: list[Path]) -> list[str]:
    """Names of the pieces that are not there, by their numbers and by the index if there is one."""
    if group.pieces == 1:
        return []
    there = {path.name for path in files}
    for path in _files_in(folder):
        match = _INDEX.fullmatch(path.name)
        if match and (listed := _listed(path)) and there & set(listed):
            return [name for name in listed if name not in there]
    numbers = {int(match["number"]) for path in files if (match := _NAME.fullmatch(path.name)) and match["number"]}
    pattern = re.compile(r"-\d+-of-")
    return [pattern.sub(f"-{n:05}-of-", files[0].name) for n in range(1, group.pieces + 1) if n not in numbers]


def _listed(index: Path) -> list[str]:
    """The files that an index names.

    Raises:
        CheckpointUnreadableError: it is no index.
    """
    try:
        names = read_object(index)["weight_map"].values()
        listed = sorted(set(names))
        if all(isinstance(name, str) and Path(name).name == name for name in listed):
            return listed
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        reason = explained(error) if isinstance(error, OSError | ValueError) else "it lists no files of weights"
        raise CheckpointUnreadableError(index, reason) from error
    raise CheckpointUnreadableError(index, "it lists files that lie elsewhere")
