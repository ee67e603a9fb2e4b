"""Text-guided sound from Python: what `import retake` offers, and nothing else.

    import retake

    engine = retake.Engine.load()
    clip = retake.Audio.read("clip.wav")
    takes = engine.run(retake.Restyle(clip, "thunder", strength=0.5))
    takes[0].write("thunder.wav")  # in a notebook, `takes[0]` alone shows a player and the waveform

Importing it is quick: PyTorch and the rest are imported when the first name that needs them is used.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge import __version__
    from engine import (
        LONGEST_S,
        Audio,
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
        Engine,
        EngineError,
        FullBandError,
        Generate,
        HeardSound,
        Inpaint,
        InvalidRequestError,
        ModelBrokenError,
        ModelEntry,
        ModelFamilyUnknownError,
        ModelNotFoundError,
        ModelUnloadedError,
        OutOfMemoryError,
        OutputExistsError,
        OutputWriteError,
        Progress,
        PromptTooLongError,
        RegionError,
        Request,
        Restyle,
        SampleRateError,
        SilentClipError,
        TooManyChannelsError,
        Upscale,
        Vary,
        list_models,
        read_story,
    )

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
    "OutOfMemoryError",
    "OutputExistsError",
    "OutputWriteError",
    "Progress",
    "PromptTooLongError",
    "RegionError",
    "Request",
    "Restyle",
    "SampleRateError",
    "SilentClipError",
    "TooManyChannelsError",
    "Upscale",
    "Vary",
    "__version__",
    "list_models",
    "read_story",
]

_HOME = Path(__file__).resolve().parents[1]
"""Where Retake's packages lie side by side."""


if not TYPE_CHECKING:  # a checker that saw it would take every misspelt name for Any

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'retake' has no attribute {name!r}")
        value = getattr(_own("bridge" if name == "__version__" else "engine"), name)
        globals()[name] = value  # so that the next use costs nothing
        return value


def __dir__() -> list[str]:
    """List the public names, for tab completion."""
    return __all__


def _own(package: str) -> Any:
    """Import one of Retake's packages, and not a user's file of that name.

    Raises:
        ImportError: Python finds another one first.
    """
    module = importlib.import_module(package)
    file = Path(module.__file__ or "").resolve()
    if file.parent.parent != _HOME:
        raise ImportError(
            f"`import retake` needs Retake's own package `{package}`, but Python finds {file} first; "
            "rename that file, or take its folder out of PYTHONPATH and the working directory"
        )
    return module
