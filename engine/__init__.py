"""The model library: text and audio in, audio out. It knows tensors, seconds and prompts, and nothing of DAWs.

from engine import Audio, Engine, Restyle

engine = Engine.load()
takes = engine.run(Restyle(Audio.read("clip.wav"), "thunder", strength=0.5))
takes[0].write("thunder.wav")
"""

from engine.audio import Audio, read_story
from engine.checkpoints.catalogue import ModelEntry, list_models
from engine.engine import Engine
from engine.errors import (
    AudioEmptyError,
    AudioFileError,
    AudioMissingError,
    AudioNotFiniteError,
    AudioUnreadableError,
    CancelledError,
    ClipTooLongError,
    DeviceUnavailableError,
    EmptyPromptError,
    EngineError,
    InvalidRequestError,
    ModelBrokenError,
    ModelNotFoundError,
    ModelUnloadedError,
    OutOfMemoryError,
    OutputExistsError,
    OutputWriteError,
    PromptTooLongError,
    RegionError,
    SampleRateError,
    TooManyChannelsError,
)
from engine.operations import Generate, Inpaint, Request, Restyle
from engine.operations.progress import Progress
from engine.wav_writer import sidecar_path

__all__ = [
    "Audio",
    "AudioEmptyError",
    "AudioFileError",
    "AudioMissingError",
    "AudioNotFiniteError",
    "AudioUnreadableError",
    "CancelledError",
    "ClipTooLongError",
    "DeviceUnavailableError",
    "EmptyPromptError",
    "Engine",
    "EngineError",
    "Generate",
    "Inpaint",
    "InvalidRequestError",
    "ModelBrokenError",
    "ModelEntry",
    "ModelNotFoundError",
    "ModelUnloadedError",
    "OutOfMemoryError",
    "OutputExistsError",
    "OutputWriteError",
    "Progress",
    "PromptTooLongError",
    "RegionError",
    "Request",
    "Restyle",
    "SampleRateError",
    "TooManyChannelsError",
    "list_models",
    "read_story",
    "sidecar_path",
]
