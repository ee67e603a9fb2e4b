"""The classifier: a small CNN that names the class of a sound and its attributes, trained on corpus clips only.

It shares nothing with the model that it evaluates: another architecture than the CLAP tower, other seeds, no generated
clip. `engine/evaluation/train_classifier.py` trains it; the shipped weights are in `engine/weights/classifier/`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.audio import Audio
from engine.errors import AudioEmptyError, ModelBrokenError
from engine.evaluation.attribute_head import AttributeHead, statistics_of
from engine.evaluation.evaluation_errors import NotFiniteError
from engine.mel import LogMel, MelConfig

SAMPLE_RATE = 16_000  # Hz
WEIGHTS_FILE, METADATA_FILE = "classifier.safetensors", "classifier.json"
SHIPPED = Path(__file__).parents[1] / "weights" / "classifier"
MINIMUM_S = 0.1  # shorter sounds are not classified
RANGE = 11.5  # natural-log units below the loudest point that count: 100 dB
BATCH = 16  # clips per call


class ClassifierOutput(NamedTuple):
    """The net's output for B clips."""

    classes: Tensor  # logits [B, classes]
    attributes: dict[str, Tensor]  # kind -> logits [B, values]
    embedding: Tensor  # [B, D]


class SoundClassifier(nn.Module):
    """log-mel [B, 1, N, M] of any length -> logits [B, classes]; `predict` returns the attributes too.

    Each clip is measured relative to its own loudest point, so its level does not matter (apart from the floor).
    Only the head for attributes, some of which are levels, gets the level of that point.
    """

    feature_mean: Tensor  # [D] over the training clips
    feature_std: Tensor  # [D]

    def __init__(
        self,
        classes: Sequence[str],
        attributes: Mapping[str, Sequence[str]] | None = None,  # kind -> its values
        channels: Sequence[int] = (24, 48, 96, 128),
        embedding_dim: int = 64,
    ) -> None:
        super().__init__()
        self.classes = tuple(classes)
        self.attributes = {kind: tuple(values) for kind, values in (attributes or {}).items()}
        layers: list[nn.Module] = [*_convolution(1, channels[0], kernel=(5, 3), stride=(4, 2))]  # 40 ms, two bins
        for narrow, wide in pairwise(channels):
            layers += [*_convolution(narrow, wide, stride=(2, 2)), *_convolution(wide, wide)]
        self.layers = nn.Sequential(*layers)
        self.embedding = nn.Linear(2 * channels[-1], embedding_dim)
        self.head = nn.Linear(embedding_dim, len(self.classes))
        self.attribute_ear = AttributeHead(self.attributes, channels[-1], MelConfig().num_mels)
        self.register_buffer("feature_mean", torch.zeros(embedding_dim))
        self.register_buffer("feature_std", torch.ones(embedding_dim))

    def predict(self, log_mel: Tensor, loudest: Tensor | None = None) -> ClassifierOutput:
        """[B, 1, N, M] -> class and attributes; `loudest` [B] is the level to believe in, the clips' own if None."""
        logits, embedding, statistics = self.forward_features(log_mel, loudest)
        return ClassifierOutput(logits, self.attribute_ear(statistics), embedding)

    def forward_features(self, log_mel: Tensor, loudest: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """The same -> logits of the classes, embedding [B, D], and the attribute head's statistics, [B, S]."""
        own = log_mel.amax(dim=(1, 2, 3))
        prepared = (log_mel - own[:, None, None, None]).clamp(min=-RANGE) / 4 + 1
        found = self.layers(prepared)
        embedding = self.embedding(torch.cat([found.mean(dim=(2, 3)), found.amax(dim=(2, 3))], dim=1))
        statistics = statistics_of(prepared[:, 0], found, (own if loudest is None else loudest) / 4)
        return self.head(torch.relu(embedding)), embedding, statistics

    def scaled(self, embedding: Tensor) -> Tensor:
        """Every dimension at unit variance over corpus clips: the features of Fréchet distances, [B, D]."""
        return (embedding - self.feature_mean) / self.feature_std

    def forward(self, log_mel: Tensor) -> Tensor:
        return self.predict(log_mel).classes


@dataclass(frozen=True)
class Classification:
    """What the classifier made of n clips."""

    names: tuple[str, ...]  # the class each clip was recognised as
    confidences: NDArray[np.float64]  # [n], 0 to 1
    logits: NDArray[np.float64]  # [n, classes]
    features: NDArray[np.float64]  # [n, D]
    attributes: tuple[dict[str, str], ...]  # of each clip: kind -> the likeliest of its values


def classify(classifier: SoundClassifier, waveforms: Iterable[NDArray[np.float32]]) -> Classification:
    """Name each mono waveform [T] at 16 kHz. Raises AudioEmptyError below 0.1 s, NotFiniteError for NaN or infinity."""
    log_mel, clips = LogMel(MelConfig()), [_checked(waveform) for waveform in waveforms]
    return classify_log_mels(classifier, (log_mel(torch.from_numpy(batch)) for batch in _batches(clips)))


@torch.no_grad()
def classify_log_mels(classifier: SoundClassifier, batches: Iterable[Tensor]) -> Classification:
    """Name each log-mel of the batches [B, 1, N, M]: for sounds that have not been through a vocoder."""
    names: list[str] = []
    attributes: list[dict[str, str]] = []
    logits, features = [np.zeros((0, len(classifier.classes)))], [np.zeros((0, classifier.embedding.out_features))]
    confidences = [np.zeros(0)]
    for batch in batches:
        output = classifier.predict(batch)
        likelihood, best = output.classes.softmax(dim=1).max(dim=1)
        names += [classifier.classes[index] for index in best.tolist()]
        confidences.append(likelihood.double().numpy())
        logits.append(output.classes.double().numpy())
        features.append(classifier.scaled(output.embedding).double().numpy())
        attributes += _likeliest(classifier, output.attributes, len(batch))
    return Classification(
        tuple(names), np.concatenate(confidences), np.concatenate(logits), np.concatenate(features), tuple(attributes)
    )


def _likeliest(classifier: SoundClassifier, logits: Mapping[str, Tensor], clips: int) -> list[dict[str, str]]:
    best = {kind: scores.argmax(dim=1).tolist() for kind, scores in logits.items()}
    return [{kind: classifier.attributes[kind][best[kind][clip]] for kind in best} for clip in range(clips)]


def mono_16_khz(clip: Audio) -> NDArray[np.float32]:
    """Return the mean of the clip's channels at the classifier's rate: [T]."""
    mono = clip.to_mono()
    prepared = mono if mono.sample_rate == SAMPLE_RATE else mono.resample(SAMPLE_RATE)
    return np.ascontiguousarray(prepared.samples[0], dtype=np.float32)


def save_classifier(classifier: SoundClassifier, folder: Path, metadata: dict[str, object]) -> None:
    """Write float16 weights and a JSON with the classes, the attributes and how it was trained."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: t.half() if t.is_floating_point() else t for name, t in classifier.state_dict().items()}
    save_file(weights, folder / WEIGHTS_FILE)
    known = {"classes": list(classifier.classes), "attributes": classifier.attributes}
    text = json.dumps({**known, **metadata}, indent=2)
    (folder / METADATA_FILE).write_text(text + "\n", encoding="utf-8")


def load_classifier(folder: Path = SHIPPED) -> SoundClassifier:
    """Raises ModelBrokenError when the folder does not hold a classifier."""
    try:
        metadata = json.loads((folder / METADATA_FILE).read_text(encoding="utf-8"))
        classifier = SoundClassifier(metadata["classes"], metadata["attributes"])
        classifier.load_state_dict(load_file(folder / WEIGHTS_FILE))
    except (OSError, ValueError, KeyError, AttributeError, RuntimeError, SafetensorError) as error:
        raise ModelBrokenError(folder, str(error)) from error
    return classifier.eval()


def _convolution(
    narrow: int, wide: int, kernel: tuple[int, int] = (3, 3), stride: tuple[int, int] = (1, 1)
) -> tuple[nn.Module, nn.Module, nn.Module]:
    padding = (kernel[0] // 2, kernel[1] // 2)
    return nn.Conv2d(narrow, wide, kernel, stride, padding, bias=False), nn.BatchNorm2d(wide), nn.ReLU()


def _batches(clips: Sequence[NDArray[np.float32]]) -> Iterable[NDArray[np.float32]]:
    """Neighbours of equal length together, at most BATCH at once: [B, T]."""
    start = 0
    for index in range(1, len(clips) + 1):
        if index == len(clips) or len(clips[index]) != len(clips[start]) or index - start == BATCH:
            yield np.stack(clips[start:index])
            start = index


def _checked(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    waveform = np.asarray(waveform, dtype=np.float32)
    if len(waveform) < MINIMUM_S * SAMPLE_RATE:
        raise AudioEmptyError(len(waveform) / SAMPLE_RATE, MINIMUM_S)
    bad = int((~np.isfinite(waveform)).sum())
    if bad:
        raise NotFiniteError("a clip to be judged", bad)
    return waveform
