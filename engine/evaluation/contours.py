"""The loudness of a clip over time: its envelope, how alike two of them are, the jump at a moment. Pure arithmetic."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.evaluation_errors import NotFiniteError, PairMissingError, TooFewClipsError

HOP_S = 0.01  # seconds from one point of an envelope to the next
WINDOW_S = 0.04  # seconds over which each is measured
RANGE_DB = 60.0  # below the loudest point, where an envelope ends
SIDE_S = 0.05  # seconds that are measured on either side of a border
FLOOR_DB = -80.0  # of full scale: softer levels count as this
_STEADY_DB = 1e-3  # standard deviation of an envelope that does not move

Waveform = NDArray[np.float32]  # [T]
Envelope = NDArray[np.float64]  # [N], dB


def loudness_envelope(waveform: Waveform, sample_rate: int) -> Envelope:
    """Level of every hundredth of a second, dB, at most 60 dB below the loudest one: [T] -> [N].

    Raises NotFiniteError for NaN or infinity.
    """
    bad = int((~np.isfinite(waveform)).sum())
    if bad:
        raise NotFiniteError("a clip whose loudness was to be followed", bad)
    size, hop = round(WINDOW_S * sample_rate), round(HOP_S * sample_rate)
    padded = np.pad(np.square(waveform, dtype=np.float64), (size // 2, size - size // 2))
    total = np.concatenate([[0.0], np.cumsum(padded)])
    starts = np.arange(0, len(waveform), hop)
    power = np.maximum(total[starts + size] - total[starts], 0) / size
    level = 10 * np.log10(power + 1e-12)
    envelope: Envelope = np.maximum(level, level.max() - RANGE_DB)
    return envelope


def envelope_likeness(sources: Sequence[Envelope], results: Sequence[Envelope]) -> tuple[float, float]:
    """Mean Pearson correlation of each result with its own source, and, as chance has it, with all the others.

    An envelope that does not move is like none: 0. Envelopes have equal lengths.

    Raises:
        PairMissingError: there are more of one kind than of the other.
        TooFewClipsError: there are no others.
    """
    if len(sources) != len(results):
        fewer = min(len(sources), len(results))
        names = (f"clip {index}" for index in range(fewer, max(len(sources), len(results))))
        raise PairMissingError("partner", "the list of sources and results", names)
    if len(sources) < 2:
        raise TooFewClipsError("the list of sources and results", len(sources), 2)
    table = np.stack([_standard(one) for one in results]) @ np.stack([_standard(one) for one in sources]).T
    own = float(np.trace(table))
    count = len(sources)
    return own / count, (float(table.sum()) - own) / (count * (count - 1))


def border_jump_db(waveform: Waveform, sample_rate: int, border: int) -> float:
    """Change of level from the twentieth of a second before sample `border` to the one after it: dB, never negative."""
    side = round(SIDE_S * sample_rate)
    before, after = (
        _level_db(part) for part in (waveform[max(0, border - side) : border], waveform[border : border + side])
    )
    return abs(after - before)


def _level_db(part: Waveform) -> float:
    power = float(np.mean(np.square(part, dtype=np.float64))) if len(part) else 0.0
    return max(FLOOR_DB, 10 * math.log10(power + 1e-12))


def _standard(envelope: Envelope) -> Envelope:
    """Mean 0 and length 1, so that a dot product is a correlation."""
    centred = envelope - envelope.mean()
    if centred.std() < _STEADY_DB:
        return np.zeros_like(centred)
    standard: Envelope = centred / np.linalg.norm(centred)
    return standard
