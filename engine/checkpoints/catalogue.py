"""Which models there are: the shipped one, those in the user's models folder, and any folder named by its path."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from platformdirs import user_data_path

from engine.audioldm import AudioLDM
from engine.checkpoints.store import CONFIG_FILE, load_model, read_config
from engine.errors import ModelNotFoundError
from engine.presets import PRESETS, build

SHIPPED_MODELS = Path(__file__).parents[1] / "weights"
_TEST_PRESET = "tiny"  # random weights, never on disk


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
            entries.append(ModelEntry(folder.name, folder, size, read_config(folder).licence, root == SHIPPED_MODELS))
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


def open_model(name: str, device: torch.device | str = "cpu", extra: Path | None = None) -> AudioLDM:
    """Load an installed model by name or path; "tiny" is built with random weights, always the same ones."""
    if name == _TEST_PRESET:
        return build(PRESETS[_TEST_PRESET]).to(device)
    return load_model(find_model(name, extra), device)
