"""Whether takes are whole: every WAV is read to its end, has its length and rate, and its story beside it."""

import json
from pathlib import Path

import soundfile

from bridge.wire.messages import ClipRequest, Generate, RenderRequest, Upscale

SHIPPED_RATE = 48_000
"""Hz, of what the tiny preset generates."""


def fault_of_wav(path: Path) -> str | None:
    """Say what is wrong with a WAV or its sidecar; None when nothing is."""
    try:
        with soundfile.SoundFile(path) as file:
            promised = file.frames
            found = len(file.read(always_2d=True))
            extra = file.extra_info
    except (soundfile.SoundFileError, OSError) as error:
        return f"{path.name}: {error}"
    if found != promised or not found or "should be" in extra:
        return f"{path.name}: {found} of {promised} frames"
    try:
        story = json.loads(path.with_suffix(".json").read_text())
    except (OSError, ValueError) as error:
        return f"{path.name}: its story: {error}"
    return None if "seed" in story else f"{path.name}: its story has no seed"


def fault_of_take(path: Path, request: RenderRequest) -> str | None:
    """Say what is wrong with the take that a request made; None when nothing is."""
    if not path.is_file():
        return f"{path.name}: it is not there"
    if (fault := fault_of_wav(path)) is not None:
        return fault
    made = soundfile.info(path)
    wanted: object
    found: object
    match request:
        case Generate(seconds=seconds):
            wanted = (SHIPPED_RATE, round((seconds or 0.0) * SHIPPED_RATE))
            found = (made.samplerate, made.frames)
        case Upscale(clip=clip):
            wanted = round(soundfile.info(clip).duration, 3)
            found = round(made.duration, 3)
        case ClipRequest(clip=clip):
            source = soundfile.info(clip)
            wanted = (source.samplerate, source.frames, source.channels)
            found = (made.samplerate, made.frames, made.channels)
        case _:
            return None
    return None if found == wanted else f"{path.name}: {found}; expected {wanted}"
