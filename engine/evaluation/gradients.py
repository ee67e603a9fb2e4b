"""How sharp a sound is: the mean slope of its log-mel along time and along frequency, where it is audible.

Blurred contours and noise in the place of lines and clicks have small slopes, clicks and beating lines large ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.evaluation.evaluation_errors import NotFiniteError
from engine.mel import LogMel, MelConfig

AUDIBLE = 6.9  # natural-log units below the loudest cell of a clip: 60 dB
TOLERANCE = 0.2  # by which a class may be blurred or rough
MOVING = frozenset(
    {"siren", "birds", "laser", "drops", "cat", "dog", "cow", "wolf", "owl", "rooster", "coin", "whoosh", "power_up"}
    | {"bubbles", "singing", "laughter", "speech", "flute"}
)
"""Sounds of the corpus whose pitch moves: their contours are what a model blurs first."""

Waveform = NDArray[np.float32]  # [T] at 16 kHz


@dataclass(frozen=True)
class GradientRow:
    """Generated clips of one class over corpus clips: 1 is as sharp, less is blurred."""

    sound: str
    over_time: float
    over_frequency: float
    is_moving: bool

    @property
    def is_close(self) -> bool:
        """Whether both are within the tolerance."""
        return max(abs(self.over_time - 1), abs(self.over_frequency - 1)) <= TOLERANCE


def gradient_energy(log_mel: Tensor) -> tuple[float, float]:
    """Log-mel [N, M] -> mean |slope| over time (per frame) and over frequency (per bin), natural-log units.

    Cells more than 60 dB below the loudest one are lifted to that line; a slope counts if either of its two ends is
    above it. A clip in which nothing differs has none.
    """
    line = log_mel.max() - AUDIBLE
    lifted, audible = log_mel.clamp(min=line), log_mel > line
    over_time = _mean(lifted.diff(dim=0).abs(), audible[1:] | audible[:-1])
    return over_time, _mean(lifted.diff(dim=1).abs(), audible[:, 1:] | audible[:, :-1])


def gradient_rows(
    truths: Sequence[str], generated: Sequence[Waveform], corpus: Sequence[Waveform]
) -> tuple[GradientRow, ...]:
    """One row a class, in the order in which the classes first appear; clips of one place have one class.

    Raises NotFiniteError where a clip is not finite, or a ratio is not, since the corpus clips have no slope at all.
    """
    made, wanted = _energies(generated, "a generated clip"), _energies(corpus, "a corpus clip")
    rows = []
    for sound in dict.fromkeys(truths):
        chosen = [truth == sound for truth in truths]
        means = wanted[chosen].mean(axis=0)
        if not means.all():
            raise NotFiniteError(f"the sharpness of {sound} beside silent corpus clips", int((means == 0).sum()))
        ratios = made[chosen].mean(axis=0) / means
        rows.append(GradientRow(sound, float(ratios[0]), float(ratios[1]), sound in MOVING))
    return tuple(rows)


def _energies(waveforms: Sequence[Waveform], what: str) -> NDArray[np.float64]:
    """[n, 2], of each clip over time and over frequency."""
    log_mel, rows = LogMel(MelConfig()), []
    for waveform in waveforms:
        bad = int((~np.isfinite(waveform)).sum())
        if bad:
            raise NotFiniteError(what, bad)
        rows.append(gradient_energy(log_mel(torch.from_numpy(waveform[None]))[0, 0]))
    return np.array(rows)


def _mean(slopes: Tensor, counts: Tensor) -> float:
    return float(slopes[counts].double().mean()) if counts.any() else 0.0
