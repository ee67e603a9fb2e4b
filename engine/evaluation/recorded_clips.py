"""Labelled recordings for the classifier beside its corpus clips: varied every time, divided by package to test on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from engine.evaluation.classifier import SoundClassifier
from engine.evaluation.classifier_clips import LabelledClips
from engine.sounds import SOUNDS
from engine.training.augmentation import crossed, mixed_up, record_anew
from engine.training.recordings import Recordings, as_heard, folds, read_recordings, variants

SMOOTHING = 0.1  # of the labels, which are file names, not ears
_MOST_EACH, _MOST_VARIANTS = 24, 6000  # variants of a recording, and of all together


@dataclass(frozen=True)
class RecordedClips:
    """n recordings with V variants each."""

    recordings: Recordings
    mels: Tensor  # [n, V, N, M], float16
    classes: Tensor  # [n], places in SOUNDS

    @classmethod
    def read(cls, folder: Path, seed: int) -> Self:
        """Read a folder of labelled recordings, see `engine/training/recordings.py`.

        Raises RecordingsMissingError when it holds none of the corpus' kinds.
        """
        recordings = read_recordings(folder, SOUNDS)
        count = max(2, min(_MOST_EACH, _MOST_VARIANTS // len(recordings)))
        mels = variants(recordings.waveforms, count, seed)
        return cls(recordings, mels, torch.from_numpy(recordings.places(SOUNDS)))

    def only(self, chosen: NDArray[np.int64]) -> Self:
        """Return some of them."""
        of = self.recordings
        kept = Recordings(*(tuple(row[k] for k in chosen) for row in (of.waveforms, of.kinds, of.packages)))
        return type(self)(kept, self.mels[chosen], self.classes[chosen])

    def folds(self, count: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield, for each fold of the packages, the places of the other recordings and of its own."""
        fold_of = folds(self.recordings.packages, count)
        for fold in range(count):
            yield np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)

    def loss(self, classifier: SoundClassifier, clips: LabelledClips, batch: int, generator: torch.Generator) -> Tensor:
        """Cross-entropy on `batch` recordings and half as many corpus clips, all varied."""
        counts = torch.bincount(self.classes, minlength=len(SOUNDS))[self.classes]
        chosen = torch.multinomial(counts**-0.5, batch, replacement=True, generator=generator)
        variant = torch.randint(self.mels.shape[1], (batch,), generator=generator)
        made = torch.randint(len(clips.mels), (batch // 2,), generator=generator)
        mels = record_anew(torch.cat([self.mels[chosen, variant], clips.mels[made, 0]]).float(), generator)
        named = torch.cat([self.classes[chosen], clips.classes[made]])
        targets = F.one_hot(named, len(SOUNDS)) * (1 - SMOOTHING) + SMOOTHING / len(SOUNDS)
        if torch.rand((), generator=generator) < 0.3:
            mels = crossed(mels, generator)
        if torch.rand((), generator=generator) < 0.3:
            mels, targets = mixed_up(mels, targets, generator)
        log_likelihood: Tensor = classifier(mels[:, None]).log_softmax(dim=1)
        return -(targets * log_likelihood).sum(dim=1).mean()

    @torch.no_grad()
    def logits(self, classifier: SoundClassifier) -> Tensor:
        """What the classifier makes of them as they are, [n, K]: log of the mean likelihood over the windows."""
        waveforms = self.recordings.waveforms
        likelihoods = [classifier(as_heard(waveform)[:, None]).softmax(dim=1).mean(dim=0) for waveform in waveforms]
        return torch.stack(likelihoods).log()
