"""Kullback-Leibler divergences of a classifier's outputs for a generated clip and its reference."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from engine.evaluation.evaluation_errors import NotFiniteError, PairMissingError

EPSILON = 1e-6  # added to the generated clip's probabilities, as audioldm_eval does
_REGULARISER = 1e-6  # of covariances

Logits = NDArray[np.float64]  # [n, K], one row a clip
Features = NDArray[np.float64]  # [n, D]


def softmax_divergence(generated: Logits, reference: Logits) -> float:
    """Mean over pairs of KL(reference || generated) of the softmax: one sound a clip. The paper's KL."""
    generated, reference = _pairs(generated, reference)
    return _divergence(softmax(generated, axis=1), softmax(reference, axis=1))


def sigmoid_divergence(generated: Logits, reference: Logits) -> float:
    """The same sum over sigmoids: several sounds a clip.

    Sigmoids do not add up to one, so this may be negative; it is the form of audioldm_eval, which leaves out the
    probabilities of absence.
    """
    generated, reference = _pairs(generated, reference)
    return _divergence(expit(generated), expit(reference))


def gaussian_divergence(generated: Features, reference: Features) -> float:
    """KL(reference || generated) of two sets of features, each taken as a Gaussian with 1e-6 added to its variances.

    The seed report's KL, which has no class probabilities to compare. Its determinants are compared as logarithms here:
    as products of 128 small numbers they are zero in floating point.
    """
    (m1, s1), (m2, s2) = (_fitted(side) for side in (reference, generated))
    gap = m2 - m1
    spread = np.trace(np.linalg.solve(s2, s1)) + gap @ np.linalg.solve(s2, gap) - len(gap)
    return 0.5 * float(spread + np.linalg.slogdet(s2).logabsdet - np.linalg.slogdet(s1).logabsdet)


def _fitted(features: Features) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    features = _finite(features)
    covariance = np.atleast_2d(np.cov(features, rowvar=False))
    return features.mean(axis=0), covariance + _REGULARISER * np.eye(features.shape[1])


def _divergence(generated: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    seen = np.where(reference > 0, reference, 1.0)  # 0·log 0 is 0
    terms = np.where(reference > 0, reference * (np.log(seen) - np.log(generated + EPSILON)), 0.0)
    return float(terms.sum(axis=1).mean())


def _pairs(generated: Logits, reference: Logits) -> tuple[Logits, Logits]:
    if len(generated) != len(reference):
        fewer = min(len(generated), len(reference))
        rows = [f"row {index}" for index in range(fewer, max(len(generated), len(reference)))]
        raise PairMissingError("partner", "one set of logits", rows)
    return _finite(generated), _finite(reference)


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    values = np.asarray(values, dtype=np.float64)
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise NotFiniteError("what the net heard", bad)
    return values
