"""Where a take goes and what it is called; reading and writing themselves are `engine.Audio`'s."""

import itertools
import json
import math
import os
import re
import shutil
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.errors import ClipRefusedError, DiskFullError, FolderError, OutputTooLargeError, PathNotAllowedError
from bridge.host.allowed_folders import real
from bridge.host.paths import PathRules, clips_of
from bridge.wire.messages import ClipRequest, RenderRequest, Restyle, Vary
from bridge.wire.messages import Upscale as Upscaling
from engine import (
    LONGEST_S,
    Audio,
    ClipTooLongError,
    EngineError,
    Generate,
    OutputExistsError,
    OutputWriteError,
    Request,
    Upscale,
    clear_abandoned,
    read_story,
    require_writable,
    safe_name,
    sidecar_path,
    write_hint,
)

MAX_NAME = 120
"""Bytes of a file name, in UTF-8, with its suffix."""

_RESERVE_BYTES = 2**24
"""Left free on a disk; the stories fit into it, too."""
_MAX_SLUG = 40
_SAMPLE_BYTES = 4
_MAX_SUFFIX = len(" (9999).wav")


def read_clips(request: RenderRequest, longest_min: float = math.inf) -> dict[str, Audio]:
    """Read the clips that a request names, by the name of their argument; what is too long is refused before that.

    Raises ClipRefusedError for more than `longest_min` minutes, the engine's AudioFileError family.
    """
    clips = {}
    for name, path in clips_of(request):
        limit_s = _longest_s(name, request)
        try:
            clips[name] = Audio.read(Path(path), longest_s=min(limit_s, 60 * longest_min))
        except ClipTooLongError as error:
            if error.seconds <= 60 * longest_min or limit_s < 60 * longest_min:
                raise
            minutes = f"{error.seconds / 60:.1f} minutes long, more than max_clip_min ({longest_min:g})"
            raise ClipRefusedError(name, path, minutes, "max_clip_min") from error
    return clips


def _longest_s(name: str, request: RenderRequest) -> float:
    """Return how many seconds a clip may have: the engine's limit where all of it is used, else no limit."""
    is_whole = isinstance(request, Restyle | Vary | Upscaling) and request.start_s is None and request.end_s is None
    return LONGEST_S if name in ("like", "follow") or is_whole else math.inf


@dataclass(frozen=True)
class Destination:
    """The folder of a result as it is named, and where that led when it was allowed.

    `refuge` is the folder for a take whose own folder is not there any more when it is to be written.
    """

    folder: Path
    target: Path
    refuge: Path

    @classmethod
    def of(cls, request: RenderRequest, rules: PathRules) -> "Destination":
        """Choose the folder of the result, check it, make it where it is missing, and try whether it takes a file.

        Raises PathNotAllowedError when nothing may be written there, FolderError when nothing can.
        """
        folder = rules.chosen_folder(request)
        target = real(folder)
        rules.check_output(request)
        try:
            target.mkdir(parents=True, exist_ok=True)
            require_writable(target)
        except OSError as error:
            raise FolderError(folder, error.strerror or error, write_hint(error.errno)) from error
        return cls(folder, target, rules.folders.machine.music / "Retake")

    def require_room(self, task: Request, model_rate: int, max_bytes: int) -> None:
        """Raise OutputTooLargeError or DiskFullError when the takes of a task will not fit."""
        num_bytes = result_bytes(task, model_rate)
        if num_bytes > max_bytes:
            raise OutputTooLargeError(num_bytes, max_bytes)
        try:
            free = shutil.disk_usage(self.target).free
        except OSError:  # the folder is gone already: there is the refuge, or writing fails with the reason
            return
        if num_bytes + _RESERVE_BYTES > free:
            raise DiskFullError(self.folder, num_bytes + _RESERVE_BYTES, free)

    def write(self, takes: Sequence[Audio], names: Sequence[str]) -> list[Path]:
        """Write every take, or none; into the refuge when the folder was renamed or removed in the meantime.

        Raises PathNotAllowedError when the folder leads somewhere else by now, the engine's OutputWriteError.
        """
        if (target := real(self.folder)) != self.target:
            raise PathNotAllowedError("the folder of the results", self.folder, target)
        try:
            return write_takes(takes, self.folder, names)
        except OutputWriteError as error:
            if not error.is_folder_gone or self.folder.is_dir():
                raise
            with suppress(OSError, OutputWriteError):
                self.refuge.mkdir(parents=True, exist_ok=True)
                return write_takes(takes, self.refuge, names)
            raise


def result_bytes(task: Request, model_rate: int) -> int:
    """Return how many bytes of samples the takes of a task will have, at most."""
    if isinstance(task, Generate):
        is_stereo = task.output_channels == "stereo" or (task.width and task.output_channels is None)
        frame_bytes = int(task.output_bits) // 8 * (2 if is_stereo else 1)
        return math.ceil(task.seconds * (task.output_rate or model_rate)) * frame_bytes * task.candidates
    clip, rate = task.clip, task.clip.sample_rate
    if isinstance(task, Upscale):
        rate = max(rate, model_rate, task.output_rate or 0)
    width = 2 * _SAMPLE_BYTES if clip.encoding == "DOUBLE" else _SAMPLE_BYTES
    return math.ceil(clip.seconds * rate) * clip.num_channels * width * task.candidates


def take_name(request: RenderRequest, seed: int) -> str:
    """Name a take: `<clip> restyle <prompt-slug> s<seed>`, short enough for MAX_NAME bytes with its suffix.

    Without a prompt the name of the `like` clip stands for it, where there is one.
    """
    operation = request.address.rpartition("/")[2]
    words = [slug(_steer(request))] if _steer(request) else []
    ending = " ".join([operation, *words, f"s{seed}"])
    if not isinstance(request, ClipRequest):
        return ending
    room = MAX_NAME - _MAX_SUFFIX - len(ending.encode()) - 1
    return f"{safe_name(Path(request.clip).stem, room)} {ending}"


def _steer(request: RenderRequest) -> str:
    """Return the words for what a take should sound like."""
    if not request.prompt.strip() and request.like is not None:
        return f"like {Path(request.like).stem}"
    return request.prompt.strip()


def slug(prompt: str) -> str:
    """Spell a prompt for a file name: lower case, any script, words joined by dashes, as many as fit."""
    words = re.findall(r"\w+", unicodedata.normalize("NFC", prompt).lower())
    lengths = itertools.accumulate(len(word.encode()) + 1 for word in words)
    fitting = sum(length <= _MAX_SLUG + 1 for length in lengths)
    return _cut("-".join(words[: max(fitting, 1)]), _MAX_SLUG) or "untitled"


def _cut(text: str, num_bytes: int) -> str:
    """Shorten a text to `num_bytes` of UTF-8 without cutting a character in two."""
    return text.encode("utf-8", "replace")[:num_bytes].decode("utf-8", "ignore").rstrip()


def write_takes(takes: Sequence[Audio], folder: Path, names: Sequence[str]) -> list[Path]:
    """Write every take, or none: when one fails, those written before it are removed again.

    A take whose story names a job is not written twice: when an earlier attempt at the job, which was killed before it
    could say so, has written it already, that file is the result.

    Raises the engine's OutputWriteError.
    """
    clear_abandoned(folder)
    written: list[Path] = []
    try:
        for take, name in zip(takes, names, strict=True):
            written.append(_write_uniquely(take, folder, name))
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
            sidecar_path(path).unlink(missing_ok=True)
        raise
    return written


def _write_uniquely(take: Audio, folder: Path, name: str) -> Path:
    """Write under the first free name of `name.wav`, `name (2).wav`, `name (3).wav` and so on."""
    for number in itertools.count(1):
        path = folder / (f"{name}.wav" if number == 1 else f"{name} ({number}).wav")
        if not any(map(os.path.lexists, (path, sidecar_path(path)))):
            with suppress(OutputExistsError):  # another process took the name first
                take.write(path)
                return path
        if _is_same_take(take, path):
            return path
    raise AssertionError("itertools.count ends")


def _is_same_take(take: Audio, path: Path) -> bool:
    """Whether a WAV is the very take, written by an earlier attempt at its job; its sidecar is asked first."""
    if not take.story.get("job"):
        return False
    try:
        beside = json.loads(sidecar_path(path).read_bytes())
        return isinstance(beside, dict) and _is_same(take, beside) and _is_same(take, read_story(path))
    except (EngineError, OSError, ValueError):
        return False


def _is_same(take: Audio, story: Mapping[str, Any]) -> bool:
    return all(story.get(key) == take.story.get(key) for key in ("job", "candidate"))
