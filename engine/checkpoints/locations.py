"""Finding a checkpoint from a path: a file, a diffusers folder, or a copy in the Hub's cache."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from engine.checkpoints.file_kinds import holds_weights
from engine.checkpoints.import_errors import CheckpointMissingError

INDEX = "model_index.json"
PARTS = ("unet", "vae", "vocoder", "text_encoder")
_CACHED = re.compile(r"models--(?P<owner>.+?)--(?P<name>.+)")
_ENDINGS = (".ckpt", ".safetensors", ".pt", ".pth", ".bin")


@dataclass(frozen=True)
class Location:
    """`path` is the file or folder to read, `repository` what it is a copy of on the Hub, where that is known."""

    path: Path
    repository: str | None = None


def locate(path: Path) -> Location:
    """Follow a path to the checkpoint that it means.

    Raises:
        CheckpointMissingError: there is none; the hint names what could be meant.
    """
    whole = Path(os.path.abspath(os.path.expanduser(path)))
    repository = _repository_above(whole)
    for part in (whole, whole.parent):
        if part.name in PARTS and os.path.isfile(part.parent / INDEX):
            raise CheckpointMissingError(path, f"it is a part of one: give the folder above, {part.parent}")
    if os.path.isfile(whole):
        if whole.name == INDEX:
            return Location(whole.parent, repository)
        return Location(_link_to(whole) if repository else whole, repository)
    if not os.path.isdir(whole):
        return Location(path, repository)  # its content decides
    if not os.path.isfile(whole / INDEX) and repository:
        whole = _snapshot_of(whole)
    if os.path.isfile(whole / INDEX):
        return Location(whole, repository)
    if files := _checkpoints_in(whole):
        if len(files) == 1:
            return Location(files[0], repository)
        raise CheckpointMissingError(path, f"give one of the files in it: {', '.join(file.name for file in files[:5])}")
    raise CheckpointMissingError(path, _advice(whole))


def _advice(folder: Path) -> str | None:
    """What a folder lacks, or what in it could be meant; None where nothing can be guessed."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return None
    if set(PARTS) <= set(names):
        return f"the parts are there, and {INDEX} is missing: download that, too"
    copies = [name for name in names if _CACHED.fullmatch(name)]
    return f"give one of the copies in it: {', '.join(copies[:5])}" if copies else None


def _repository_above(path: Path) -> str | None:
    """Return the Hub repository whose cached copy this path is, or is in."""
    for folder in (path, *path.parents):
        if match := _CACHED.fullmatch(folder.name):
            return f"{match['owner']}/{match['name']}"
    return None


def _cache_folder(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if _CACHED.fullmatch(folder.name))


def _snapshot_of(path: Path) -> Path:
    """Return the snapshot that a cached repository's folder refers to: the main branch's, or the newest."""
    top = _cache_folder(path)
    snapshots = top / "snapshots"
    if path not in (top, snapshots, top / "blobs", top / "refs") or not os.path.isdir(snapshots):
        return path
    try:
        main = (top / "refs" / "main").read_text(encoding="ascii", errors="replace").strip()[:100]
        if main and Path(main).name == main and os.path.isdir(snapshots / main):
            return snapshots / main
    except OSError:
        pass  # downloaded by its commit
    copies = [folder for name in os.listdir(snapshots) if os.path.isdir(folder := snapshots / name)]
    return max(copies, key=lambda folder: folder.stat().st_mtime, default=path)


def _link_to(blob: Path) -> Path:
    """The name that a file among the cache's blobs goes by."""
    if blob.parent.name != "blobs":
        return blob
    for folder, _, names in os.walk(blob.parent.parent / "snapshots"):
        for name in names:
            if os.path.realpath(Path(folder) / name) == os.path.realpath(blob):
                return Path(folder) / name
    return blob


def _checkpoints_in(folder: Path) -> list[Path]:
    """Return the files of weights directly in a folder."""
    try:
        files = sorted(folder / name for name in os.listdir(folder) if name.lower().endswith(_ENDINGS))
    except OSError:
        return []
    return [file for file in files if holds_weights(file)]
