"""The paper's FD, IS and KL, with our classifier in the place of PANNs, and accuracy."""

from collections.abc import Sequence

import numpy as np

from engine.evaluation.classifier import Classification
from engine.evaluation.feature_extraction import ExtractedFeatures
from engine.evaluation.measurements import measure


def figures_of(truths: Sequence[str], made: Classification, corpus: Classification) -> dict[str, float]:
    """Frechet distance, inception score, KL, and the share of clips recognised as what they should be.

    Pairs have the same position on both sides. `class_accuracy` weighs every class alike, however many clips it has.
    """
    figures = measure("judge", _as_features(made), _as_features(corpus), paired=True).figures
    right = np.array([truth == name for truth, name in zip(truths, made.names, strict=True)])
    classes = [right[[truth == sound for truth in truths]].mean() for sound in dict.fromkeys(truths)]
    return {
        "frechet": figures["frechet"],
        "inception": figures["inception"],
        "kl": figures["kl_softmax"],
        "accuracy": float(right.mean()),
        "class_accuracy": float(np.mean(classes)),
    }


def _as_features(result: Classification) -> ExtractedFeatures:
    return ExtractedFeatures(result.features, tuple(row[None] for row in result.features), result.logits)
