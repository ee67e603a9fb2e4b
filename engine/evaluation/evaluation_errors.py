"""Why a measurement would not mean anything, as a tree; each class writes its own sentence from facts.

EvaluationError                 in engine/errors.py
  ClipFolderMissingError
  TooFewClipsError
    NoClipsError              a folder without any
  ClipUnusableError           one file of a folder cannot be read as a clip
  NotFiniteError              NaN or infinity where a number was to be compared
  RateMismatchError           two clips that should be compared have different sample rates
  LengthMismatchError
  PairMissingError            a clip without its partner or its caption
  NoPairsError                a measurement by pairs of clips that are not paired
  CaptionsError               a captions file that cannot be read
  ExtractorMissingError       the weights of a feature extractor are not there
  ExtractorBrokenError        they are there, but are not that net's
  PaperFolderError            a folder that the paper's rerun cannot continue in
  PaperNotInstalledError      the paper's rerun stays out of installed packages
"""

from collections.abc import Iterable
from pathlib import Path

from engine.errors import EngineError, EvaluationError


class ClipFolderMissingError(EvaluationError):
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


class NoClipsError(TooFewClipsError):
    def __init__(self, folder: Path) -> None:
        EvaluationError.__init__(self, f"there are no sound files in {folder}", "add WAV, AIFF, FLAC, Ogg or MP3 files")


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


class NoPairsError(EvaluationError):
    code = "no_pairs"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} compares pairs, and no clip has a partner of the same name",
            "give the clips of both folders the same names",
        )


class CaptionsError(EvaluationError):
    code = "bad_captions"

    def __init__(self, path: Path, reason: str, hint: str = "") -> None:
        super().__init__(
            f"{path} could not be read as captions: {reason}",
            hint or 'use a CSV with the columns file,caption[,class], or JSON such as {"rain.wav": "heavy rain"}',
        )


class ExtractorMissingError(EvaluationError):
    code = "listener_missing"

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(
            f"the weights of {name} are not at {path}",
            f"`retake models pull {name}` fetches them; --weights FOLDER names a folder where {path.name} lies",
        )


class ExtractorBrokenError(EvaluationError):
    code = "listener_broken"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} could not be used: {reason}", "delete it and pull it again; compare its size")


class PaperFolderError(EvaluationError):
    code = "paper_folder"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"{folder} cannot take the results: {reason}",
            "give another -o FOLDER; one folder holds one budget, model and corpus",
        )


class PaperNotInstalledError(EvaluationError):
    code = "paper_not_installed"

    def __init__(self) -> None:
        super().__init__(
            "--paper is not part of this installation; it runs from a clone of Retake's repository",
            "clone the repository, and there run `pip install -e .` and the same command",
        )
