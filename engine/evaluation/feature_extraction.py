"""Clips -> features and logits, by the nets that compare sounds: our own classifier, PANNs' Cnn14, VGGish."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from engine.audio import Audio
from engine.errors import AudioEmptyError
from engine.evaluation.classifier import MINIMUM_S, SoundClassifier, classify, mono_16_khz
from engine.evaluation.cnn14 import MINIMUM_SAMPLES, SAMPLE_RATE, Cnn14
from engine.evaluation.evaluation_errors import ClipUnusableError, NotFiniteError
from engine.evaluation.vggish import Vggish, examples_of, seconds_needed
from engine.sinc import resample_by_sinc

Waveform = NDArray[np.float32]  # [T] at 16 kHz
Features = NDArray[np.float64]  # [rows, D]
Logits = NDArray[np.float64]  # [K]


class FeatureExtractor(Protocol):
    """A net that extracts the features of one clip at a time."""

    name: str
    minimum_s: float

    def extract(self, waveform: Waveform) -> tuple[Features, Logits | None]:
        """Features, one or more rows a clip, and the clip's logits where the net names classes."""
        ...


@dataclass(frozen=True)
class ExtractedFeatures:
    """What a listener made of n clips."""

    features: Features  # the rows of all clips together
    rows: tuple[Features, ...]  # those of each clip
    logits: NDArray[np.float64] | None  # [n, K]


Preprocessing = Callable[[Audio], Waveform]  # how a clip is prepared for an extractor


def as_published(clip: Audio) -> Waveform:
    """A clip prepared as in audioldm_eval, [T] at 16 kHz, T at least two seconds.

    The first channel only, its mean removed, by the short sinc to 16 kHz, short ones padded with silence.
    """
    first = torch.from_numpy(clip.samples[:1]).float()
    prepared = resample_by_sinc(first - first.mean(), clip.sample_rate, SAMPLE_RATE)
    return F.pad(prepared, (0, max(0, MINIMUM_SAMPLES - prepared.shape[1])))[0].numpy()


def extract_features(
    extractor: FeatureExtractor, folder: Path, clips: Mapping[str, Audio], preprocess: Preprocessing = mono_16_khz
) -> ExtractedFeatures:
    """Extract the features of every clip, in the order of the mapping.

    Raises:
        ClipUnusableError: a clip is too short for the net.
        NotFiniteError: the net made NaN or infinity of one; the error names the file.
    """
    rows, logits = [], []
    for name, clip in clips.items():
        waveform = preprocess(clip)
        if len(waveform) < extractor.minimum_s * SAMPLE_RATE:
            raise ClipUnusableError(folder / name, AudioEmptyError(clip.seconds, extractor.minimum_s))
        features, scores = extractor.extract(waveform)
        bad = int((~np.isfinite(features)).sum()) + (0 if scores is None else int((~np.isfinite(scores)).sum()))
        if bad:
            raise NotFiniteError(f"what {extractor.name} made of {folder / name}", bad)
        rows.append(features)
        if scores is not None:
            logits.append(scores)
    return ExtractedFeatures(np.concatenate(rows), tuple(rows), np.stack(logits) if logits else None)


class ClassifierExtractor:
    """Our own classifier of the corpus: 64 features a clip; ships with Retake, so it works offline."""

    name = "judge"
    minimum_s = MINIMUM_S

    def __init__(self, classifier: SoundClassifier) -> None:
        self._classifier = classifier

    def extract(self, waveform: Waveform) -> tuple[Features, Logits | None]:
        prepared = classify(self._classifier, [waveform])
        return prepared.features, prepared.logits[0]


class PannsExtractor:
    """Cnn14 as audioldm_eval uses it: mean removed, short clips filled up to 2 s, 2048 features a clip."""

    name = "panns"
    minimum_s = MINIMUM_S

    def __init__(self, net: Cnn14) -> None:
        self._net = net

    @torch.no_grad()
    def extract(self, waveform: Waveform) -> tuple[Features, Logits | None]:
        embedding, logits = self._net(torch.from_numpy(waveform - waveform.mean())[None])
        return embedding.double().numpy(), logits[0].double().numpy()


class VggishExtractor:
    """VGGish: 128 features for each 0.96 s, no classes; `released` as AudioSet's 8-bit embeddings are."""

    minimum_s = seconds_needed()

    def __init__(self, net: Vggish, *, released: bool = False) -> None:
        self.name = "vggish, released form" if released else "vggish"
        self._net, self._released = net, released

    @torch.no_grad()
    def extract(self, waveform: Waveform) -> tuple[Features, Logits | None]:
        examples = examples_of(torch.from_numpy(waveform))
        embeddings = self._net.released(examples) if self._released else self._net(examples)
        return embeddings.double().numpy(), None
