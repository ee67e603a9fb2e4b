"""Everything that can go wrong in the engine, as a tree; each class writes its own sentence from facts.

EngineError                     code, text, hint
  InvalidRequestError           a parameter of a request is out of range (the caller's mistake)
    EmptyPromptError
    PromptTooLongError
    RegionError                 a region that is empty, reversed or outside the clip
    FullBandError               an upscale of a clip that already reaches as high as the model
  AudioFileError                a file that cannot be used as a clip
    AudioMissingError
    AudioUnreadableError
    AudioEmptyError
    AudioNotFiniteError
    SilentClipError             a clip whose sound is needed, but that is silent
    ClipTooLongError
    TooManyChannelsError
    SampleRateError
  StoryError                    a take that cannot be made again
    SourceMissingError          the clip that it was made from is not there
    SourceChangedError          it is there, but its sound has changed
  OutputExistsError             a file of that name already exists
  OutputWriteError              the disk refused (full, read-only, no such folder)
  ModelNotFoundError            no model of that name or at that path
  ModelBrokenError              a model folder that does not hold what its config promises
    ModelFamilyUnknownError     it is of a kind that is not known here
  ModelUnloadedError            the engine was unloaded
  AudioTowerMissingError        the model's CLAP has no audio tower
  CurvesMissingError            the model has not learnt to follow a clip
  CheckpointError               a foreign checkpoint that cannot be imported: checkpoints/import_errors.py
  DownloadError                 a published checkpoint that was not downloaded: checkpoints/download_errors.py
  RemovalError                  a model that was not removed; listed there too
  DiskFullError                 less space than the files need
  DeviceUnavailableError        cuda or mps was requested, but is not available
  OutOfMemoryError              the device ran out of memory
  EvaluationError               a measurement that would not mean anything: evaluation/evaluation_errors.py
  TrainingError                 a training that cannot start: training/training_errors.py
  PackageMissingError           an optional package that this command needs is not installed
  CancelledError                should_stop returned True; nothing was written
"""

import errno
import re
import sys
from collections.abc import Iterable
from pathlib import Path


class EngineError(Exception):
    """A failure that its reader can act on: `text` says what happened and what was expected, `hint` what to do next."""

    code = "engine_error"

    def __init__(self, text: str, hint: str) -> None:
        self.text, self.hint = re.sub(r"\[(?:Errno|WinError) -?\d+\] ", "", text), hint
        super().__init__(self.text)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.text, self.hint)


def _rebuild(kind: type[EngineError], text: str, hint: str) -> EngineError:
    """Carry an error across a process border without calling its fact-taking constructor again."""
    error = kind.__new__(kind)
    EngineError.__init__(error, text, hint)
    return error


def _spelled(value: object) -> str:
    """A value as people write it."""
    if value is None:
        return "not given"
    if isinstance(value, str):
        return f"'{value}'" if value.strip() else "empty"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_spelled, value))})"
    return f"{value:.12g}" if isinstance(value, float) else str(value)


class InvalidRequestError(EngineError):
    """A parameter of a request has a value that cannot be used."""

    code = "bad_value"

    def __init__(self, name: str, value: object, expected: str, hint: str | None = None) -> None:
        super().__init__(f"{name} is {_spelled(value)}; expected {expected}", hint or f"send {name} as {expected}")


class EmptyPromptError(InvalidRequestError):
    code = "empty_prompt"

    def __init__(self) -> None:
        super().__init__(
            "prompt",
            "",
            "a few words",
            'say what it should sound like, such as "heavy rain on a tin roof", or name a clip with like',
        )


class PromptTooLongError(InvalidRequestError):
    code = "prompt_too_long"

    def __init__(self, length: int, limit: int) -> None:
        EngineError.__init__(
            self, f"the prompt has {length} characters; at most {limit} are read", "keep the words that name the sound"
        )


class RegionError(InvalidRequestError):
    code = "bad_region"

    def __init__(self, start_s: float, end_s: float, clip_s: float) -> None:
        EngineError.__init__(
            self,
            f"the region {start_s:g} s to {end_s:g} s is not in the clip; expected 0 <= start < end <= {clip_s:g} s",
            "choose a region inside the clip, its start before its end",
        )


class FullBandError(InvalidRequestError):
    code = "full_band"

    def __init__(self, clip_hz: float, highest_hz: float) -> None:
        EngineError.__init__(
            self,
            f"the clip holds sound up to {clip_hz:.0f} Hz; none can be made above {highest_hz:.0f} Hz",
            "there is nothing above to make; to have a part of the clip made anew, say from where with cutoff_hz",
        )


class AudioFileError(EngineError):
    """A file that cannot be used as a clip."""

    code = "bad_audio"


class AudioMissingError(AudioFileError):
    code = "file_missing"

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no file at {path}", "check the path; relative paths start at the working folder")


class AudioUnreadableError(AudioFileError):
    code = "file_unreadable"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} could not be read as audio: {reason}", "use WAV, AIFF, FLAC, Ogg or MP3, or render the clip to WAV"
        )
        self.reason = reason


class AudioEmptyError(AudioFileError):
    code = "clip_empty"

    def __init__(self, seconds: float, minimum_s: float) -> None:
        super().__init__(
            f"the clip lasts {seconds:.3f} s; at least {minimum_s:g} s are needed", "choose a longer clip or region"
        )


class AudioNotFiniteError(AudioFileError):
    code = "clip_not_finite"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"the clip holds {count} samples that are not numbers (NaN or infinite)",
            "render the clip again; a plug-in may have failed",
        )


class SilentClipError(AudioFileError):
    code = "clip_silent"

    def __init__(self, name: str, peak: float) -> None:
        super().__init__(
            f"{name} is silent: its largest sample is {peak:.2g}, and 0.0001 or more is expected",
            "choose a clip, or a region, that can be heard",
        )


class ClipTooLongError(AudioFileError):
    code = "clip_too_long"

    def __init__(self, seconds: float, limit_s: float) -> None:
        super().__init__(
            f"{seconds:.1f} s are too many; at most {limit_s:g} s can be handled at once",
            "split the clip, or choose a region of it",
        )
        self.seconds = seconds


class TooManyChannelsError(AudioFileError):
    code = "too_many_channels"

    def __init__(self, channels: int, limit: int) -> None:
        super().__init__(
            f"the clip has {channels} channels; at most {limit} are supported", "split it into mono or stereo clips"
        )


class SampleRateError(AudioFileError):
    code = "bad_sample_rate"

    def __init__(self, sample_rate: int, lowest: int, highest: int) -> None:
        super().__init__(
            f"the clip has {sample_rate} Hz; {lowest} to {highest} Hz are supported", "render it at 44100 or 48000 Hz"
        )


class StoryError(EngineError):
    """A take that cannot be made again from its story."""

    code = "bad_story"

    def __init__(self, reason: str, hint: str = "name a WAV that Retake made, or the .json beside it") -> None:
        super().__init__(f"the take cannot be made again: {reason}", hint)


class SourceMissingError(StoryError):
    code = "source_missing"

    def __init__(self, name: str, path: Path | None) -> None:
        where = "its story does not say where" if path is None else f"there is no file at {path}"
        super().__init__(f"it was made from a clip, and {where}", f"say where that clip lies now: --{name} FILE")


class SourceChangedError(StoryError):
    code = "source_changed"

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(
            f"{path} is not the sound any more that it was made from",
            f"say where the earlier one lies: --{name} FILE; or ask for a take of the clip as it is now",
        )


class OutputExistsError(EngineError):
    code = "output_exists"

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already and is not overwritten", "choose another name or folder")


class OutputWriteError(EngineError):
    """The result was not written, and no file was left behind; `number` is the errno."""

    code = "output_failed"

    def __init__(self, path: Path, reason: str, number: int | None = None) -> None:
        super().__init__(f"{path} could not be written: {reason}", f"{write_hint(number)}; nothing was left behind")
        self.number = number

    @property
    def is_folder_gone(self) -> bool:
        """Whether the folder, or the disk that it is on, is not there any more."""
        return self.number in _GONE


_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO, errno.EIO, errno.ENOTCONN, errno.ESTALE}
_WRITE_HINTS = {
    errno.ENOSPC: "free some space, or choose a folder on another disk",
    errno.EDQUOT: "your share of that disk is used up: remove something there, or choose a folder on another disk",
    errno.EFBIG: "that disk, or a limit of the system, takes no file so large: ask for less, or choose another disk",
    errno.EROFS: "that disk can only be read; choose a folder on another one",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.ENOENT: "the folder is not there: make it, or choose another one",
    errno.ENOTDIR: "what should be the folder is a file: choose another one",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EINVAL: 'that disk does not take the name: choose one without any of < > : " / \\ | ? *',
    errno.EILSEQ: "that disk does not take the name: choose one with plain letters",
    errno.EMFILE: "too many files are open on this machine: close some programs, and try again",
}


def write_hint(number: int | None) -> str:
    """What to do next when the system refuses to write, by its number of the reason."""
    if number in _WRITE_HINTS:
        return _WRITE_HINTS[number]
    if number in _GONE:
        return "the disk, or the connection to it, failed: check it, or choose a folder on another one"
    return "choose another name or folder"


class ModelNotFoundError(EngineError):
    code = "model_missing"

    def __init__(self, name: str, known: Iterable[str], published: str | None = None) -> None:
        if published is None:
            super().__init__(
                f"there is no model {name!r}; installed: {', '.join(known)}",
                "`retake models list` shows the installed ones, and those that `retake models pull NAME` downloads",
            )
        else:
            super().__init__(f"the model {name!r} is not downloaded yet", f"`retake models pull {published}`")


class ModelBrokenError(EngineError):
    code = "model_broken"

    def __init__(self, where: object, reason: str) -> None:
        super().__init__(f"the model at {where} cannot be used: {reason}", "install it again")


class ModelFamilyUnknownError(ModelBrokenError):
    """It is of a kind that a later Retake may know."""

    def __init__(self, where: object, family: object, known: Iterable[str]) -> None:
        EngineError.__init__(
            self,
            f"the model at {where} is of the family {_spelled(family)[:60]}; expected {' or '.join(known)}",
            "update Retake, or use another model: `retake models list` shows them",
        )


class ModelUnloadedError(EngineError):
    code = "model_unloaded"

    def __init__(self, name: str) -> None:
        super().__init__(f"the model {name!r} was unloaded", "load it again with Engine.load")


class AudioTowerMissingError(EngineError):
    """CLAP's audio tower is needed; diffusers' folders have none."""

    code = "no_audio_tower"

    def __init__(self) -> None:
        super().__init__(
            "this model reads prompts but cannot hear: it was imported without CLAP's audio tower",
            "import it again with --clap and a LAION-CLAP file, or import the original .ckpt, which has both",
        )


class CurvesMissingError(EngineError):
    """A clip is to be followed in something that the model has not learnt to follow."""

    code = "cannot_follow"

    def __init__(self, model: str, wanted: Iterable[str], known: Iterable[str]) -> None:
        able = ", ".join(known)
        super().__init__(
            f"the model {model} cannot follow a clip's {' and '.join(wanted)}; it follows {able or 'no clip at all'}",
            f"follow only {able}, or choose another model"
            if able
            else "choose a model trained with --curves, or restyle the clip: with structure it keeps its loudness",
        )


class CheckpointError(EngineError):
    """A foreign checkpoint that cannot be imported; nothing was written."""

    code = "bad_checkpoint"


class DownloadError(EngineError):
    """A published checkpoint that did not come; no model was installed."""

    code = "download_failed"


class RemovalError(EngineError):
    """A model that was not removed."""

    code = "not_removed"


class ModelDiskFullError(EngineError):
    code = "disk_full"

    def __init__(self, folder: Path, needed_bytes: int, free_bytes: int) -> None:
        super().__init__(
            f"{needed_bytes / 1e9:.1f} GB are needed in {folder}; {free_bytes / 1e9:.1f} GB are free",
            "free some space, or set RETAKE_MODELS to a folder on another disk",
        )


class DeviceUnavailableError(EngineError):
    code = "device_missing"

    def __init__(self, name: str, available: Iterable[str]) -> None:
        super().__init__(
            f"the device {name!r} is not available; available: {', '.join(available)}", "use --device auto"
        )


class OutOfMemoryError(EngineError):
    code = "out_of_memory"

    def __init__(self, device: str) -> None:
        super().__init__(
            f"{device} ran out of memory", "use fewer candidates, a shorter region, a smaller model, or --device cpu"
        )


class CancelledError(EngineError):
    """Rendering was stopped because `should_stop` returned True; nothing was written."""

    code = "cancelled"

    def __init__(self) -> None:
        super().__init__("the job was cancelled", "nothing was written; ask again whenever you like")


class EvaluationError(EngineError):
    """A measurement that would not mean anything."""

    code = "evaluation_failed"


class TrainingError(EngineError):
    """A training that cannot start."""

    code = "training_failed"


class PackageMissingError(EngineError):
    code = "package_missing"

    def __init__(self, package: str, purpose: str, extra: str) -> None:
        is_frozen = getattr(sys, "frozen", False)
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not {'in this package' if is_frozen else 'installed'}",
            "use a Retake that was installed with pip for this" if is_frozen else f'pip install "retake[{extra}]"',
        )
