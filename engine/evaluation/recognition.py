"""What the listeners make of labelled recordings: the classifier, and CLAP's audio tower as `retake listen` uses it.

The label of a recording is the name of its folder, which is a kind of sound out of the corpus' table.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from engine.audio import Audio
from engine.errors import AudioFileError, CancelledError, InvalidRequestError, SilentClipError
from engine.evaluation.classifier import SoundClassifier, mono_16_khz
from engine.evaluation.evaluation_errors import ClipUnusableError
from engine.evaluation.folders import sound_files_in
from engine.evaluation.recognition_report import Ranking, RecognitionReport, listener_row
from engine.listening.hear import HeardSound
from engine.training.recordings import as_heard

CLASSIFIER, CLAP = "classifier", "CLAP"


class Listener(Protocol):
    """The part of the engine that is put to the test."""

    def listen(self, clip: Audio, names: Sequence[str] | None = None) -> list[HeardSound]: ...


@dataclass(frozen=True)
class LabelledFile:
    """A recording, and the kind of sound that it is said to be."""

    path: Path
    kind: str


def recognise_recordings(
    engine: Listener,
    classifier: SoundClassifier,
    folder: Path,
    model: str = "nano",
    on_clip: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> RecognitionReport:
    """Let both listeners hear every recording in the folders of a folder; both choose from the classifier's sounds.

    Recordings of kinds that the classifier does not know are left out, and the report names them.

    Raises:
        ClipFolderMissingError, TooFewClipsError: there is no such folder, or no sound file in it.
        InvalidRequestError: no recording is of a kind that is known.
        ClipUnusableError: a recording cannot be read, or there is nothing to hear in it.
        CancelledError: `should_stop` says so.
    """
    files = labelled_files(folder)
    known = [file for file in files if file.kind in classifier.classes]
    if not known:
        what = "folders named after kinds of sounds, such as dog or car_horn, with recordings in them"
        raise InvalidRequestError("recordings", sorted({file.kind for file in files}), what)
    rankings: list[tuple[Ranking, Ranking]] = []
    for index, file in enumerate(known):
        if should_stop and should_stop():
            raise CancelledError
        try:
            clip = Audio.read(file.path)
            heard = engine.listen(clip, classifier.classes)
        except (AudioFileError, SilentClipError) as error:
            raise ClipUnusableError(file.path, error) from error
        rankings.append((_by_classifier(classifier, clip), [(sound.name, sound.score) for sound in heard]))
        if on_clip:
            on_clip(index + 1, len(known))
    truths = [file.kind for file in known]
    by_classifier, by_clap = zip(*rankings, strict=True)
    return RecognitionReport(
        model=model,
        clips=len(known),
        sounds=len(classifier.classes),
        listeners=(listener_row(CLASSIFIER, truths, by_classifier), listener_row(CLAP, truths, by_clap)),
        left_out=tuple(_relative(folder, [file for file in files if file not in known])),
    )


def labelled_files(folder: Path) -> list[LabelledFile]:
    """Return the sound files in a folder and in those in it, in order, each with the name of its own folder.

    "car horn" and "car-horn" are the kind car_horn.
    """
    return [
        LabelledFile(path, path.parent.name.lower().replace(" ", "_").replace("-", "_"))
        for path in sound_files_in(folder)
    ]


def _relative(folder: Path, files: Sequence[LabelledFile]) -> Iterator[str]:
    return (file.path.relative_to(folder).as_posix() for file in files)


@torch.no_grad()
def _by_classifier(classifier: SoundClassifier, clip: Audio) -> Ranking:
    """Hear up to three windows of a clip; a short one is repeated, as when the classifier is taught."""
    likelihood = classifier(as_heard(mono_16_khz(clip))[:, None]).softmax(dim=1).mean(dim=0).tolist()
    return sorted(zip(classifier.classes, likelihood, strict=True), key=lambda row: -row[1])
