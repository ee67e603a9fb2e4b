"""How labelled recordings are recognised, as frozen values: as JSON for machines, as a text table for people."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engine.evaluation.report import aligned

FEW = 5  # names among which a recording's own should be
BINS = 10  # of confidence, for the calibration error

Ranking = Sequence[tuple[str, float]]
"""All sounds that a listener knows with their scores, which add up to 1; best first."""


@dataclass(frozen=True)
class KindRow:
    """How the recordings of one kind were heard."""

    kind: str
    clips: int
    first: int  # whose own kind is heard first
    in_five: int
    median_rank: float  # of the own kind; 1 is best
    heard_as: dict[str, int]  # the wrong ones heard first, most frequent first


@dataclass(frozen=True)
class ListenerRow:
    """One listener's hits; shares are 0 to 1."""

    listener: str
    first: float
    in_five: float
    first_over_kinds: float  # the same with every kind counting alike, however many recordings it has
    in_five_over_kinds: float
    confidence: float  # mean score of what is heard first
    calibration_error: float  # mean gap of confidence and share right, over ten bins of confidence (Guo et al. 2017)
    kinds: tuple[KindRow, ...]


def listener_row(listener: str, truths: Sequence[str], rankings: Sequence[Ranking]) -> ListenerRow:
    """Return the figures of one listener; truth k is the kind of the recording of ranking k."""
    ranks = [[name for name, _ in ranking].index(truth) + 1 for truth, ranking in zip(truths, rankings, strict=True)]
    confidences = [ranking[0][1] for ranking in rankings]
    kinds = _kind_rows(truths, rankings, ranks)
    return ListenerRow(
        listener,
        first=sum(rank == 1 for rank in ranks) / len(ranks),
        in_five=sum(rank <= FEW for rank in ranks) / len(ranks),
        first_over_kinds=sum(row.first / row.clips for row in kinds) / len(kinds),
        in_five_over_kinds=sum(row.in_five / row.clips for row in kinds) / len(kinds),
        confidence=sum(confidences) / len(confidences),
        calibration_error=calibration_error(confidences, [rank == 1 for rank in ranks]),
        kinds=kinds,
    )


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Return the expected calibration error (Guo et al. 2017, equation 3): 0 where scores are shares of what is right.

    Confidences are sorted into ten bins of equal width; each bin's gap counts by its share of the clips.
    """
    gaps = [0.0] * BINS  # sums of confidence less what is right
    for confidence, hit in zip(confidences, right, strict=True):
        gaps[min(int(confidence * BINS), BINS - 1)] += confidence - hit
    return sum(abs(gap) for gap in gaps) / len(confidences)


def _kind_rows(truths: Sequence[str], rankings: Sequence[Ranking], ranks: Sequence[int]) -> tuple[KindRow, ...]:
    rows = []
    for kind in sorted(set(truths)):
        places = [place for place, truth in enumerate(truths) if truth == kind]
        own = sorted(ranks[place] for place in places)
        heard = Counter(rankings[place][0][0] for place in places if ranks[place] > 1)
        middle = (own[(len(own) - 1) // 2] + own[len(own) // 2]) / 2
        few = sum(rank <= FEW for rank in own)
        rows.append(KindRow(kind, len(own), own.count(1), few, middle, dict(heard.most_common())))
    return tuple(rows)


@dataclass(frozen=True)
class RecognitionReport:
    """Every listener on the same recordings."""

    model: str
    clips: int
    sounds: int  # that the listeners choose from
    listeners: tuple[ListenerRow, ...]
    left_out: tuple[str, ...] = ()  # files of kinds that a listener does not know

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def to_text(self) -> str:
        kinds = len(self.listeners[0].kinds)
        head = f"{self.clips} recordings of {kinds} kinds, heard by listeners who choose from {self.sounds}"
        blocks = [[head], *(self._lines(row) for row in self.listeners)]
        if self.left_out:
            blocks.append([f"left out, of unknown kinds: {', '.join(self.left_out)}"])
        return "\n\n".join("\n".join(block) for block in blocks)

    def _lines(self, row: ListenerRow) -> list[str]:
        alike = f"kinds alike {row.first_over_kinds:.1%}", f"kinds alike {row.in_five_over_kinds:.1%}"
        chance = f"by chance {1 / self.sounds:.1%}", f"by chance {min(FEW / self.sounds, 1):.1%}"
        figures = [
            ("heard right first", f"{row.first:.1%}", f"{alike[0]}, {chance[0]}"),
            (f"within {FEW}", f"{row.in_five:.1%}", f"{alike[1]}, {chance[1]}"),
            ("mean score of the first", f"{row.confidence:.1%}", "as large as the share right, if scores are honest"),
            ("calibration error", f"{row.calibration_error:.1%}", f"the same in {BINS} bins of scores"),
        ]
        table = [f"{'kind':<14} {'first':>7} {f'in {FEW}':>7} {'rank':>5}   heard as"]
        for kind in row.kinds:
            wrong = ", ".join(f"{name} {count}" for name, count in kind.heard_as.items())
            hits = f"{f'{kind.first}/{kind.clips}':>7} {f'{kind.in_five}/{kind.clips}':>7}"
            table.append(f"{kind.kind:<14} {hits} {kind.median_rank:>5g}   {wrong}".rstrip())
        return [f"{row.listener}:", *aligned(figures), *table]
