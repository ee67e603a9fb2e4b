"""Clips by the judge's ears: the paper's FD, IS and KL, with our classifier in the place of PANNs, and accuracy."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from engine.evaluation.classifier import BATCH, Judgement, SoundClassifier
from engine.evaluation.listening import Heard
from engine.evaluation.measurements import measure


@torch.no_grad()
def judge_log_mels(classifier: SoundClassifier, log_mels: Tensor) -> Judgement:
    """Judge log-mels [n, 1, N, M] without making them waveforms: the vocoder is the same for all and is left out."""
    logits = torch.cat([classifier(part) for part in log_mels.split(BATCH)])
    features = torch.cat([classifier.features(part) for part in log_mels.split(BATCH)])
    likelihood, best = logits.softmax(dim=1).max(dim=1)
    names = tuple(classifier.classes[index] for index in best.tolist())
    return Judgement(names, *(one.double().numpy() for one in (likelihood, logits, features)))


def figures_of(truths: Sequence[str], made: Judgement, real: Judgement) -> dict[str, float]:
    """Frechet distance, inception score, KL, and the share of clips heard as what they should be.

    Pairs stand at the same place on both sides. `class_accuracy` weighs every class alike, however many clips it has.
    """
    figures = measure("judge", _heard(made), _heard(real), paired=True).figures
    right = np.array([truth == name for truth, name in zip(truths, made.names, strict=True)])
    classes = [right[[truth == sound for truth in truths]].mean() for sound in dict.fromkeys(truths)]
    return {
        "frechet": figures["frechet"],
        "inception": figures["inception"],
        "kl": figures["kl_softmax"],
        "accuracy": float(right.mean()),
        "class_accuracy": float(np.mean(classes)),
    }


def _heard(judgement: Judgement) -> Heard:
    return Heard(judgement.features, tuple(row[None] for row in judgement.features), judgement.logits)
