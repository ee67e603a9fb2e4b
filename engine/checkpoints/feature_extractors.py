"""The nets whose features the field compares sounds by: where their weights are, and how they are fetched.

They make no sound and are no models of Retake; `retake evaluate --features panns,vggish` needs them. Nothing here needs
PyTorch.
"""

import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from engine.checkpoints.catalogue import models_folder
from engine.checkpoints.download_errors import DownloadDamagedError, DownloadUnwritableError, PullRunningError
from engine.checkpoints.published import RemoteFile, refuse_offline, zenodo
from engine.checkpoints.transfer import RetryLimits, fetch

OnProgress = Callable[[float, str], None]  # share of the whole, 0 to 1; the current activity

_LIMITS = RetryLimits()
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8})\.pth$")  # torch.hub's habit: the beginning of the SHA-256


@dataclass(frozen=True)
class PublishedExtractor:
    """A net with its files, the weights first; `about_bytes` counts all of them."""

    name: str
    licence: str
    about_bytes: int
    files: tuple[str, ...]

    def remotes(self) -> tuple[RemoteFile, ...]:
        """Where the files are; RETAKE_ZENODO_URL and RETAKE_VGGISH_URL name mirrors."""
        return tuple(_remote(file) for file in self.files)


PANNS = PublishedExtractor("panns", "CC BY 4.0", 340_000_000, ("Cnn14_16k_mAP=0.438.pth",))
VGGISH = PublishedExtractor(
    "vggish", "Apache-2.0", 288_749_295, ("vggish-10086976.pth", "vggish_pca_params-970ea276.pth")
)
EXTRACTORS = (PANNS, VGGISH)


def find_extractor(name: str, rows: Sequence[PublishedExtractor] = EXTRACTORS) -> PublishedExtractor | None:
    """The net of that name, None if there is none."""
    return next((extractor for extractor in rows if extractor.name == name), None)


def extractors_folder() -> Path:
    """Return the folder of the weights, in the models folder; hidden, and no model itself."""
    return models_folder() / ".listeners"


def installed_files(extractor: PublishedExtractor, folder: Path | None = None) -> list[Path]:
    """Its files that are here, those of a pull that broke off included."""
    folder = folder or extractors_folder()
    arriving = folder / ".arriving" / extractor.name
    whole = [folder / remote.name for remote in extractor.remotes()]
    return [path for path in whole if path.exists()] + [path for path in arriving.rglob("*") if path.is_file()]


def remove_extractor(extractor: PublishedExtractor, folder: Path | None = None) -> None:
    """Delete its files; a pull that runs is not disturbed.

    Raises:
        PullRunningError: it is being fetched.
    """
    folder = folder or extractors_folder()
    lock = FileLock(folder / f".{extractor.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise PullRunningError(extractor.name) from error
    try:
        for path in installed_files(extractor, folder):
            path.unlink()
        shutil.rmtree(folder / ".arriving" / extractor.name, ignore_errors=True)
    finally:
        lock.release()


def pull_extractor(
    extractor: PublishedExtractor,
    folder: Path | None = None,
    *,
    on_progress: OnProgress | None = None,
    limits: RetryLimits = _LIMITS,
) -> Path:
    """Fetch the missing files of a net; return their folder. An interrupted download is resumed by the next call.

    Raises:
        DownloadError: as its branches say.
    """
    refuse_offline()
    folder = folder or extractors_folder()
    lock = FileLock(folder / f".{extractor.name}.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise PullRunningError(extractor.name) from error
    except OSError as error:
        raise DownloadUnwritableError(folder, error) from error
    try:
        _fetch_missing(extractor, folder, on_progress or (lambda _share, _text: None), limits)
    finally:
        lock.release()
    return folder


def _fetch_missing(extractor: PublishedExtractor, folder: Path, show: OnProgress, limits: RetryLimits) -> None:
    done, arriving = 0, folder / ".arriving" / extractor.name

    def on_bytes(arrived: int, _total: int | None, trouble: str) -> None:
        so_far, whole = done + arrived, extractor.about_bytes
        show(min(so_far / whole, 1.0), trouble or f"downloading, {so_far / 1e6:.0f} of {whole / 1e6:.0f} MB")

    for remote in extractor.remotes():
        path = folder / remote.name
        if not path.exists():
            received = fetch(remote, arriving, on_bytes, limits)
            named = _HASH_IN_NAME.search(remote.name)
            if named and not received.sha256.startswith(named[1]):
                received.path.unlink()
                raise DownloadDamagedError(remote.name, "SHA-256", received.sha256, f"{named[1]}…")
            os.replace(received.path, path)
        done += path.stat().st_size
    shutil.rmtree(arriving, ignore_errors=True)


def _remote(file: str) -> RemoteFile:
    if file in PANNS.files:
        url = f"{zenodo()}/records/3987831/files/{file.replace('=', '%3D')}?download=1"
        sha256 = "e2ee543a27919542c2ea03eabaa70b24dcd4e6c8e05621de6b67a94e4c5058e6"
        return RemoteFile(url, file, sha256=sha256, md5="362fc5ff18f1d6ad2f6d464b45893f2c")
    release = os.environ.get("RETAKE_VGGISH_URL") or "https://github.com/harritaylor/torchvggish/releases/download/v0.1"
    return RemoteFile(f"{release.rstrip('/')}/{file}", file)
