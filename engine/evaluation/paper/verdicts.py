"""The paper's claims tested on our figures: computed from the seeds, never written by hand."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from engine.evaluation.paper.cells import Cell, CellResult
from engine.evaluation.paper.published import LOWER_IS_BETTER, PUBLISHED, Claim

_BEYOND = 2.0  # standard errors


class ClaimStatus(StrEnum):
    AGREES = "agrees"
    DISAGREES = "disagrees"
    UNDECIDED = "undecided"
    UNKNOWN = "not measured"


@dataclass(frozen=True)
class ClaimVerdict:
    """`advantage` is by how much the variant that the paper finds better is so here, the mean over seeds."""

    claim: Claim
    finding: ClaimStatus
    advantage: float
    error: float  # standard error of the advantage; infinite for a single seed
    num_seeds: int


@dataclass(frozen=True)
class Spread:
    """A figure over the seeds."""

    mean: float
    deviation: float  # NaN for a single seed
    num_seeds: int


def check_claim(claim: Claim, outcomes: Iterable[CellResult]) -> ClaimVerdict:
    """Compared seed by seed: both variants had the same prompts and the same noise.

    The claim agrees, or disagrees, where the advantage is more than two standard errors from 0.
    """
    figures = _by_seed(outcomes, claim.metric)
    better, worse = (figures.get((claim.experiment, variant), {}) for variant in (claim.better, claim.worse))
    sign = 1 if LOWER_IS_BETTER[claim.metric] else -1
    advantages = [sign * (worse[seed] - better[seed]) for seed in sorted(better.keys() & worse.keys())]
    if not advantages:
        return ClaimVerdict(claim, ClaimStatus.UNKNOWN, math.nan, math.nan, 0)
    mean, count = float(np.mean(advantages)), len(advantages)
    error = float(np.std(advantages, ddof=1) / math.sqrt(count)) if count > 1 else math.inf
    finding = ClaimStatus.AGREES if mean > 0 else ClaimStatus.DISAGREES
    return ClaimVerdict(claim, finding if abs(mean) > _BEYOND * error else ClaimStatus.UNDECIDED, mean, error, count)


def spread_of(outcomes: Iterable[CellResult], experiment: str, variant: str, metric: str) -> Spread | None:
    """Mean and deviation over seeds, None where nothing has been measured."""
    values = list(_by_seed(outcomes, metric).get((experiment, variant), {}).values())
    return spread_over(values) if values else None


def spread_over(values: Sequence[float]) -> Spread:
    """Of one value or more."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    return Spread(float(np.mean(values)), deviation, len(values))


def published_pair(claim: Claim) -> tuple[float, float] | None:
    """The paper's figures of the better and the worse variant, None where it prints none."""
    pair = tuple(
        PUBLISHED.get((claim.experiment, variant), {}).get(claim.metric) for variant in (claim.better, claim.worse)
    )
    return None if pair[0] is None or pair[1] is None else (pair[0], pair[1])


def _by_seed(outcomes: Iterable[CellResult], metric: str) -> Mapping[tuple[str, str], Mapping[int, float]]:
    """(experiment, variant) -> seed -> figure."""
    found: dict[tuple[str, str], dict[int, float]] = {}
    for outcome in outcomes:
        cell: Cell = outcome.cell
        if metric in outcome.figures:
            found.setdefault((cell.experiment, cell.variant), {})[cell.seed] = outcome.figures[metric]
    return found
