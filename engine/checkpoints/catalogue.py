"""Which models there are: the shipped one, those in the user's models folder, and any folder named by its path.

Knows folders and their config.json, not what is in the weights; so listing models needs no PyTorch.
"""

import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from engine.checkpoints.download_errors import ModelShippedError, NotOursError, RemovalFailedError
from engine.errors import ModelBrokenError, ModelNotFoundError

CONFIG_FILE, CARD_FILE = "config.json", "MODEL_CARD.md"
SHIPPED_MODELS = Path(__file__).parents[1] / "weights"


@dataclass(frozen=True)
class ModelEntry:
    """One installed model."""

    name: str
    folder: Path
    size_bytes: int
    licence: str
    shipped: bool


def models_folder() -> Path:
    """Where the user's models lie; the environment variable RETAKE_MODELS moves it."""
    return Path(os.environ.get("RETAKE_MODELS") or user_data_path("retake", appauthor=False) / "models")


def downloads_folder(models_dir: Path) -> Path:
    """Where downloads lie until they are imported; hidden, and no model itself."""
    return models_dir / ".downloads"


def list_models(extra: Path | None = None) -> list[ModelEntry]:
    """The installed models, the shipped one first."""
    entries = []
    for root in (SHIPPED_MODELS, extra or models_folder()):
        for config in sorted(root.glob(f"[!.]*/{CONFIG_FILE}")):
            folder = config.parent
            size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
            entries.append(ModelEntry(folder.name, folder, size, read_json(folder)["licence"], root == SHIPPED_MODELS))
    return entries


def find_model(name: str, extra: Path | None = None) -> Path:
    """The folder of a model by its name, or a path to one.

    Raises:
        ModelNotFoundError: neither an installed name nor a folder with a config.
    """
    entries = list_models(extra)
    for entry in entries:
        if entry.name == name:
            return entry.folder
    path = Path(name).expanduser()
    if (path / CONFIG_FILE).is_file():
        return path
    raise ModelNotFoundError(name, [entry.name for entry in entries])


def find_own(name: str, extra: Path | None = None) -> list[Path]:
    """What Retake keeps of `name` in the models folder: the model, what was downloaded of it, or both.

    Raises:
        ModelShippedError, NotOursError: it is not the user's to remove, or not in the models folder.
        ModelNotFoundError: there is nothing.
    """
    root = extra or models_folder()
    model, download = root / name, downloads_folder(root) / name
    plain = name == Path(name).name and name and not name.startswith(".")
    if not plain or model.is_symlink() or download.is_symlink():
        raise NotOursError(name, root)
    if (SHIPPED_MODELS / name / CONFIG_FILE).is_file():
        raise ModelShippedError(name)
    own = [folder for folder, mark in ((model, model / CONFIG_FILE), (download, download)) if mark.exists()]
    if not own:
        raise ModelNotFoundError(name, [entry.name for entry in list_models(root)])
    return own


def remove_model(name: str, extra: Path | None = None) -> None:
    """Delete the model `name` and its downloads; it is gone from the list at once, or not at all.

    Raises:
        as `find_own`; RemovalFailedError: the system refused.
    """
    root = extra or models_folder()
    own = find_own(name, root)
    if root / name in own:
        download = downloads_folder(root) / name
        try:
            download.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(download / "removed", ignore_errors=True)
            os.replace(root / name, download / "removed")
        except OSError as error:
            raise RemovalFailedError(root / name, error) from error
    discard_downloads(name, root)


def discard_downloads(name: str, models_dir: Path) -> None:
    """Delete what has been downloaded of the published checkpoint `name`; not the model that was made of it."""
    shutil.rmtree(downloads_folder(models_dir) / name, ignore_errors=True)
    with suppress(OSError):  # others lie there still
        downloads_folder(models_dir).rmdir()


def read_json(folder: Path) -> dict[str, Any]:
    """The config of the model in `folder` as plain values.

    Raises:
        ModelBrokenError: it is missing, or no JSON.
    """
    try:
        values: dict[str, Any] = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelBrokenError(folder, f"{CONFIG_FILE}: {error}") from error
    if not isinstance(values, dict) or "licence" not in values:
        raise ModelBrokenError(folder, f"{CONFIG_FILE} names no licence")
    return values
