"""Which models there are: the shipped one, those in the user's models folder, and any folder named by its path.

Knows folders and their config.json, not what is in the weights; so listing models needs no PyTorch.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

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


def list_models(extra: Path | None = None) -> list[ModelEntry]:
    """The installed models, the shipped one first."""
    entries = []
    for root in (SHIPPED_MODELS, extra or models_folder()):
        for config in sorted(root.glob(f"*/{CONFIG_FILE}")):
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
