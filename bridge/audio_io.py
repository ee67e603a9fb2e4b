"""Where a take goes and what it is called; reading and writing themselves are `engine.Audio`'s."""

import itertools
import json
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import platformdirs

from bridge.errors import FolderError
from bridge.messages import ClipRequest, RenderRequest
from engine import Audio, EngineError, OutputExistsError, read_story, sidecar_path

MAX_NAME = 120
"""Bytes of a file name, in UTF-8, with its suffix."""

_MAX_SLUG = 40
_MAX_SIDECAR = 2**22  # bytes
_MAX_SUFFIX = len(" (9999).wav")


def read_clips(request: RenderRequest) -> dict[str, Audio]:
    """Read the clips that a request names, by the name of their argument. Raises the engine's AudioFileError family."""
    paths = {"clip": request.clip} if isinstance(request, ClipRequest) else {}
    if request.like is not None:
        paths["like"] = request.like
    return {name: Audio.read(Path(path)) for name, path in paths.items()}


def output_folder(request: RenderRequest, configured: str | None) -> Path:
    """Choose and make the folder of the result: the request's, the configured one, beside the clip, or Music/Retake.

    Raises FolderError when there is none and none can be made.
    """
    if request.output_dir or configured:
        folder = Path(request.output_dir or configured or "")
    elif isinstance(request, ClipRequest):
        folder = Path(request.clip).parent
    else:
        folder = platformdirs.user_music_path() / "Retake"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderError(folder, error.strerror or error) from error
    return folder


def take_name(request: RenderRequest, seed: int) -> str:
    """Name a take: `<clip> restyle <prompt-slug> s<seed>`, short enough for MAX_NAME bytes with its suffix.

    Without a prompt the clip that it should be like takes that place, or nothing does.
    """
    operation = request.address.rpartition("/")[2]
    words = [slug(_steer(request))] if _steer(request) else []
    ending = " ".join([operation, *words, f"s{seed}"])
    if not isinstance(request, ClipRequest):
        return ending
    room = MAX_NAME - _MAX_SUFFIX - len(ending.encode()) - 1
    return f"{_cut(Path(request.clip).stem, room)} {ending}"


def _steer(request: RenderRequest) -> str:
    """Give the words that say what a take should sound like."""
    if not request.prompt.strip() and request.like is not None:
        return f"like {Path(request.like).stem}"
    return request.prompt.strip()


def slug(prompt: str) -> str:
    """Spell a prompt for a file name: lower case, any script, words joined by dashes."""
    words = re.findall(r"\w+", unicodedata.normalize("NFC", prompt).lower())
    return _cut("-".join(words), _MAX_SLUG).strip("-") or "untitled"


def _cut(text: str, num_bytes: int) -> str:
    """Shorten a text to so many bytes of UTF-8 without cutting a character in two."""
    return text.encode("utf-8", "replace")[:num_bytes].decode("utf-8", "ignore").rstrip()


def write_takes(takes: Sequence[Audio], folder: Path, names: Sequence[str]) -> list[Path]:
    """Write every take, or none: when one fails, those written before it are removed again.

    A take whose story names a job is not written twice: when an earlier attempt at the job, which was killed before it
    could say so, has written it already, that file is the result.

    Raises the engine's OutputWriteError.
    """
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
        _remove_half(take, path)
        try:
            take.write(path)
        except OutputExistsError:
            if not _is_same_take(take, path):
                continue
        return path
    raise AssertionError("itertools.count ends")


def _remove_half(take: Audio, path: Path) -> None:
    """Remove the sidecar that an earlier attempt at the same take wrote when it was killed before it wrote the WAV."""
    sidecar = sidecar_path(path)
    if take.story.get("job") and not os.path.lexists(path) and _is_same(take, _read_json(sidecar)):
        sidecar.unlink(missing_ok=True)


def _is_same_take(take: Audio, path: Path) -> bool:
    """Whether a WAV is the very take, written by an earlier attempt at its job."""
    if not take.story.get("job"):
        return False
    try:
        return _is_same(take, read_story(path))
    except EngineError:
        return False


def _is_same(take: Audio, story: Mapping[str, Any]) -> bool:
    return all(story.get(key) == take.story.get(key) for key in ("job", "candidate"))


def _read_json(file: Path) -> dict[str, Any]:
    try:
        story = json.loads(file.read_bytes()) if file.stat().st_size < _MAX_SIDECAR else None
    except (OSError, ValueError, RecursionError):
        return {}
    return story if isinstance(story, dict) else {}
