"""Lists of clips with captions, as AudioCaps and its users write them: JSON or CSV -> files, captions, classes.

JSON: {"data": [{"wav": "a.wav", "caption": "rain"}]}, as AudioLDM's authors train from, or the list alone. CSV: the
columns file and caption, or AudioCaps' own (audiocap_id, youtube_id, start_time, caption), whose files are looked for
under the names that the usual downloaders give them. A file may stand in several rows: it has several captions then.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.training.training_errors import ManifestError

_FILE_KEYS = ("wav", "file", "path", "audio", "audio_path", "file_name", "filename", "location")
_CAPTION_KEYS = ("caption", "captions", "text")
_CLASS_KEYS = ("class", "sound")
_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".aif", ".aiff")


@dataclass(frozen=True)
class Entry:
    """One file; `sound` is its class, where the list names one."""

    path: Path
    captions: tuple[str, ...]
    sound: str | None = None


@dataclass(frozen=True)
class Skipped:
    """A row or a file that is not learnt from, and why."""

    name: str
    reason: str


def read_manifest(path: Path, root: Path | None = None) -> tuple[list[Entry], list[Skipped]]:
    """The files in order of their first rows, and the rows without a caption; whether files exist is not looked at.

    Names are relative to `root`, or to the folder of the list. Raises ManifestError when it cannot be read, when its
    rows name no files, or when none has a caption.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = (
            _json_rows(json.loads(text)) if path.suffix.lower() == ".json" else list(csv.DictReader(io.StringIO(text)))
        )
    except (OSError, ValueError, csv.Error) as error:
        raise ManifestError(path, str(error)) from error
    if not rows:
        raise ManifestError(path, "it holds no rows")
    folder, captions, sounds, skipped = root or path.parent, dict[Path, list[str]](), dict[Path, str](), list[Skipped]()
    for number, row in enumerate(rows, start=1):
        file = _file_of(row, folder)
        if file is None:
            raise ManifestError(
                path, f"row {number} names no file; expected one of {', '.join(_FILE_KEYS)}, youtube_id"
            )
        said = _captions_of(row)
        if not said:
            skipped.append(Skipped(file.name, f"row {number} has no caption"))
            continue
        captions.setdefault(file, []).extend(caption for caption in said if caption not in captions[file])
        if sound := _first(row, _CLASS_KEYS):
            sounds[file] = str(sound).strip()
    if not captions:
        raise ManifestError(path, f"none of its {len(rows)} rows has a caption")
    return [Entry(file, tuple(said), sounds.get(file)) for file, said in captions.items()], skipped


def _json_rows(content: Any) -> list[Mapping[str, Any]]:
    rows = content.get("data") if isinstance(content, dict) else content
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise ValueError('expected a list of objects, or {"data": [...]}')


def _file_of(row: Mapping[str, Any], folder: Path) -> Path | None:
    if name := _first(row, _FILE_KEYS):
        return folder / str(name).strip()
    if video := row.get("youtube_id"):
        return _of_audiocaps(folder, str(video), str(row.get("start_time", "")), str(row.get("audiocap_id", "")))
    return None


def _of_audiocaps(folder: Path, video: str, start: str, number: str) -> Path:
    """The first that exists; where none does, the plainest name, so that it can be named as missing."""
    stems = [stem for stem in (video, f"Y{video}", f"{video}_{start}", f"Y{video}_{start}", number) if stem]
    names = [folder / f"{stem}{suffix}" for stem in stems for suffix in _SUFFIXES]
    return next((name for name in names if name.is_file()), names[0])


def _captions_of(row: Mapping[str, Any]) -> list[str]:
    found = _first(row, _CAPTION_KEYS)
    several: Iterable[Any] = found if isinstance(found, list) else [found]
    return [caption.strip() for caption in several if isinstance(caption, str) and caption.strip()]


def _first(row: Mapping[str, Any], keys: Iterable[str]) -> Any:
    return next((row[key] for key in keys if row.get(key)), None)
