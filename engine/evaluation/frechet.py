"""Frechet distance between two sets of feature vectors, each taken as a Gaussian. Pure: NumPy in, a number out."""

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.evaluation_errors import NotFiniteError, TooFewClipsError

Features = NDArray[np.float64]  # [n, D], one row a clip


def frechet_distance(first: Features, second: Features) -> float:
    """|m1 - m2|² + Tr(S1 + S2 - 2 (S1 S2)^½) (Heusel et al. 2017, eq. 6; Kilgour et al. 2019 for audio).

    The trace of the root is the sum of the singular values of A Bᵀ, with A and B the centred features over the roots of
    n - 1: the eigenvalues of S1 S2 are their squares. So no matrix root is needed, singular covariances (n <= D) need
    no epsilon, and the result is real and not negative. It still grows as n shrinks: compare at equal n only.

    Raises TooFewClipsError below two rows, NotFiniteError for NaN or infinity, ValueError for different widths.
    """
    first, second = checked(first, "the first feature set"), checked(second, "the second feature set")
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"features have {first.shape[1]} and {second.shape[1]} columns; expected the same")
    mean_gap = first.mean(axis=0) - second.mean(axis=0)
    root_1, root_2 = _covariance_root(first), _covariance_root(second)
    cross = np.linalg.svd(root_1 @ root_2.T, compute_uv=False).sum()
    distance = mean_gap @ mean_gap + (root_1**2).sum() + (root_2**2).sum() - 2 * cross
    return max(float(distance), 0.0)


def _covariance_root(features: Features) -> Features:
    """R with RᵀR = the unbiased covariance: [min(n, D), D]."""
    centred = (features - features.mean(axis=0)) / np.sqrt(len(features) - 1)
    return np.linalg.qr(centred).R


def checked(features: Features, what: str) -> Features:
    """As float64, [n, D]. Raises TooFewClipsError below two rows, NotFiniteError for NaN or infinity."""
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or len(features) < 2:
        raise TooFewClipsError(what, len(np.atleast_2d(features)) if features.size else 0, 2)
    bad = int((~np.isfinite(features)).sum())
    if bad:
        raise NotFiniteError(what, bad)
    return features
