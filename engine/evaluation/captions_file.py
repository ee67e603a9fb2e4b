"""Captions of a folder of clips, read from CSV (file,caption[,class]) or JSON."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.evaluation.evaluation_errors import CaptionsError


@dataclass(frozen=True)
class Caption:
    """What a clip should sound like, and the class that a classifier should hear, where there is one."""

    text: str
    sound: str | None = None


def read_captions(path: Path, classes: tuple[str, ...] = ()) -> dict[str, Caption]:
    """File name -> caption; a caption that is nothing but the name of a class names its class, too.

    JSON is {"rain.wav": "heavy rain"} or [{"file": "rain.wav", "caption": "heavy rain", "class": "rain"}].
    Raises CaptionsError when the file is missing, malformed or empty, or names a class that is not in `classes`.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        is_json = path.suffix.lower() == ".json"
        rows = _json_rows(json.loads(text)) if is_json else list(csv.DictReader(io.StringIO(text)))
        captions = {str(row["file"]): _caption(row, classes) for row in rows}
    except KeyError as error:
        raise CaptionsError(path, f"a row has no {error.args[0]!r}") from error
    except (OSError, ValueError, TypeError) as error:
        raise CaptionsError(path, str(error)) from error
    if not captions:
        raise CaptionsError(path, "it holds no captions")
    if len(captions) < len(rows):
        raise CaptionsError(path, f"{len(rows) - len(captions)} files stand in it twice")
    return captions


def _json_rows(content: Any) -> list[Mapping[str, Any]]:
    if isinstance(content, dict):
        return [{"file": name, "caption": caption} for name, caption in content.items()]
    if isinstance(content, list) and all(isinstance(row, dict) for row in content):
        return content
    raise ValueError("expected an object or a list of objects")


def _caption(row: Mapping[str, Any], classes: tuple[str, ...]) -> Caption:
    text, sound = row["caption"], row.get("class") or None
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"the caption of {row['file']!r} is {text!r}; expected a few words")
    if sound is not None and sound not in classes:
        raise ValueError(f"{row['file']!r} has the class {sound!r}; known: {', '.join(classes)}")
    return Caption(text.strip(), sound or (text.strip() if text.strip() in classes else None))
