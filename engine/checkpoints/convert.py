"""Importing: a foreign AudioLDM checkpoint becomes a model folder, completely or not at all."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from engine.checkpoints.assemble import assemble
from engine.checkpoints.card import model_card
from engine.checkpoints.catalogue import CARD_FILE, CONFIG_FILE, SHIPPED_MODELS, WEIGHTS_FILE, models_folder
from engine.checkpoints.config_json import config_to_json
from engine.checkpoints.foreign import Foreign, Heads, read_foreign, weight_files
from engine.checkpoints.foreign_files import check_records, sha256_of
from engine.checkpoints.import_errors import (
    CheckpointUnknownError,
    TokenizerMissingError,
    WeightsNotFiniteError,
    WeightsShapeError,
)
from engine.checkpoints.locations import locate
from engine.checkpoints.provenance import default_name, licence_of
from engine.checkpoints.store import read_tokenizer
from engine.checkpoints.tensor_file import stored_bytes, write_tensors
from engine.errors import CancelledError, InvalidRequestError, ModelDiskFullError, OutputExistsError, OutputWriteError
from engine.models.clap import ClapConfig
from engine.models.clap_sizes import TEXT_TOWERS
from engine.models.clap_tokenizer import RobertaTokenizer
from engine.presets import PRESETS

OnProgress = Callable[[float, str], None]  # share of the whole, and the current activity

_SMALL_FILES = 8_000_000  # bytes, at most: config, card, tokenizer
_TOKENIZER_FILES = (("tokenizer.json",), ("vocab.json", "merges.txt"))
_NAME = re.compile(r"\w[\w.+-]{0,99}")
_NAME_EXPECTED = "letters, digits, dots, dashes and underscores, 100 at most"


def import_checkpoint(
    path: Path,
    name: str | None = None,
    models_dir: Path | None = None,
    *,
    source: str = "",
    clap: Path | None = None,
    tokenizer: Path | None = None,
    heads: Heads = "original",
    on_progress: OnProgress = lambda _fraction, _text: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Import the original .ckpt or diffusers folder at `path`; return the folder of the new model.

    `clap` supplies missing towers (LAION-CLAP's file, or a transformers folder), `tokenizer` is a
    folder with tokenizer.json, or vocab.json and merges.txt. `source` describes where the files came from; without
    it the path and the SHA-256 are recorded. `heads="diffusers"` computes with diffusers' number of attention heads
    instead of those that the models were trained with. Both callbacks are called often; `on_progress` may raise too.

    Raises:
        CheckpointError: it cannot be imported; nothing was written.
        InvalidRequestError, OutputExistsError: the name cannot be used, or is taken.
        ModelDiskFullError, OutputWriteError: there is no room, or the write failed.
        CancelledError: `should_stop` returned True; no file was left behind.
    """
    watch = _ImportProgress(on_progress, should_stop)
    root = models_dir or models_folder()
    given, location = path, locate(path)
    path = location.path
    folder = root / _checked(name, default_name(path, location.repository), given)
    if os.path.lexists(folder):
        raise OutputExistsError(folder)
    watch.at(0.0, "reading the checkpoint")
    foreign, tensors = _taken_apart(path, clap, heads)
    words = _find_tokenizer(foreign, tokenizer, path)
    _require_space(root, stored_bytes(tensors) + _SMALL_FILES)
    _check_files(weight_files(path), tensors, watch)
    digests = {} if source else _fingerprints(path, watch)
    config = replace(
        foreign.config,
        name=folder.name,
        licence=licence_of(location, folder.name, digests, foreign.config),
        source="; ".join((source or _describe(path, digests), *foreign.remarks)),
    )
    with _new_folder(folder) as staging:
        write_tensors(tensors, staging / WEIGHTS_FILE, watch.part(0.4, 1.0, "writing the model"))
        words.write(staging)
        card = model_card(config, sum(tensor.numel() for tensor in tensors.values()))
        (staging / CARD_FILE).write_text(card, encoding="utf-8", errors="backslashreplace")
        settings = json.dumps(config_to_json(config), indent=1) + "\n"
        (staging / CONFIG_FILE).write_text(settings, encoding="utf-8")
    return folder


def _taken_apart(path: Path, clap: Path | None, heads: Heads) -> tuple[Foreign, dict[str, Tensor]]:
    try:
        foreign = read_foreign(path, clap, heads)
        return foreign, assemble(foreign)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        # Settings and shapes may be anything: if no net can be built from them, this is not AudioLDM.
        said = f" ({error})" if isinstance(error, ValueError | RuntimeError) else ""
        raise CheckpointUnknownError(path, f"no net can be built from its settings and shapes{said}") from error


@dataclass(frozen=True)
class _ImportProgress:
    """Reports progress, and stops on request."""

    on_progress: OnProgress
    should_stop: Callable[[], bool]

    def at(self, fraction: float, text: str) -> None:
        if self.should_stop():
            raise CancelledError
        self.on_progress(fraction, text)

    def part(self, start: float, end: float, text: str) -> Callable[[float], None]:
        """Return a callback that maps the progress of one stage, 0 to 1, to progress of the whole."""
        return lambda share: self.at(start + (end - start) * share, text)


def _checked(given: str | None, default: str, path: Path) -> str:
    """Return the name of the new model: the given one, or the checkpoint's."""
    name = default if given is None else given
    hint = f"`retake models import {path} --name NAME` gives it another"
    if not _NAME.fullmatch(name):
        raise InvalidRequestError("name", name[:120], _NAME_EXPECTED, hint)
    if name in PRESETS or (SHIPPED_MODELS / name).exists():
        raise InvalidRequestError("name", name, "one that Retake does not use itself", hint)
    return name


def _check_files(files: list[Path], tensors: dict[str, Tensor], watch: _ImportProgress) -> None:
    """Look at every byte once: at the checksums of archives, and at the numbers being numbers.

    Raises:
        CheckpointUnreadableError: a file was damaged on its way.
        WeightsNotFiniteError: with the names of our tensors.
    """
    for file in files:
        check_records(file, watch.part(0.05, 0.15, "checking the file"))
    strange = []
    for count, (name, tensor) in enumerate(tensors.items()):
        watch.at(0.15 + 0.05 * count / len(tensors), "checking the file")
        if tensor.is_floating_point() and not bool(tensor.float().isfinite().all()):
            strange.append(name)
    if strange:
        raise WeightsNotFiniteError(strange)


def _find_tokenizer(foreign: Foreign, given: Path | None, path: Path) -> RobertaTokenizer:
    folder = given or foreign.tokenizer
    if folder is None or not any(all(os.path.lexists(folder / name) for name in names) for names in _TOKENIZER_FILES):
        raise TokenizerMissingError(folder or path)
    tokenizer = read_tokenizer(folder)
    assert isinstance(foreign.config.clap, ClapConfig), "foreign checkpoints have LAION's CLAP"
    known = TEXT_TOWERS[foreign.config.clap.text_tower].vocabulary_size
    if tokenizer.vocabulary_size > known:
        raise WeightsShapeError("text tower", [f"{known} tokens, but the tokenizer has {tokenizer.vocabulary_size}"])
    return tokenizer


def _fingerprints(path: Path, watch: _ImportProgress) -> dict[Path, str]:
    """The SHA-256 of every file of weights."""
    files = weight_files(path)
    parts = [watch.part(0.2 + 0.2 * n / len(files), 0.2 + 0.2 * (n + 1) / len(files), "taking the fingerprint")
             for n in range(len(files))]  # fmt: skip
    return {file: sha256_of(file, part) for file, part in zip(files, parts, strict=True)}


def _describe(path: Path, digests: dict[Path, str]) -> str:
    """The path, and the fingerprint of every file of weights."""
    if not path.is_dir() and len(digests) == 1:
        return f"{path}, sha256 {digests[path]}"
    top = path if path.is_dir() else path.parent
    return f"{path}: " + ", ".join(
        f"{file.relative_to(top).as_posix()} sha256 {hex_}" for file, hex_ in digests.items()
    )


def _require_space(root: Path, needed: int) -> None:
    existing = next(folder for folder in (root, *root.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise ModelDiskFullError(root, needed, free)


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that is renamed when everything is written, and removed when anything fails."""
    staging = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".import-", dir=folder.parent))
        yield staging
        staging.chmod(0o755)
        staging.rename(folder)
    except OSError as error:
        if os.path.lexists(folder):
            raise OutputExistsError(folder) from error
        raise OutputWriteError(folder, str(error)) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
