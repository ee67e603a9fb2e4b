"""The model library: text and audio in, audio out. It knows tensors, seconds and prompts, and nothing of DAWs.

from engine import Audio, Engine, Restyle

engine = Engine.load()
takes = engine.run(Restyle(Audio.read("clip.wav"), "thunder", strength=0.5))
takes[0].write("thunder.wav")

What needs torch is imported when it is first named, so that the command line answers `--help` at once.
"""

import importlib
from typing import TYPE_CHECKING, Any

from engine.errors import (
    AudioEmptyError,
    AudioFileError,
    AudioMissingError,
    AudioNotFiniteError,
    AudioTowerMissingError,
    AudioUnreadableError,
    CancelledError,
    ClipTooLongError,
    CurvesMissingError,
    DeviceUnavailableError,
    EmptyPromptError,
    EngineError,
    FullBandError,
    InvalidRequestError,
    ModelBrokenError,
    ModelFamilyUnknownError,
    ModelNotFoundError,
    ModelUnloadedError,
    OutOfMemoryError,
    OutputExistsError,
    OutputWriteError,
    PromptTooLongError,
    RegionError,
    SampleRateError,
    SilentClipError,
    TooManyChannelsError,
    write_hint,
)

if TYPE_CHECKING:
    from engine.atomic_files import clear_abandoned, require_writable
    from engine.audio import Audio, read_story
    from engine.checkpoints.catalogue import ModelEntry, PassedOver, list_models, look_through
    from engine.engine import Engine
    from engine.file_names import name_on_disk, safe_name
    from engine.listening.hear import HeardSound
    from engine.lists import Row, read_rows
    from engine.models.clap_back_end import installed_back_end
    from engine.operations.progress import Progress
    from engine.option_parser import OptionParser
    from engine.requests import LONGEST_S, Generate, Inpaint, Request, Restyle, Upscale, Vary
    from engine.sound_files.reader import SoundReader, open_sound, reader_of
    from engine.wav_writer import sidecar_path

_ROOMS = {
    "Audio": "engine.audio",
    "Engine": "engine.engine",
    "Generate": "engine.requests",
    "HeardSound": "engine.listening.hear",
    "Inpaint": "engine.requests",
    "LONGEST_S": "engine.requests",
    "ModelEntry": "engine.checkpoints.catalogue",
    "OptionParser": "engine.option_parser",
    "PassedOver": "engine.checkpoints.catalogue",
    "Progress": "engine.operations.progress",
    "Request": "engine.requests",
    "Restyle": "engine.requests",
    "Row": "engine.lists",
    "SoundReader": "engine.sound_files.reader",
    "Upscale": "engine.requests",
    "Vary": "engine.requests",
    "clear_abandoned": "engine.atomic_files",
    "installed_back_end": "engine.models.clap_back_end",
    "list_models": "engine.checkpoints.catalogue",
    "look_through": "engine.checkpoints.catalogue",
    "name_on_disk": "engine.file_names",
    "open_sound": "engine.sound_files.reader",
    "read_rows": "engine.lists",
    "read_story": "engine.audio",
    "require_writable": "engine.atomic_files",
    "safe_name": "engine.file_names",
    "reader_of": "engine.sound_files.reader",
    "sidecar_path": "engine.wav_writer",
}  # where the names live that are imported late

__all__ = [
    "LONGEST_S",
    "Audio",
    "AudioEmptyError",
    "AudioFileError",
    "AudioMissingError",
    "AudioNotFiniteError",
    "AudioTowerMissingError",
    "AudioUnreadableError",
    "CancelledError",
    "ClipTooLongError",
    "CurvesMissingError",
    "DeviceUnavailableError",
    "EmptyPromptError",
    "Engine",
    "EngineError",
    "FullBandError",
    "Generate",
    "HeardSound",
    "Inpaint",
    "InvalidRequestError",
    "ModelBrokenError",
    "ModelEntry",
    "ModelFamilyUnknownError",
    "ModelNotFoundError",
    "ModelUnloadedError",
    "OptionParser",
    "OutOfMemoryError",
    "OutputExistsError",
    "OutputWriteError",
    "PassedOver",
    "Progress",
    "PromptTooLongError",
    "RegionError",
    "Request",
    "Restyle",
    "Row",
    "SampleRateError",
    "SilentClipError",
    "SoundReader",
    "TooManyChannelsError",
    "Upscale",
    "Vary",
    "clear_abandoned",
    "installed_back_end",
    "list_models",
    "look_through",
    "name_on_disk",
    "open_sound",
    "read_rows",
    "read_story",
    "reader_of",
    "require_writable",
    "safe_name",
    "sidecar_path",
    "write_hint",
]


if not TYPE_CHECKING:  # a checker that saw it would take every misspelt name for Any

    def __getattr__(name: str) -> Any:
        if name not in _ROOMS:
            raise AttributeError(f"module 'engine' has no attribute {name!r}")
        return getattr(importlib.import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    """List the public names, for tab completion."""
    return __all__
