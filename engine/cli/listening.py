"""`retake listen`: what is in sound files, as words and scores."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.audio import Audio
from engine.cli.terminal import TerminalProgressBar, interruptible, show_error, show_json
from engine.engine import Engine
from engine.errors import AudioFileError, CancelledError, EngineError
from engine.evaluation.evaluation_errors import NoClipsError
from engine.evaluation.folders import SUFFIXES
from engine.listening.hear import HeardSound

SHOWN = 5  # sounds of a file, where no JSON is wanted

HeardFile = tuple[Path, list[HeardSound] | EngineError]
"""A file, and what was heard in it, or why it could not be heard."""


def run(options: argparse.Namespace) -> int:
    """Listen to every file; one that cannot be heard is reported, and the others are heard all the same."""
    files = _sound_files(options.files)
    names = [name.strip() for name in options.names.split(",")] if options.names is not None else None
    outcomes: list[HeardFile] = []
    with interruptible() as should_stop, TerminalProgressBar() as bar:
        bar.show(0.0, "loading the model")
        engine = Engine.load(options.model, options.device)
        for number, path in enumerate(files, 1):
            if should_stop():
                raise CancelledError
            outcomes.append((path, _heard(engine, path, names)))
            bar.show(number / len(files), f"file {number}/{len(files)}")
    _show(outcomes, as_json=options.json)
    return int(any(isinstance(outcome, EngineError) for _, outcome in outcomes))


def _heard(engine: Engine, path: Path, names: list[str] | None) -> list[HeardSound] | EngineError:
    if path.is_dir():
        return NoClipsError(path)
    try:
        return engine.listen(Audio.read(path), names)
    except AudioFileError as error:
        return error


def _show(outcomes: Iterable[HeardFile], *, as_json: bool) -> None:
    """Show errors on stderr, and everything on stdout in JSON; as words, the best sounds of what was heard."""
    rows = list(outcomes)
    for path, outcome in rows:
        if isinstance(outcome, EngineError):
            show_error(outcome if str(path) in outcome.text else EngineError(f"{path}: {outcome.text}", outcome.hint))
        elif not as_json:
            print(_lines(path, outcome, alone=len(rows) == 1))
    if as_json:
        show_json([_to_json(path, outcome) for path, outcome in rows])


def _to_json(path: Path, outcome: list[HeardSound] | EngineError) -> dict[str, Any]:
    if isinstance(outcome, EngineError):
        return {"file": str(path), "error": {"code": outcome.code, "text": outcome.text, "hint": outcome.hint}}
    return {"file": str(path), "sounds": [sound.to_json() for sound in outcome]}


def _lines(path: Path, sounds: list[HeardSound], *, alone: bool) -> str:
    """Return a file's best sounds: one a line for a single file, all in one line of many."""
    best = [(sound.name.replace("_", " "), f"{sound.score:.0%}") for sound in sounds[:SHOWN]]
    if alone:
        return "\n".join(f"{score:>4}  {name}" for name, score in best)
    return f"{path}: {', '.join(f'{name} {score}' for name, score in best)}"


def _sound_files(paths: Iterable[Path]) -> list[Path]:
    """Return the paths; instead of a folder that has some, the sound files in it and in its folders, in order."""
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = [one for one in sorted(path.rglob("*")) if one.suffix.lower() in SUFFIXES and one.is_file()]
        found = [one for one in inside if not one.name.startswith(".")]
        files += found or [path]
    return files
