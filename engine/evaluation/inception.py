"""Inception score: how sure a classifier is of each clip, and how different the clips are from each other."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from engine.evaluation.evaluation_errors import NotFiniteError, TooFewClipsError

SPLITS = 10
_ORDER = 2020  # seed of the shuffling, as torch-fidelity and audioldm_eval have it

Logits = NDArray[np.float64]  # [n, K], one row a clip


@dataclass(frozen=True)
class InceptionScore:
    mean: float  # over the splits; 1 (all alike, or all unsure) to the number of classes
    deviation: float
    splits: int


def inception_score(logits: Logits, splits: int = SPLITS) -> InceptionScore:
    """The exponential of the mean over clips of KL(p(y|clip) || p(y)), softmax (Salimans et al. 2016, §4).

    The clips are shuffled and dealt into splits, each of which is scored for itself: a score cannot exceed the number
    of clips in a split. With fewer than two clips a split all clips are scored at once.

    Raises TooFewClipsError below two rows, NotFiniteError for NaN or infinity.
    """
    logits = np.asarray(logits, dtype=np.float64)
    if len(logits) < 2:
        raise TooFewClipsError("the set to be scored", len(logits), 2)
    bad = int((~np.isfinite(logits)).sum())
    if bad:
        raise NotFiniteError("the logits", bad)
    count = splits if len(logits) >= 2 * splits else 1
    shuffled = logits[np.random.RandomState(_ORDER).permutation(len(logits))]  # the published order
    scores = [_score(part) for part in _deal(shuffled, count)]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)), count)


def _deal(rows: Logits, count: int) -> list[Logits]:
    edges = [index * len(rows) // count for index in range(count + 1)]
    return [rows[start:end] for start, end in pairwise(edges)]


def _score(logits: Logits) -> float:
    each = log_softmax(logits, axis=1)
    together = logsumexp(each, axis=0) - np.log(len(each))
    return float(np.exp((np.exp(each) * (each - together)).sum(axis=1).mean()))
