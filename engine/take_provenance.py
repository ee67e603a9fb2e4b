"""From a take back to its request: which files it was made from, and the request that makes it again."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from engine.audio import Audio, read_story
from engine.errors import AudioMissingError, SourceChangedError, SourceMissingError, StoryError
from engine.operations import OPERATIONS, Request
from engine.requests.knob import name_outside
from engine.wav_writer import sidecar_path

SOURCES = ("clip", "like", "follow")  # fields of requests that hold a sound; the story names their files
FINGERPRINT = "_sha256"  # follows the name of a source
REQUESTS: dict[str, type] = {kind.__name__.lower(): kind for kind in OPERATIONS}  # operation -> its request


def sources_of(request: Request) -> dict[str, str]:
    """Return the fingerprint of each sound in a request, and its path if it is a whole file, for the story."""
    source: dict[str, str] = {}
    for name in SOURCES:
        clip = getattr(request, name, None)
        if clip is not None:
            source |= {name: str(clip.path)} if clip.path else {}
            source[name + FINGERPRINT] = clip.fingerprint
    return source


def find_provenance(path: Path) -> dict[str, Any]:
    """Return the story of a take: from inside the WAV, else from its sidecar, or from the `.json` itself.

    Raises:
        AudioMissingError, AudioUnreadableError: there is no such WAV.
        StoryError: it has no story.
    """
    if path.suffix.lower() == ".json":
        return _sidecar(path)
    provenance = read_story(path)
    return provenance or _sidecar(sidecar_path(path))


def _sidecar(path: Path) -> dict[str, Any]:
    try:
        provenance = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise StoryError(f"there is no story in {path}") from error
    if not isinstance(provenance, dict):
        raise StoryError(f"there is no story in {path}")
    return provenance


def request_of(provenance: Mapping[str, Any], moved: Mapping[str, Path | None], seed: int | None = None) -> Request:
    """Return the request that a story records, its clips read again; `moved` names the new paths of moved ones.

    `seed` None is that of the take: the same request then makes the same takes, sample by sample.

    Raises:
        StoryError: it records no request that is known here.
        SourceMissingError, SourceChangedError: a clip is not where and what it was.
        InvalidRequestError, AudioFileError: the story was edited, and holds what no request can.
    """
    kind = REQUESTS.get(str(provenance.get("operation")))
    if kind is None:
        raise StoryError(
            f"its story names the operation {provenance.get('operation')!r}; known are {', '.join(REQUESTS)}"
        )
    values: dict[str, Any] = {"model_band": True}  # stories without the key are older than the learned highs
    for field in fields(kind):
        word = name_outside(kind, field.name)
        if field.name in SOURCES:
            values[field.name] = _source(
                provenance, field.name, moved.get(field.name), is_needed=field.default is MISSING
            )
        elif word in provenance:
            values[field.name] = provenance[word]
    request: Request = kind(**values if seed is None else values | {"seed": seed})
    return request


def _source(provenance: Mapping[str, Any], name: str, moved: Path | None, *, is_needed: bool) -> Audio | None:
    """The clip of that name, unchanged; None where the take was made without."""
    source, fingerprint = provenance.get(name), provenance.get(name + FINGERPRINT)
    path = moved or (Path(str(source)) if source else None)
    if path is None:
        if is_needed or fingerprint is not None:
            raise SourceMissingError(name, None)
        return None
    try:
        clip = Audio.read(path)
    except AudioMissingError as error:
        raise SourceMissingError(name, path) from error
    if fingerprint not in (None, clip.fingerprint):
        raise SourceChangedError(name, path)
    return clip
