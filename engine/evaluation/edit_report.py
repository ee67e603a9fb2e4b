"""The results of editing as frozen values: as JSON for machines, as a text table for people."""

from dataclasses import asdict, dataclass
from typing import Any

from engine.evaluation.report import ClassRow, aligned, class_table

ENOUGH = 65  # clips, below which the Fréchet distance of 64 features means little


@dataclass(frozen=True)
class RestyleFigures:
    """Corpus clips of one sound restyled to another, the target."""

    clips: int
    strength: float
    as_target: float  # 0 to 1: results recognised as the target
    as_source: float  # recognised as what they were
    envelope: float  # -1 to 1: mean correlation of the loudness over time with the source's own
    envelope_chance: float  # the same with the other sources'
    classes: tuple[ClassRow, ...]  # by target


@dataclass(frozen=True)
class InpaintFigures:
    """Corpus clips with a gap that was filled, and with the same gap left silent, each against the whole clips."""

    clips: int
    hole_s: float  # seconds
    context_s: float  # seconds evaluated on either side of it
    filled: float  # Frechet distance of the gap and its surroundings
    silenced: float
    filled_clips: float  # the same of whole clips
    silenced_clips: float
    jump_db: float  # mean change of level across a border of the gap
    jump_corpus_db: float  # at the same places of the whole clips

    @property
    def gain(self) -> float | None:
        """How many times closer than silence; None where nothing is left to be closer."""
        return _ratio(self.silenced, self.filled)

    @property
    def gain_clips(self) -> float | None:
        return _ratio(self.silenced_clips, self.filled_clips)


@dataclass(frozen=True)
class EditReport:
    """A model's editing of held-out corpus clips by held-out wordings."""

    model: str
    clips_per_class: int
    seed: int
    steps: int | None  # None: the model's default
    guidance: float | None
    sampler: str | None
    restyle: RestyleFigures
    inpaint: InpaintFigures

    def to_json(self) -> dict[str, Any]:
        content = asdict(self)
        content["inpaint"] |= {"gain": self.inpaint.gain, "gain_clips": self.inpaint.gain_clips}
        return content

    def to_text(self) -> str:
        moved, gaps = self.restyle, self.inpaint
        head = f"{self.model}: {moved.clips} clips, {self.clips_per_class} a sound, seed {self.seed}"
        restyled = [
            ("recognised as the target", f"{moved.as_target:.1%}", f"still as the source {moved.as_source:.1%}"),
            ("loudness over time", f"{moved.envelope:.2f}", f"correlation; by chance {moved.envelope_chance:.2f}"),
        ]
        around = f"silent {gaps.silenced:.2f}, {_times(gaps.gain)}; {gaps.context_s:g} s on either side"
        filled = [
            ("Frechet distance", f"{gaps.filled:.2f}", around),
            (
                "of whole clips",
                f"{gaps.filled_clips:.2f}",
                f"silent {gaps.silenced_clips:.2f}, {_times(gaps.gain_clips)}",
            ),
            ("jump at a border", f"{gaps.jump_db:.1f} dB", f"corpus clips {gaps.jump_corpus_db:.1f} dB"),
        ]
        few = [f"note: {gaps.clips} clips are few for a Frechet distance; at least {ENOUGH} are needed"]
        blocks = [
            [head],
            [f"restyle, strength {moved.strength:g}", *aligned(restyled)],
            [f"inpaint, gaps of {gaps.hole_s:g} s", *aligned(filled), *(few if gaps.clips < ENOUGH else [])],
            class_table(moved.classes),
        ]
        return "\n\n".join("\n".join(block) for block in blocks)


def _ratio(far: float, near: float) -> float | None:
    return far / near if near > 0 else None


def _times(gain: float | None) -> str:
    return "no distance left" if gain is None else f"{gain:.1f} times"
