"""The catalogue of models: the shipped one, those in the user's models folder, and any folder given by its path.

It reads folders and their config.json, not the weights; so listing models needs no PyTorch.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from engine.checkpoints.download_errors import ModelShippedError, NotOursError, RemovalFailedError
from engine.checkpoints.model_files import explained, read_object
from engine.checkpoints.published import published_as
from engine.checkpoints.stable_audio_folders import SoundShape, holds_stable_audio, shape_of_stable_audio
from engine.checkpoints.stable_audio_offers import stable_audio_as
from engine.errors import ModelBrokenError, ModelNotFoundError
from engine.families.stable_audio.config import LICENCE

CONFIG_FILE, CARD_FILE, WEIGHTS_FILE = "config.json", "MODEL_CARD.md", "model.safetensors"
CONFIG_FORMAT = 1
SHIPPED_MODELS = Path(__file__).parents[1] / "weights"


@dataclass(frozen=True)
class ModelEntry:
    """One installed model."""

    name: str
    folder: Path
    size_bytes: int
    licence: str
    shipped: bool
    sounds: SoundShape | None = None  # None where its config does not say


def models_folder() -> Path:
    """Return the user's models folder; the environment variable RETAKE_MODELS overrides it."""
    return Path(os.environ.get("RETAKE_MODELS") or user_data_path("retake", appauthor=False) / "models")


def downloads_folder(models_dir: Path) -> Path:
    """Return the folder of downloads that are not imported yet; hidden, and no model itself."""
    return models_dir / ".downloads"


@dataclass(frozen=True)
class PassedOver:
    """A folder among the models that cannot be used, and why; the others are not affected."""

    folder: Path
    reason: str


def list_models(extra: Path | None = None) -> list[ModelEntry]:
    """The installed models that can be used, the shipped one first."""
    return look_through(extra)[0]


def look_through(extra: Path | None = None) -> tuple[list[ModelEntry], list[PassedOver]]:
    """Return the installed models, and the folders among them that cannot be used. Never raises."""
    entries, passed_over = [], []
    for root in (SHIPPED_MODELS, extra or models_folder()):
        for found in _look_into(root):
            if isinstance(found, ModelEntry):
                entries.append(found)
            else:
                passed_over.append(found)
    return entries, passed_over


def _look_into(root: Path) -> Iterator[ModelEntry | PassedOver]:
    try:
        names = sorted(name for name in os.listdir(root) if not name.startswith("."))
    except FileNotFoundError:
        return
    except OSError as error:
        yield PassedOver(root, explained(error))
        return
    for folder in (root / name for name in names):
        try:
            if holds_stable_audio(folder):
                shape = shape_of_stable_audio(folder)
                yield ModelEntry(folder.name, folder, _size_of(folder), LICENCE, root == SHIPPED_MODELS, shape)
            elif _claims_to_be_a_model(folder):
                config = _read_config(folder)
                licence, shape = config["licence"], _shape_of(config)
                yield ModelEntry(folder.name, folder, _size_of(folder), licence, root == SHIPPED_MODELS, shape)
        except (OSError, ValueError) as error:
            yield PassedOver(folder, explained(error))


def _claims_to_be_a_model(folder: Path) -> bool:
    """Return whether this is a model, or the remains of one; other files and folders are ignored.

    Raises:
        OSError, ValueError: it cannot be read, or its name cannot be used.
    """
    if not os.path.exists(folder):  # a link that leads nowhere, or in a circle
        raise OSError(None, "it is a link, and what it leads to is not there")
    if not os.path.isdir(folder):
        return False
    inside = set(os.listdir(folder)) & {CONFIG_FILE, WEIGHTS_FILE}
    if inside and not folder.name.isprintable():
        raise ValueError("its name is no text; give the folder another")
    if inside == {WEIGHTS_FILE}:
        raise OSError(None, f"there is no {CONFIG_FILE} beside its {WEIGHTS_FILE}")
    return bool(inside)


def _shape_of(config: Mapping[str, Any]) -> SoundShape | None:
    """What an AudioLDM's config says of its sounds; a latent row is four frames of its log-mel."""
    try:
        mel = config["mel"]
        rate, row_s = int(mel["sample_rate"]), 4 * mel["hop"] / mel["sample_rate"]
        return SoundShape(rate, 1, float(row_s * config["window_rows"]))
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None


def _size_of(folder: Path) -> int:
    """Bytes of the files in a folder and in the parts below it."""
    with suppress(OSError):
        return sum(file.stat().st_size for file in (*folder.glob("*"), *folder.glob("*/*")) if file.is_file())
    return 0


def find_model(name: str, extra: Path | None = None) -> Path:
    """The folder of a model by its name, or a path to one.

    Raises:
        ModelNotFoundError: neither an installed name nor a folder with a config.
        ModelBrokenError: a folder of that name is among the models, but cannot be used.
    """
    entries, passed_over = look_through(extra)
    for entry in entries:
        if entry.name == name:
            return entry.folder
    path = Path(os.path.expanduser(name))
    if os.path.lexists(path / CONFIG_FILE) or holds_stable_audio(path):
        return path
    for broken in passed_over:
        if broken.folder.name == name:
            raise ModelBrokenError(broken.folder, broken.reason)
    raise ModelNotFoundError(name, [entry.name for entry in entries], published_as(name) or stable_audio_as(name))


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
    is_model = os.path.lexists(model / CONFIG_FILE) or holds_stable_audio(model)
    own = [folder for folder, is_own in ((model, is_model), (download, os.path.lexists(download))) if is_own]
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
    with suppress(OSError):  # other files are still in it
        downloads_folder(models_dir).rmdir()


def read_json(folder: Path) -> dict[str, Any]:
    """The config of the model in `folder` as plain values; only format and licence are sure to be there.

    Raises:
        ModelBrokenError: it is missing, or no config.
    """
    try:
        return _read_config(folder)
    except (OSError, ValueError) as error:
        raise ModelBrokenError(folder, explained(error)) from error


def _read_config(folder: Path) -> dict[str, Any]:
    """Raises OSError or ValueError, whose message says what is wrong with it."""
    try:
        values = read_object(folder / CONFIG_FILE)
    except OSError as error:
        raise OSError(None, f"{CONFIG_FILE}: {explained(error)}") from error
    except ValueError as error:
        raise ValueError(f"{CONFIG_FILE}: {error}") from error
    if values.get("format") != CONFIG_FORMAT:
        raise ValueError(f"{CONFIG_FILE} is not in Retake's format {CONFIG_FORMAT}")
    if not isinstance(values.get("licence"), str):
        raise ValueError(f"{CONFIG_FILE} names no licence")  # noqa: TRY004 - a damaged file, not a wrong call
    return values
