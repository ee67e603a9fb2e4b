"""The results of an evaluation as frozen values: as JSON for machines, as a text table for people."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engine.evaluation.gradients import TOLERANCE, GradientRow


@dataclass(frozen=True)
class ClassRow:
    """How the clips of one class were recognised."""

    sound: str
    clips: int
    right: int
    heard_as: dict[str, int]  # the wrong classes, most frequent first


def class_rows(truths: Sequence[str], recognised: Sequence[str]) -> tuple[ClassRow, ...]:
    """One row a class, in the order in which the classes first appear."""
    rows = []
    for sound in dict.fromkeys(truths):
        names = [name for truth, name in zip(truths, recognised, strict=True) if truth == sound]
        wrong = Counter(name for name in names if name != sound)
        rows.append(ClassRow(sound, len(names), names.count(sound), dict(wrong.most_common())))
    return tuple(rows)


@dataclass(frozen=True)
class AttributeRow:
    """How one kind of attribute was recognised in the clips whose prompts name it."""

    kind: str
    clips: int
    right: int
    right_corpus: int  # in the corpus clips that the same prompts describe


def attribute_rows(
    spoken: Sequence[Mapping[str, str]],
    recognised: Sequence[Mapping[str, str]],
    recognised_corpus: Sequence[Mapping[str, str]],
) -> tuple[AttributeRow, ...]:
    """One row a kind, in alphabetical order; all three are kind -> value for each clip."""
    rows = []
    for kind in sorted({kind for one in spoken for kind in one}):
        wanted = [(place, one[kind]) for place, one in enumerate(spoken) if kind in one]
        right, corpus = (
            sum(side[at].get(kind) == value for at, value in wanted) for side in (recognised, recognised_corpus)
        )
        rows.append(AttributeRow(kind, len(wanted), right, corpus))
    return tuple(rows)


@dataclass(frozen=True)
class Reconstruction:
    """Corpus clips on their way through the model's autoencoder and vocoder: what no generated clip can surpass."""

    frechet: float  # against the same corpus clips as the generated ones; others than these
    lsd_db: float
    mel_l1: float  # natural-log units


@dataclass(frozen=True)
class Measurement:
    """One extractor's metrics of two sets of clips; `notes` say how far they can be trusted."""

    listener: str
    figures: dict[str, float]  # frechet, inception, kl_softmax, …: those that the net allows
    generated: int  # rows of features: clips, or pieces of clips
    reference: int
    dimensions: int
    notes: tuple[str, ...] = ()

    def to_lines(self) -> list[str]:
        sizes = f"{self.generated} against {self.reference} rows of {self.dimensions} features"
        rows = [(_TITLES[name], f"{value:.3f}", _MEANINGS[name]) for name, value in self.figures.items()]
        return [f"{self.listener}: {sizes}", *aligned(rows), *(f"note: {note}" for note in self.notes)]


_TITLES = {
    "frechet": "Frechet distance",
    "kernel": "kernel distance",
    "inception": "inception score",
    "inception_deviation": "its deviation",
    "kl_softmax": "KL, softmax",
    "kl_sigmoid": "KL, sigmoid",
    "kl_gaussian": "KL, Gaussian",
}
_MEANINGS = {
    "frechet": "smaller is closer",
    "kernel": "likewise, 0 for sets alike, however few; 100 times the squared MMD (KAD)",
    "inception": "of the generated clips; larger is clearer and more varied",
    "inception_deviation": "over its splits",
    "kl_softmax": "reference to generated, by pairs; the published KL",
    "kl_sigmoid": "reference to generated, by pairs; several sounds a clip",
    "kl_gaussian": "reference to generated, features of each pair as Gaussians",
}


@dataclass(frozen=True)
class ModelReport:
    """A model against the held-out part of the corpus: equal numbers of generated and corpus clips, same captions."""

    model: str
    clips: int
    clips_per_class: int
    seed: int
    steps: int | None  # None: the model's default
    guidance: float | None
    sampler: str | None
    accuracy: float  # 0 to 1: generated clips recognised as the class of their prompt
    accuracy_corpus: float  # the same for the corpus clips
    frechet: float  # generated against corpus
    frechet_corpus: float  # corpus against other corpus clips: the floor at this number of clips
    clap_score: float  # -1 to 1
    clap_score_corpus: float
    silent: int  # generated clips without a sound
    classes: tuple[ClassRow, ...]
    judged: Measurement  # IS and KL by the classifier, pairs of a prompt's clip and the corpus clip it describes
    attributes: tuple[AttributeRow, ...]  # only of those that the prompts speak of
    reconstruction: Reconstruction
    gradients: tuple[GradientRow, ...]
    gradients_corpus: tuple[GradientRow, ...]  # of other corpus clips over these: what chance alone does
    gradients_reconstructed: tuple[GradientRow, ...]  # corpus clips through autoencoder and vocoder over themselves
    clap_recall: float  # 0 to 1: held-out wordings whose closest corpus clip is of their class
    draft: bool = False  # whether the clips were made as drafts
    seconds: float = 5.12  # of each clip

    @property
    def attribute_accuracy(self) -> float | None:
        """Return the share of named attributes that are recognised in the generated clips; None if none is named."""
        return _share(self.attributes, "right")

    @property
    def attribute_accuracy_corpus(self) -> float | None:
        return _share(self.attributes, "right_corpus")

    def to_json(self) -> dict[str, Any]:
        shares = {name: getattr(self, name) for name in ("attribute_accuracy", "attribute_accuracy_corpus")}
        return {**asdict(self), **shares}

    def to_text(self) -> str:
        attributes = _shown(self.attribute_accuracy, "{:.1%}")
        corpus_attributes = _shown(self.attribute_accuracy_corpus, "{:.1%}")
        made, kept = self.reconstruction, f"reconstructed {self.reconstruction.frechet:.2f}"
        figures = [
            ("recognised", f"{self.accuracy:.1%}", f"corpus clips {self.accuracy_corpus:.1%}"),
            ("attributes", attributes, f"of those in the prompts; corpus clips {corpus_attributes}"),
            ("Frechet distance", f"{self.frechet:.2f}", f"{kept}, corpus against corpus {self.frechet_corpus:.2f}"),
            ("CLAP score", f"{self.clap_score:.3f}", f"corpus clips {self.clap_score_corpus:.3f}"),
            ("CLAP recall at 1", f"{self.clap_recall:.1%}", "held-out wordings that find a corpus clip of their class"),
            ("reconstruction, LSD", f"{made.lsd_db:.2f} dB", "corpus clips through autoencoder and vocoder"),
            ("the same, mel L1", f"{made.mel_l1:.3f}", "natural-log units"),
            ("silent", str(self.silent), f"of {self.clips}"),
        ]
        what = "drafts" if self.draft else "clips"
        head = (
            f"{self.model}: {self.clips} {what} of {self.seconds:g} s, {self.clips_per_class} a sound, seed {self.seed}"
        )
        blocks = [[head], list(aligned(row for row in figures if row[1])), self.judged.to_lines()]
        blocks += [_attribute_table(self.attributes), self._gradient_lines(), class_table(self.classes)]
        return "\n\n".join("\n".join(block) for block in blocks if block)

    def _gradient_lines(self) -> list[str]:
        """Return how many classes are as sharp as the corpus, those whose pitch moves, and the blurred others."""
        rows = self.gradients
        chance, kept = _close(self.gradients_corpus), _close(self.gradients_reconstructed)
        close = f"{_close(rows)} of {len(rows)} sounds within {TOLERANCE:.0%} both ways"
        lines = [
            f"slopes of the log-mel over the corpus': {close}",
            f"(other corpus clips {chance}, corpus clips through autoencoder and vocoder {kept})",
        ]
        shown = [("moving", row) for row in rows if row.is_moving]
        shown += [("beyond", row) for row in rows if not row.is_moving and not row.is_close]
        lines += [
            f"{row.sound:<14} {row.over_time:>7.2f} over time, {row.over_frequency:.2f} over frequency   ({why})"
            for why, row in shown
        ]
        return lines


def _close(rows: Sequence[GradientRow]) -> int:
    return sum(row.is_close for row in rows)


def _share(rows: Sequence[AttributeRow], right: str) -> float | None:
    clips = sum(row.clips for row in rows)
    return sum(getattr(row, right) for row in rows) / clips if clips else None


@dataclass(frozen=True)
class FolderReport:
    """Two folders of clips; a figure is None where there was nothing to take it from."""

    generated: int  # clips
    reference: int
    sample_rate: int  # Hz
    frechet: float  # grows as folders shrink: compare at equal numbers only
    pairs: int  # clips of the same name
    lsd_db: float | None
    lsd_published: float | None  # log10 units, as in papers on super-resolution
    mel_l1: float | None
    spectral_convergence: float | None
    clap_score: float | None
    accuracy: float | None
    classes: tuple[ClassRow, ...]
    measurements: tuple[Measurement, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def to_text(self) -> str:
        paired = f"{self.pairs} pairs"
        figures = [
            ("Frechet distance", f"{self.frechet:.2f}", f"{self.generated} against {self.reference} clips"),
            ("log-spectral distance", _shown(self.lsd_db, "{:.2f} dB"), paired),
            ("the same, as published", _shown(self.lsd_published, "{:.3f}"), "log10 units"),
            ("mel L1", _shown(self.mel_l1, "{:.3f}"), paired),
            ("spectral convergence", _shown(self.spectral_convergence, "{:.3f}"), paired),
            ("CLAP score", _shown(self.clap_score, "{:.3f}"), "with the captions given"),
            ("recognised", _shown(self.accuracy, "{:.1%}"), "of the clips whose caption names a class"),
        ]
        measured = [line for one in self.measurements for line in ("", *one.to_lines())]
        table = ["", *class_table(self.classes)] if self.classes else []
        return "\n".join([*aligned(row for row in figures if row[1]), *measured, *table])


def _shown(value: float | None, pattern: str) -> str:
    return "" if value is None else pattern.format(value)


def aligned(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Name, figure and note of each row under each other."""
    return [f"{name:<22} {value:>9}   ({note})" for name, value, note in rows]


def class_table(rows: Sequence[ClassRow]) -> list[str]:
    lines = [f"{'sound':<14} {'right':>7}   recognised as"]
    for row in rows:
        wrong = ", ".join(f"{name} {count}" for name, count in row.heard_as.items())
        lines.append(f"{row.sound:<14} {f'{row.right}/{row.clips}':>7}   {wrong}".rstrip())
    return lines


def _attribute_table(rows: Sequence[AttributeRow]) -> list[str]:
    lines = [f"{'attribute':<14} {'right':>7}   in corpus clips"]
    lines += [f"{row.kind:<14} {f'{row.right}/{row.clips}':>7}   {row.right_corpus}/{row.clips}" for row in rows]
    return lines if rows else []
