"""Everything that can go wrong in the engine, as a tree; each class writes its own sentence from facts.

EngineError                     code, text, hint
  InvalidRequestError           a parameter of a request is out of range (the caller's mistake)
    EmptyPromptError
    PromptTooLongError
    RegionError                 a region that is empty, reversed or outside the clip
  AudioFileError                a file that cannot be used as a clip
    AudioMissingError
    AudioUnreadableError
    AudioEmptyError
    AudioNotFiniteError
    ClipTooLongError
    TooManyChannelsError
    SampleRateError
  OutputExistsError             something already lies where the result should go
  OutputWriteError              the disk refused (full, read-only, no such folder)
  ModelNotFoundError            no model of that name or at that path
  ModelBrokenError              a model folder that does not hold what its config promises
  ModelUnloadedError            the engine gave its model's memory back
  DeviceUnavailableError        cuda or mps was asked for and is not there
  OutOfMemoryError              the device ran out of memory
  EvaluationError               a measurement that would not mean anything
    FolderMissingError
    TooFewClipsError
    ClipUnusableError           one file of a folder cannot be read as a clip
    NotFiniteError              NaN or infinity where a number was to be compared
    RateMismatchError           two clips that should be compared have different sample rates
    LengthMismatchError
    PairMissingError            a clip without its partner or its caption
    CaptionsError               a captions file that cannot be read
  PackageMissingError           an optional package that this command needs is not installed
  CancelledError                should_stop said so; nothing was written
"""

from collections.abc import Iterable
from pathlib import Path


class EngineError(Exception):
    """A failure that a person can act on: `text` says what happened and what was expected, `hint` what to do next."""

    code = "engine_error"

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.text, self.hint)


def _rebuild(kind: type[EngineError], text: str, hint: str) -> EngineError:
    """Carry an error across a process border without calling its fact-taking constructor again."""
    error = kind.__new__(kind)
    EngineError.__init__(error, text, hint)
    return error


class InvalidRequestError(EngineError):
    """A parameter of a request has a value that cannot be used."""

    code = "bad_value"

    def __init__(self, name: str, value: object, expected: str, hint: str | None = None) -> None:
        super().__init__(f"{name} is {value!r}; expected {expected}", hint or f"send {name} as {expected}")


class EmptyPromptError(InvalidRequestError):
    code = "empty_prompt"

    def __init__(self) -> None:
        super().__init__(
            "prompt", "", "a few words", 'say what it should sound like, for example "heavy rain on a tin roof"'
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


class ClipTooLongError(AudioFileError):
    code = "clip_too_long"

    def __init__(self, seconds: float, limit_s: float) -> None:
        super().__init__(
            f"{seconds:.1f} s are too many; at most {limit_s:g} s can be handled at once",
            "split the clip, or choose a region of it",
        )


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


class OutputExistsError(EngineError):
    code = "output_exists"

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already and is not overwritten", "choose another name or folder")


class OutputWriteError(EngineError):
    code = "output_failed"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} could not be written: {reason}",
            "free some space or choose a folder that you may write to; nothing was left behind",
        )


class ModelNotFoundError(EngineError):
    code = "model_missing"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no model {name!r}; installed: {', '.join(known)}", "see `retake models list`")


class ModelBrokenError(EngineError):
    code = "model_broken"

    def __init__(self, where: object, reason: str) -> None:
        super().__init__(f"the model at {where} cannot be used: {reason}", "install it again")


class ModelUnloadedError(EngineError):
    code = "model_unloaded"

    def __init__(self, name: str) -> None:
        super().__init__(f"the model {name!r} was unloaded", "load it again with Engine.load")


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
    """Rendering was stopped because `should_stop` said so; nothing was written."""

    code = "cancelled"

    def __init__(self) -> None:
        super().__init__("the job was cancelled", "nothing was written; ask again whenever you like")


class EvaluationError(EngineError):
    """A measurement that would not mean anything."""

    code = "evaluation_failed"


class FolderMissingError(EvaluationError):
    code = "folder_missing"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"there is no folder at {path}", "give two folders of clips: the generated ones, then the reference"
        )


class ClipUnusableError(EvaluationError):
    code = "clip_unusable"

    def __init__(self, path: Path, cause: EngineError) -> None:
        super().__init__(f"{path}: {cause.text}", cause.hint)


class TooFewClipsError(EvaluationError):
    code = "too_few_clips"

    def __init__(self, what: str, count: int, minimum: int) -> None:
        super().__init__(
            f"{what} holds {count} clips; at least {minimum} are needed", "add clips, or ask for more per class"
        )


class NotFiniteError(EvaluationError):
    code = "not_finite"

    def __init__(self, what: str, count: int) -> None:
        super().__init__(
            f"{what} holds {count} values that are not numbers (NaN or infinite)", "render those clips again"
        )


class RateMismatchError(EvaluationError):
    code = "rate_mismatch"

    def __init__(self, name: str, rate: int, expected: int) -> None:
        super().__init__(
            f"{name} has {rate} Hz; the other clips have {expected} Hz",
            "render both folders at one sample rate; resampling one side would move every figure",
        )


class LengthMismatchError(EvaluationError):
    code = "length_mismatch"

    def __init__(self, name: str, seconds: float, expected_s: float) -> None:
        super().__init__(
            f"{name} lasts {seconds:.2f} s; its reference lasts {expected_s:.2f} s", "cut both to the same length"
        )


class PairMissingError(EvaluationError):
    code = "pair_missing"

    def __init__(self, what: str, where: object, names: Iterable[str]) -> None:
        missing = list(names)
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        super().__init__(f"{where} has no {what} for {shown}", "give both sides the same names, or no common ones")


class CaptionsError(EvaluationError):
    code = "bad_captions"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} could not be read as captions: {reason}",
            'use a CSV with the columns file,caption[,class], or JSON such as {"rain.wav": "heavy rain"}',
        )


class PackageMissingError(EngineError):
    code = "package_missing"

    def __init__(self, package: str, purpose: str, extra: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed", f'pip install "retake[{extra}]"'
        )
