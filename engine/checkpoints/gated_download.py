"""`pull` of a model that the Hub gives only to accounts that accepted its terms, with the user's own token.

The token is that of HF_TOKEN or of `hf auth login`. It goes to the Hub and to no server that the Hub sends us to.
"""

import os
import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from huggingface_hub import get_token

from engine.checkpoints.catalogue import discard_downloads, downloads_folder, models_folder
from engine.checkpoints.download import OnProgress, alone, require_room
from engine.checkpoints.download_errors import (
    DownloadRefusedError,
    DownloadStoppedError,
    DownloadUnwritableError,
    ModelGatedError,
    WrongFileError,
)
from engine.checkpoints.hub_listing import list_snapshot
from engine.checkpoints.published import RemoteFile, hub, refuse_offline
from engine.checkpoints.stable_audio import read_stable_audio_config
from engine.checkpoints.stable_audio_folders import AUTHORS_FILE, TEXT_FOLDER
from engine.checkpoints.stable_audio_offers import PublishedStableAudio
from engine.checkpoints.transfer import RetryLimits, fetch
from engine.errors import ModelBrokenError, OutputExistsError

_LIMITS = RetryLimits()
_NEEDS_ACCESS = (401, 403)
_WANTED = re.compile(
    rf"{re.escape(AUTHORS_FILE)}|model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json"
    rf"|{TEXT_FOLDER}/[\w.-]+\.(json|safetensors|model|txt)|(LICENSE|NOTICE|README)[\w.-]*"
)


def pull_stable_audio(
    offer: PublishedStableAudio,
    models_dir: Path | None = None,
    *,
    revision: str | None = None,
    on_progress: OnProgress | None = None,
    limits: RetryLimits = _LIMITS,
) -> Path:
    """Fetch the files of `offer` into the models folder, each checked against the Hub's list; return their folder.

    `revision` names a commit; without it the newest is taken. An interrupted download is kept, and the next call
    resumes it.

    Raises:
        ModelGatedError: the Hub does not give it to this account, or to nobody in particular.
        DownloadError: as its branches say; DownloadStoppedError on Ctrl-C.
        ModelDiskFullError: it does not fit.
        OutputExistsError: a model of that name is installed.
        ModelBrokenError: the files are no such model; nothing was installed.
    """
    refuse_offline()
    show = on_progress or (lambda _share, _text: None)
    root = models_dir or models_folder()
    target = root / offer.name
    if os.path.lexists(target):
        raise OutputExistsError(target)
    folder = downloads_folder(root) / offer.name / "files"
    require_room(folder, offer.about_bytes)
    try:
        with alone(folder, offer.name):
            files = _listed(offer, revision or offer.revision, limits)
            require_room(folder, sum(file.size or 0 for file in files))
            _fetch_all(offer, files, folder, show, limits)
            _install(folder, target)
    except KeyboardInterrupt:
        raise DownloadStoppedError(offer.name) from None
    finally:
        if target.exists():
            discard_downloads(offer.name, root)
    return target


def _listed(offer: PublishedStableAudio, revision: str, limits: RetryLimits) -> list[RemoteFile]:
    """The files of one commit, small ones first: whoever has no access learns it at once."""
    token = get_token()
    try:
        snapshot = list_snapshot(offer.hub, revision, hub(), limits.timeout_s, _choose, token)
    except DownloadRefusedError as error:
        raise _explained(error, offer, token) from error
    names = {file.name for file in snapshot.files}
    if AUTHORS_FILE not in names or not any(name.startswith("model") and name.endswith("tensors") for name in names):
        raise WrongFileError(f"{hub()}/{offer.hub}", "a list of other files", f"{AUTHORS_FILE} and model.safetensors")
    return sorted((replace(file, token=token) for file in snapshot.files), key=lambda file: file.size or 0)


def _choose(names: Collection[str]) -> list[str]:
    return [name for name in sorted(names) if _WANTED.fullmatch(name)]


def _explained(error: DownloadRefusedError, offer: PublishedStableAudio, token: str | None) -> DownloadRefusedError:
    """The same error; where access is what is missing, one that says how to get it."""
    if error.status not in _NEEDS_ACCESS:
        return error
    return ModelGatedError(offer.name, f"{hub()}/{offer.hub}", error.status, has_token=token is not None)


def _fetch_all(
    offer: PublishedStableAudio, files: list[RemoteFile], folder: Path, show: OnProgress, limits: RetryLimits
) -> None:
    total, done = max(1, sum(file.size or 0 for file in files)), 0

    def on_bytes(arrived: int, _total: int | None, trouble: str) -> None:
        text = trouble or f"downloading, {(done + arrived) / 1e6:.0f} of {total / 1e6:.0f} MB"
        show(min((done + arrived) / total, 1.0), text)

    for remote in files:
        try:
            done += fetch(remote, folder, on_bytes, limits).path.stat().st_size
        except DownloadRefusedError as error:
            raise _explained(error, offer, remote.token) from error


def _install(folder: Path, target: Path) -> None:
    """Give the complete download its name. What turns out to be no such model is deleted."""
    for mark in folder.rglob("*.tag"):
        mark.unlink()
    try:
        read_stable_audio_config(folder)
    except ModelBrokenError:
        discard_downloads(target.name, target.parent)
        raise
    try:
        os.replace(folder, target)
    except OSError as error:
        raise DownloadUnwritableError(target, error) from error
