"""Lists of clips with captions, as AudioCaps, Clotho, their users and Retake itself write them -> files and captions.

JSON: {"data": [{"wav": "a.wav", "caption": "rain"}]}, as AudioLDM's authors train from, the list alone, or an object a
line; among these what `retake batch` writes. Tables: the columns file and caption, or AudioCaps' own (audiocap_id,
youtube_id, start_time, caption), whose files are looked for under the names that the usual downloaders use.

Every key with "caption" in it holds a caption (`caption_1` to `caption_5` of Clotho), as for the authors' loader; a
file may have several, also in several rows, and each time it is used in training one of them is drawn. Where a row has
none its labels are the caption: "dog, bark". AudioSet's codes among them are translated if class_labels_indices.csv
is in the list's folder.
"""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.file_names import name_on_disk
from engine.lists import ListError, Row, read_rows
from engine.text_file import read_text
from engine.training.training_errors import ManifestError

_FILE_KEYS = ("wav", "file", "path", "audio", "audio_path", "file_name", "filename", "location")
_TEXT_KEYS = ("text", "prompt")
_LABEL_KEYS = ("labels", "label", "tags")
_CLASS_KEYS = ("class", "sound")
_NOTHING = ("nan", "none", "null")  # within a list
_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".aif", ".aiff")
_CODE = re.compile(r"/[mtg]/\w+")  # of a class of AudioSet
_CODES_FILE = "class_labels_indices.csv"
_LIST = re.compile(r"\s*\[.*\]\s*", re.DOTALL)  # of Python, as pandas spells it
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)


@dataclass(frozen=True)
class ListedClip:
    """One file; `sound` is its class, where the list names one."""

    path: Path
    captions: tuple[str, ...]
    sound: str | None = None


@dataclass(frozen=True)
class Skipped:
    """A row or a file that is skipped, and why."""

    name: str
    reason: str


def read_manifest(path: Path, root: Path | None = None) -> tuple[list[ListedClip], list[Skipped]]:
    """Return the files in order of their first rows, and the rows without a file or a caption.

    Whether files exist is not checked. Names are relative to `root`, or to the folder of the list.

    Raises ManifestError when it cannot be read, or when no row has a file and a caption.
    """
    try:
        rows = read_rows(path)
    except (OSError, ListError) as error:
        raise ManifestError(path, *_explained(path, error)) from error
    if not rows:
        raise ManifestError(path, "it holds no rows")
    words = _words_of_codes(path.parent)
    folder, captions, sounds, skipped = root or path.parent, dict[Path, list[str]](), dict[Path, str](), list[Skipped]()
    for row in rows:
        files, said = list(_files_of(row.cells, folder)), _captions_of(row.cells, words)
        if _is_undone(row.cells):
            skipped.append(Skipped(f"row {row.number}", f"row {row.number} of a batch was not rendered"))
            continue
        if not files or not said:
            skipped.append(_skipped(row, files))
            continue
        for file in files:
            captions.setdefault(file, []).extend(caption for caption in said if caption not in captions[file])
            if sound := _first(row.cells, _CLASS_KEYS):
                sounds[file] = str(sound).strip()
    if not captions:
        has_files = any(next(_files_of(row.cells, folder), None) for row in rows)
        reason = f"none of its {len(rows)} rows has a caption" if has_files else skipped[0].reason
        raise ManifestError(path, reason)
    return [ListedClip(file, tuple(said), sounds.get(file)) for file, said in captions.items()], skipped


def _skipped(row: Row, files: list[Path]) -> Skipped:
    if row.fault:
        return Skipped(f"row {row.number}", row.fault)
    if files:
        return Skipped(files[0].name, f"row {row.number} has no caption")
    known = ", ".join(_FILE_KEYS)
    return Skipped(f"row {row.number}", f"row {row.number} names no file; expected one of {known}, youtube_id")


def _explained(path: Path, error: Exception) -> tuple[str, str]:
    """Explain why a list cannot be read and what to do; for the authors' dataset_root.json, which lists to use."""
    try:
        content = json.loads(read_text(path))
        lists = [str(name) for name in _texts(content["metadata"]) if str(name).endswith(".json")]
        roots = [str(name) for name in content.values() if isinstance(name, str)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return str(error), getattr(error, "hint", "")
    choice = (
        f"--manifest ({', '.join(lists[:3])}), and the folder of its files as --audio-root ({', '.join(roots[:3])})"
    )
    return "it names data sets, not clips", f"give one of the lists that it names as {choice}"


def _texts(content: Any) -> Iterator[str]:
    """All texts in a nest of objects."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from _texts(value)


def _is_undone(row: Mapping[str, Any]) -> bool:
    """Return whether a row is that of `retake batch` for a request without takes."""
    return {"key", "attempt", "job", "state"} <= row.keys() and row["state"] != "done"


def _files_of(row: Mapping[str, Any], folder: Path) -> Iterator[Path]:
    """The files of a row: one, or those of a batch's best take and of its other candidates."""
    if name := _first(row, _FILE_KEYS):
        yield _named(folder, str(name))
        others = row.get("others", ())
        several = others.split(" | ") if isinstance(others, str) else others
        yield from (_named(folder, str(other)) for other in several)
    elif video := _first(row, ("youtube_id", "ytid")):
        start = row.get("start_time", row.get("start_s", ""))
        yield _of_audiocaps(folder, str(video), str(start), str(row.get("audiocap_id", "")))


def _named(folder: Path, name: str) -> Path:
    """The file of a name; one that was written on Windows is found elsewhere, too."""
    path = folder / name.strip()
    if "\\" in name and not path.exists():
        path = folder / name.strip().replace("\\", "/")
    return Path(name_on_disk(str(path)))


def _of_audiocaps(folder: Path, video: str, start: str, number: str) -> Path:
    """The first that exists; where none does, the plainest name, so that it can be named as missing.

    Some downloaders name the part of the video, in seconds or in milliseconds: `id_30`, `id_30000_40000`.
    """
    start = start.removesuffix(".0")
    starts = [start, f"{start}000_{int(start) + 10}000"] if start.isdecimal() else [start] if start else []
    parts = ["", *(f"_{part}" for part in starts)]
    stems = [f"{letter}{video}{part}" for part in parts for letter in ("", "Y")] + [number] * bool(number)
    names = [folder / f"{stem}{suffix}" for stem in stems for suffix in (*_SUFFIXES, *map(str.upper, _SUFFIXES))]
    return next((name for name in names if name.is_file()), names[0])


def _captions_of(row: Mapping[str, Any], words: Mapping[str, str]) -> list[str]:
    """Every caption of a row; where it has none its text, and where it has no text its labels."""
    spoken = [caption for key, value in row.items() if "caption" in key for caption in _several(value)]
    return spoken or _several(_first(row, _TEXT_KEYS)) or _labels_of(_first(row, _LABEL_KEYS), words)


def _labels_of(found: Any, words: Mapping[str, str]) -> list[str]:
    """Labels as one caption; a number, or a code of AudioSet without a name, is none."""
    several = found if isinstance(found, list) else re.split(r"[;,|]", str(found or ""))
    named = [words.get(str(label).strip(), str(label).strip()) for label in several]
    words_only = (label for label in named if label and not label.isdecimal() and not _CODE.fullmatch(label))
    said = dict.fromkeys(label.replace("_", " ") for label in words_only)
    return [", ".join(said)] if said else []


def _several(found: Any) -> list[str]:
    """The texts of a cell: itself, a list, or a list as Python or pandas spells it."""
    several: Iterable[Any] = found if isinstance(found, list) else [found]
    if isinstance(found, str) and _LIST.fullmatch(found) and (quoted := _QUOTED.findall(found)):
        several = [ast.literal_eval(text) for text in quoted]
    said = [text.strip() for text in several if isinstance(text, str)]
    return [text for text in said if text and not text.isdecimal() and text.casefold() not in _NOTHING]


def _words_of_codes(folder: Path) -> dict[str, str]:
    """Return the names of AudioSet's codes from the table beside the list; empty if there is none."""
    try:
        rows = read_rows(folder / _CODES_FILE)
    except (OSError, ValueError):
        return {}
    return {str(row.cells.get("mid")): str(row.cells.get("display_name", "")) for row in rows}


def _first(row: Mapping[str, Any], keys: Iterable[str]) -> Any:
    return next((row[key] for key in keys if row.get(key)), None)
