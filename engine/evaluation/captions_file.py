"""Captions of a folder of clips, read from a table (file,caption[,class]) or JSON.

Any program's lists are read; but a row without a file or a caption is refused with its line and not skipped: metrics of
fewer clips than intended would be metrics of something else.
"""

from dataclasses import dataclass
from pathlib import Path

from engine.evaluation.evaluation_errors import CaptionsError
from engine.lists import Row, read_rows


@dataclass(frozen=True)
class Caption:
    """What a clip should sound like, and the class that it should be recognised as, if given."""

    text: str
    sound: str | None = None


def read_captions(path: Path, classes: tuple[str, ...] = ()) -> dict[str, Caption]:
    """File name -> caption; a caption that is nothing but the name of a class names its class, too.

    JSON is {"rain.wav": "heavy rain"} or [{"file": "rain.wav", "caption": "heavy rain", "class": "rain"}].
    Raises CaptionsError when the file is missing, malformed or empty, or names a class that is not in `classes`.
    """
    try:
        rows = read_rows(path, pair=("file", "caption"))
        captions = {str(row.cells["file"]): _caption(row, classes) for row in rows}
    except KeyError as error:
        raise CaptionsError(path, f"a row has no {error.args[0]!r}") from error
    except (OSError, ValueError, TypeError) as error:
        raise CaptionsError(path, str(error), getattr(error, "hint", "")) from error
    if not captions:
        raise CaptionsError(path, "it holds no captions")
    if len(captions) < len(rows):
        raise CaptionsError(path, f"{len(rows) - len(captions)} files stand in it twice")
    return captions


def _caption(row: Row, classes: tuple[str, ...]) -> Caption:
    if row.fault:
        raise ValueError(row.fault)
    file, text, sound = row.cells["file"], row.cells.get("caption", " "), row.cells.get("class")
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"the caption of {file!r} is {text!r}; expected a few words (row {row.number})")
    if sound is not None and sound not in classes:
        raise ValueError(f"{file!r} has the class {sound!r}; known: {', '.join(classes)} (row {row.number})")
    return Caption(text.strip(), sound or (text.strip() if text.strip() in classes else None))
