"""Maximum mean discrepancy between two sets of feature vectors: for folders too small for a Frechet distance.

Pure: NumPy in, a number out.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from engine.evaluation.frechet import Features, checked

SCALE = 100.0  # so that figures are of a size to read
BANDWIDTH_ROWS = 2_000  # of the reference, evenly spread, whose median distance is the kernel's bandwidth
_BLOCK = 2_000  # rows that are compared at once


def kernel_distance(generated: Features, reference: Features) -> float:
    """100 times the unbiased squared MMD (Gretton et al. 2012, eq. 3), features [n, D] and [m, D].

    The kernel is exp(-|x - y|² / 2σ²) with σ the median distance between two rows of the reference: the kernel audio
    distance (KAD, Chung et al. 2025). Its expectation does not depend on n, and for two halves of one set it is 0, so
    a few clips do, and it may come out a little below 0.

    Raises TooFewClipsError below two rows, NotFiniteError for NaN or infinity, ValueError for different widths.
    """
    generated, reference = checked(generated, "the generated features"), checked(reference, "the reference features")
    if generated.shape[1] != reference.shape[1]:
        raise ValueError(f"features have {generated.shape[1]} and {reference.shape[1]} columns; expected the same")
    every = max(1, -(-len(reference) // BANDWIDTH_ROWS))
    bandwidth = float(np.median(pdist(reference[::every]))) or 1.0  # rows that are all alike have none
    within = (_mean_of_pairs(side, bandwidth) for side in (generated, reference))
    across = _sum(generated, reference, bandwidth) / (len(generated) * len(reference))
    return SCALE * (sum(within) - 2 * across)


def _mean_of_pairs(features: Features, bandwidth: float) -> float:
    """Of the kernel over all pairs of different rows: each row with itself, which gives 1, is left out."""
    count = len(features)
    return (_sum(features, features, bandwidth) - count) / (count * (count - 1))


def _sum(first: Features, second: Features, bandwidth: float) -> float:
    return sum(
        float(_kernel(first[start : start + _BLOCK], second, bandwidth).sum()) for start in range(0, len(first), _BLOCK)
    )


def _kernel(first: Features, second: Features, bandwidth: float) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.exp(cdist(first, second, "sqeuclidean") / (-2 * bandwidth**2))
    return values
