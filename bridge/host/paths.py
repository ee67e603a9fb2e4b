"""What Retake reads and where it writes, for any client: audio files, and folders that are meant for them.

Checked when a job is accepted and again right before its files are written, on paths with all links followed. A folder
that is refused here can be allowed with the setting `allowed_folders`.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from stat import S_ISBLK, S_ISCHR, S_ISDIR, S_ISFIFO, S_ISREG, S_ISSOCK

from bridge.errors import ClipRefusedError, PathNotAllowedError
from bridge.host.allowed_folders import AllowedFolders, FolderPlatform, is_below, real
from bridge.host.plain_file import open_plain
from bridge.host.settings import MAX_CLIP_BYTES
from bridge.wire.messages import ClipRequest, Preview, RenderRequest, Request

_SIGNATURES = re.compile(
    rb"(RIFF|RIFX|RF64|BW64)....WAVE|riff\x2e\x91\xcf\x11|FORM....AIF[FC]|caff|fLaC|OggS|ID3"
    rb"|.{,4080}?\xff[\xe2\xe3\xf2\xf3\xfa\xfb]",  # a frame of an MP3, behind whatever
    re.DOTALL,
)
"""How the files begin that PROTOCOL.md promises to read; the engine's reader checks more."""
_KINDS = {
    S_ISDIR: "a folder",
    S_ISFIFO: "a pipe",
    S_ISSOCK: "a socket",
    S_ISCHR: "a device",
    S_ISBLK: "a device",
}
_NO_FILES = ("/proc", "/sys", "/dev")
"""Folders of Linux whose files are none, or are devices."""
_NO_DISK = ("\\\\.\\", "\\\\?\\", "//./", "//?/")
"""How paths begin by which Windows names devices and pipes."""


@dataclass(frozen=True, kw_only=True)
class PathRules:
    """The rules of this machine with those of the settings: `output_dir`, `allowed_folders`, `max_clip_bytes`."""

    output_dir: Path | None = None
    allowed_folders: tuple[Path, ...] = ()
    max_clip_bytes: int = MAX_CLIP_BYTES
    folders: AllowedFolders = field(default_factory=lambda: AllowedFolders(FolderPlatform.this_one()))

    def check(self, request: RenderRequest) -> None:
        """Check every path of a request. A clip that is missing passes: reading it fails with its own sentence.

        Raises ClipRefusedError, PathNotAllowedError.
        """
        self.check_clips(request)
        is_clip_missing = isinstance(request, ClipRequest) and not os.path.exists(request.clip)
        if not (is_clip_missing and request.output_dir is None):
            self.check_output(request)
        self.check_reply(request)

    def check_clips(self, request: RenderRequest) -> None:
        """Raise ClipRefusedError when a clip of the request is something else than a file of audio."""
        for name, path in clips_of(request):
            check_clip(name, path, self.max_clip_bytes)

    def check_preview(self, request: Request) -> None:
        """Raise ClipRefusedError when what is to be played is something else than a file of audio."""
        if isinstance(request, Preview):
            check_clip("path", request.path, self.max_clip_bytes)

    def check_output(self, request: RenderRequest) -> None:
        """Raise PathNotAllowedError when results may not be written where the request wants them."""
        name = "output_dir" if request.output_dir is not None else "the folder of the results"
        self._check_folder(name, self.chosen_folder(request), request)

    def check_reply(self, request: RenderRequest) -> None:
        """Raise PathNotAllowedError when the request's reply file may not be written where it is named."""
        if request.reply is not None:
            self._check_folder("the folder of reply", Path(request.reply).parent, request)

    def pinned(self, request: RenderRequest) -> RenderRequest:
        """Return the request with all links of its reply folder followed, so that a later change of them is noticed."""
        if request.reply is None:
            return request
        return replace(request, reply=str(real(Path(request.reply).parent) / Path(request.reply).name))

    def chosen_folder(self, request: RenderRequest) -> Path:
        """Return the folder of the results: the request's, the configured one, the clip's, or Music/Retake."""
        if request.output_dir is not None:
            return Path(request.output_dir)
        if self.output_dir is not None:
            return self.output_dir
        if isinstance(request, ClipRequest):
            return Path(request.clip).parent
        return self.folders.machine.music / "Retake"

    def _check_folder(self, name: str, folder: Path, request: RenderRequest) -> None:
        target = real(folder)
        if str(folder).startswith(_NO_DISK) or not (
            self._is_listed(target) or _is_beside_clip(target, request) or self.folders.allow(target)
        ):
            raise PathNotAllowedError(name, folder, target)

    def _is_listed(self, folder: Path) -> bool:
        """Whether the settings name a folder, or one around it."""
        listed = (self.output_dir, *self.allowed_folders)
        return any(place and is_below(folder, real(place), self.folders.machine.system) for place in listed)


def clips_of(request: RenderRequest) -> Iterator[tuple[str, str]]:
    """Yield the names and paths of the arguments that name audio to be read."""
    if isinstance(request, ClipRequest):
        yield "clip", request.clip
    for name in ("like", "follow"):
        path = getattr(request, name, None)
        if path is not None:
            yield name, path


def check_clip(name: str, path: str, max_bytes: int = MAX_CLIP_BYTES) -> None:
    """Raise ClipRefusedError unless `path` leads to a file that may be audio, or to nothing at all. Never blocks."""
    try:
        found = os.stat(path)
        if not S_ISREG(found.st_mode):
            kind = next((word for is_kind, word in _KINDS.items() if is_kind(found.st_mode)), "no file")
            raise ClipRefusedError(name, path, kind)
        if real(Path(path)).parts[:2] in (Path(place).parts for place in _NO_FILES) or path.startswith(_NO_DISK):
            raise ClipRefusedError(name, path, "a part of the system")
        if found.st_size > max_bytes:
            what = f"{found.st_size} bytes long, more than max_clip_bytes ({max_bytes})"
            raise ClipRefusedError(name, path, what, "max_clip_bytes")
        if not _begins_like_audio(path):
            raise ClipRefusedError(name, path, "no WAV, AIFF, CAF, FLAC, Ogg or MP3 file by its first bytes")
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError) as error:
        raise ClipRefusedError(name, path, f"out of reach ({error})") from error


def _is_beside_clip(folder: Path, request: RenderRequest) -> bool:
    """Whether a folder is that of the clip, which is there and may be written beside."""
    if not isinstance(request, ClipRequest) or folder != real(Path(request.clip).parent):
        return False
    return os.path.isfile(request.clip) and os.access(folder, os.W_OK)


def _begins_like_audio(path: str) -> bool:
    with open_plain(path, follow_links=True) as file:
        return _SIGNATURES.match(file.read(4096)) is not None
