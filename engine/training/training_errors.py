"""What cannot be trained on, as a tree; each class writes its own sentence from facts.

TrainingError                 in engine/errors.py
  ManifestError               a list of clips that cannot be read, or of which nothing is left
  StartDiffersError           a run that began from another model
  RunBegunError               a run that holds parts already
  ClipsDifferError            a run's folder holds the clips of another list
  RecordingsMissingError      a folder without recordings of the sounds that are to be learnt
  ClapUntrainedError          a text tower that has nothing to learn from yet
  DenoiserMissingError        a draft net that has nothing to learn from yet
  DenoiserChangedError        trajectories of a denoiser that has been trained since
  ClassUnknownError           an emphasis on a class that the clips do not have
  CorpusDiffersError          a run's folder holds another part of the corpus, or a list's clips
  CurvesDifferError           a run whose denoiser follows other curves
  NothingToLearnError         recordings of which none has highs
  ProcessesError              more processes than there are cards for
"""

from collections.abc import Sequence
from pathlib import Path

from engine.errors import TrainingError

_EXAMPLE = '{"data": [{"wav": "a.wav", "caption": "rain"}]}'


class ManifestError(TrainingError):
    code = "bad_manifest"

    def __init__(self, path: Path, reason: str, hint: str = "") -> None:
        super().__init__(
            f"{path} could not be used as a list of clips: {reason}",
            hint or f"use a CSV with the columns file,caption, or JSON such as {_EXAMPLE}",
        )


class StartDiffersError(TrainingError):
    code = "start_differs"

    def __init__(self, folder: Path, began: str | None, asked: str) -> None:
        super().__init__(
            f"the run in {folder} began {f'from {began!r}' if began else 'from nothing'}, not from {asked!r}",
            "give another --run folder, or go on without --start",
        )


class RunBegunError(TrainingError):
    code = "run_begun"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} holds trained parts already; taking a model apart there would replace them",
            "give another --run folder",
        )


class ClipsDifferError(TrainingError):
    code = "clips_differ"

    def __init__(self, folder: Path, manifest: Path) -> None:
        super().__init__(
            f"{folder} holds the clips of another list than {manifest}, or of an older state of it",
            "give another --run folder; one run learns from one list",
        )


class RecordingsMissingError(TrainingError):
    code = "no_recordings"

    def __init__(self, folder: Path, sounds: Sequence[str]) -> None:
        super().__init__(
            f"there are no recordings of {', '.join(sounds[:3])} and the other {len(sounds) - 3} sounds in {folder}",
            "name a folder with a clips.csv (path,kind,package), or with a folder of clips for each kind of sound",
        )


class ClapUntrainedError(TrainingError):
    code = "clap_untrained"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} holds no trained CLAP whose audio tower could be kept",
            "train both towers first: retake train clap with the same --run, without --keep-audio",
        )


class ClassUnknownError(TrainingError):
    code = "class_unknown"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            f"the clips have no class {name!r}",
            f"name one of these: {', '.join(known)}" if known else "leave the emphasis out: the clips have no classes",
        )


class DenoiserMissingError(TrainingError):
    code = "denoiser_missing"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} holds no trained denoiser for the draft net to learn from",
            "train it first: retake train ldm with the same --run",
        )


class DenoiserChangedError(TrainingError):
    code = "denoiser_changed"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"the walks in {folder} are those of another denoiser, guidance or timesteps than this run's",
            f"remove {folder}, and the draft net is distilled anew",
        )


class CorpusDiffersError(TrainingError):
    code = "corpus_differs"

    def __init__(self, folder: Path, held: str, asked: str) -> None:
        super().__init__(
            f"{folder} holds {held}, not {asked}",
            "choose another folder, or ask for what it holds; one run learns from one set of clips",
        )


class CurvesDifferError(TrainingError):
    code = "curves_differ"

    def __init__(self, folder: Path, known: Sequence[str], asked: Sequence[str]) -> None:
        began = f"to follow {', '.join(known)}" if known else "without curves"
        super().__init__(
            f"the denoiser in {folder} has learnt {began}, not {', '.join(asked)}",
            "leave --curves out; or join the run, take its model apart with `retake train split` into another, and add"
            " curves there",
        )


class ProcessesError(TrainingError):
    code = "too_many_processes"

    def __init__(self, num_processes: int, device: str, num_cards: int) -> None:
        super().__init__(
            f"{num_processes} processes cannot train together on {device}: each needs a card of its own,"
            f" and there {'is' if num_cards == 1 else 'are'} {num_cards}",
            f"give --processes {num_cards}, or --device cpu",
        )


class NothingToLearnError(TrainingError):
    code = "nothing_to_learn"

    def __init__(self, files: int) -> None:
        super().__init__(
            f"none of {files} sound files reaches above 11 kHz",
            "give folders with recordings at 44.1 kHz or more that no encoder cut off",
        )
