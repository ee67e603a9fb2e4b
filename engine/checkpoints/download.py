"""`pull`: a published checkpoint from its server into the user's models folder, as a model that is ready to run.

The authors' own file is the default form: it is the only one that holds CLAP's audio tower, without which candidates
are not ranked and `--like` and `vary` do not work; and all six checkpoints exist in it. The diffusers form is smaller.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from engine.checkpoints.catalogue import discard_downloads, downloads_folder, models_folder
from engine.checkpoints.convert import import_checkpoint
from engine.checkpoints.download_errors import (
    DownloadStoppedError,
    DownloadUnwritableError,
    PullRunningError,
)
from engine.checkpoints.hub_listing import list_snapshot
from engine.checkpoints.published import (
    DIFFUSERS,
    ORIGINAL,
    CheckpointForm,
    Published,
    RemoteFile,
    hub,
    refuse_offline,
    zenodo,
)
from engine.checkpoints.transfer import Received, RetryLimits, ask, fetch
from engine.errors import CheckpointError, ModelDiskFullError, OutputExistsError

OnProgress = Callable[[float, str], None]  # share of the whole, 0 to 1; the current activity

_DOWNLOADED = 0.85  # of the time; the import takes the rest
_BYTES_PER_PARAMETER = 4  # of the imported model, at most
_LIMITS = RetryLimits()


@dataclass(frozen=True)
class _DownloadPlan:
    """What is to be fetched, and from where in words."""

    files: tuple[RemoteFile, ...]
    origin: str
    num_bytes: int  # of all files; estimated where no server reports it


def pull(
    published: Published,
    models_dir: Path | None = None,
    *,
    form: CheckpointForm = ORIGINAL,
    revision: str | None = None,
    keep_download: bool = False,
    on_progress: OnProgress | None = None,
    limits: RetryLimits = _LIMITS,
) -> Path:
    """Fetch `published`, import it, and delete the download unless it is to be kept; return the model's folder.

    `revision` names a commit of the diffusers form; without it the newest is looked up and recorded. An
    interrupted download is kept, and the next call resumes it.

    Raises:
        DownloadError: as its branches say; DownloadStoppedError on Ctrl-C.
        ModelDiskFullError: the download and the model do not fit.
        OutputExistsError: a model of that name is installed.
        CheckpointError: the download is not the checkpoint it should be; nothing was installed.
    """
    refuse_offline()
    show = on_progress or (lambda _share, _text: None)
    root = models_dir or models_folder()
    if os.path.lexists(root / published.name):
        raise OutputExistsError(root / published.name)
    if form == DIFFUSERS:
        published.diffusers()
    folder = downloads_folder(root) / published.name / form
    require_space(folder, published.about_bytes if form == ORIGINAL else 0, published)
    try:
        with alone(folder, published.name):
            plan = _plan(published, form, revision, limits)
            require_space(folder, plan.num_bytes, published)
            received = _fetch_all(plan, folder, show, limits)
            installed = _install(plan, received, folder, published, root, show)
    except KeyboardInterrupt:
        raise DownloadStoppedError(published.name) from None
    if not keep_download:
        discard_downloads(published.name, root)
    return installed


def require_space(folder: Path, download_bytes: int, published: Published) -> None:
    """Raises ModelDiskFullError unless the rest of the download, and the model made of it, fit."""
    require_room(folder, download_bytes, published.parameters * _BYTES_PER_PARAMETER)


def require_room(folder: Path, download_bytes: int, more_bytes: int = 0) -> None:
    """Raises ModelDiskFullError unless the rest of the download, and so many more bytes, fit."""
    arrived = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    needed = max(download_bytes - arrived, 0) + more_bytes
    disk = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(disk).free
    if free < needed:
        raise ModelDiskFullError(disk, needed, free)


def _plan(published: Published, form: CheckpointForm, revision: str | None, limits: RetryLimits) -> _DownloadPlan:
    """Look up what is to be fetched: sizes and checksums from the servers, the commit of a diffusers folder."""
    if form == DIFFUSERS:
        repository = published.diffusers()
        snapshot = list_snapshot(repository, revision or published.revision, hub(), limits.timeout_s)
        origin = f"{hub()}/{repository} at {snapshot.commit}"
        return _DownloadPlan(snapshot.files, origin, sum(file.size or 0 for file in snapshot.files))
    checkpoint = _looked_up(published, limits)
    return _DownloadPlan(
        (*published.tokenizer_files(), checkpoint), checkpoint.url, checkpoint.size or published.about_bytes
    )


def _looked_up(published: Published, limits: RetryLimits) -> RemoteFile:
    """The original file with the size and MD5 that Zenodo's record names, where the table has none."""
    known = published.original
    record = ask(f"{zenodo()}/api/records/{published.record}", limits.timeout_s)
    files = record.get("files") if isinstance(record, dict) else None
    for entry in files if isinstance(files, list) else ():
        if isinstance(entry, dict) and entry.get("key") == published.file:
            kind, _, checksum = str(entry.get("checksum")).partition(":")
            md5 = checksum if kind == "md5" else None
            return replace(known, size=known.size or entry.get("size"), md5=known.md5 or md5)
    return known


def _fetch_all(plan: _DownloadPlan, folder: Path, show: OnProgress, limits: RetryLimits) -> list[Received]:
    received: list[Received] = []
    done = 0

    def on_bytes(arrived: int, _total: int | None, trouble: str) -> None:
        so_far = done + arrived
        text = trouble or f"downloading, {so_far / 1e6:.0f} of {plan.num_bytes / 1e6:.0f} MB"
        show(_DOWNLOADED * min(so_far / max(plan.num_bytes, 1), 1.0), text)

    for remote in plan.files:
        received.append(fetch(remote, folder, on_bytes, limits))
        done += received[-1].path.stat().st_size
    return received


def _install(
    plan: _DownloadPlan, received: list[Received], folder: Path, published: Published, root: Path, show: OnProgress
) -> Path:
    """Import the download; files without a known checksum are deleted if they turn out to be no checkpoint."""
    single = received[-1].path.suffix == ".ckpt"
    path = received[-1].path if single else folder
    source = f"{plan.origin}, sha256 {received[-1].sha256}" if single else plan.origin

    def on_progress(share: float, text: str) -> None:
        show(_DOWNLOADED + (1 - _DOWNLOADED) * share, text)

    try:
        return import_checkpoint(
            path, published.name, root, source=source, tokenizer=folder if single else None, on_progress=on_progress
        )
    except CheckpointError:
        if not all(file.checked for file in received):
            discard_downloads(published.name, root)
        raise


@contextmanager
def alone(folder: Path, name: str) -> Iterator[None]:
    """Raises PullRunningError while another process does the same."""
    lock = FileLock(folder.parent / f"{folder.name}.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise PullRunningError(name) from error
    except OSError as error:
        raise DownloadUnwritableError(folder, error) from error
    try:
        yield
    finally:
        lock.release()
