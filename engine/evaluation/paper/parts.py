"""The parts of the rerun: what each compares, with which figures, and of which cells it consists. Pure: no tensor."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.evaluation.paper.cells import Cell
from engine.evaluation.paper.variants import TRAINED_BY_PART
from engine.evaluation.paper_budget import Budget

TRAINED, STEPS, GUIDANCE, UPSCALING, INPAINTING = "trained", "steps", "guidance", "upscaling", "inpainting"
AUTOENCODER = "autoencoder"  # no net: corpus clips through the autoencoder, the best that any net can reach
UNPROCESSED, PROCESSED = "unprocessed", "processed"

_METRICS = "frechet", "inception", "kl", "accuracy"


@dataclass(frozen=True)
class VariantRow:
    """A variant in a table."""

    experiment: str
    variant: str
    title: str


@dataclass(frozen=True)
class Table:
    rows: tuple[VariantRow, ...]
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class PaperPart:
    name: str
    title: str
    text: str  # what was done
    tables: tuple[Table, ...]

    def cells(self, budget: Budget) -> list[Cell]:
        """Seed by seed, so that every comparison has its first result early."""
        rows = [row for table in self.tables for row in table.rows]
        seeds = {row: budget.trained_seeds if row.experiment == TRAINED else budget.sampled_seeds for row in rows}
        return [
            Cell(row.experiment, row.variant, seed)
            for seed in range(1, max(seeds.values()) + 1)
            for row in rows
            if seed <= seeds[row]
        ]


def parts_of(budget: Budget) -> dict[str, PaperPart]:
    """All parts by name, in the order in which they run."""
    parts = (
        PaperPart(
            "conditioning",
            "Audio or text as the condition (figures 6 and 7)",
            _CONDITIONING,
            (_trained("conditioning"),),
        ),
        PaperPart(
            "encoder", "A text encoder without contrastive training (figure 5)", _ENCODER, (_trained("encoder"),)
        ),
        PaperPart(
            "ablation", "Attention, balanced sampling, augmentation (figure 9)", _ABLATION, (_trained("ablation"),)
        ),
        PaperPart("objective", "What the net predicts (not in the paper)", _OBJECTIVE, (_trained("objective"),)),
        PaperPart("steps", "Steps of DDIM (figure 10)", _STEPS, (_sampled(STEPS, budget.step_counts, "steps"),)),
        PaperPart("guidance", "Guidance scale", _GUIDANCE, (_sampled(GUIDANCE, budget.guidance_scales, "scale"),)),
        PaperPart(
            "editing",
            "Super-resolution and inpainting (figure 8)",
            _EDITING,
            (
                Table(_edits(UPSCALING, "the clip at 8 kHz", "upscaled by words"), ("lsd", "lsd_db")),
                Table(
                    _edits(INPAINTING, "the clip with its gap", "inpainted by words"),
                    ("hole_frechet", "hole_accuracy", "frechet", "accuracy"),
                ),
            ),
        ),
    )
    return {part.name: part for part in parts}


def _trained(part: str) -> Table:
    rows = [VariantRow(TRAINED, variant.name, variant.title) for variant in TRAINED_BY_PART[part]]
    return Table(
        (*rows, VariantRow(TRAINED, AUTOENCODER, "corpus clips through the autoencoder")), (*_METRICS, "class_accuracy")
    )


def _sampled(experiment: str, values: Sequence[float], unit: str) -> Table:
    return Table(tuple(VariantRow(experiment, f"{value:g}", f"{unit} {value:g}") for value in values), _METRICS)


def _edits(experiment: str, without: str, done: str) -> tuple[VariantRow, VariantRow]:
    return VariantRow(experiment, UNPROCESSED, without), VariantRow(experiment, PROCESSED, done)


_CONDITIONING = (
    "Short trainings from one start differ in what the condition is: the embedding of the sound itself (the paper's"
    " choice), that of a caption, or either of them, half and half. All are prompted with text. The paper compares"
    " audio with text and audio."
)
_ENCODER = (
    "The paper conditions on RoBERTa, which was trained without sounds, in the place of CLAP. Here two encoders stand"
    " for it: a tower like CLAP's that has learnt from captions to name their classes, and a bag of character n-grams"
    " in random directions. Both must be trained on text, since no sound has an embedding in their space; CLAP trained"
    " on text is the fair neighbour."
)
_ABLATION = (
    "Simple attention is one self-attention in the place of a block of two and a feed-forward net, with a start of its"
    " own that had as many steps. The corpus has as many clips of each class; so for balanced sampling it is given a"
    " long tail (the class of rank r has (1 + r)^-0.75 of the clips), in training and in the test, and classes are then"
    " drawn as they are or equally often; these two rows compare with each other only. Conditioning augmentation adds"
    " mixtures of two clips, λ ~ Beta(5, 5), conditioned on the mixture's own embedding."
)
_OBJECTIVE = (
    "The net of the first row predicts v (Salimans and Ho 2022), as the shipped one does. The paper's predicts the"
    " noise: here with a start of its own that had as many steps. In the last row the loss at each level of noise is"
    " divided by its expectation, as `retake train ldm` does; the start is the first row's."
)
_STEPS = "The shipped model with DDIM, everything else as it is by default."
_GUIDANCE = (
    "The shipped model with its default sampler and steps. The paper speaks of a balance between quality and diversity;"
    " its figures are not in the version that we use."
)
_EDITING = (
    "The shipped model on held-out corpus clips, with their captions. Super-resolution: clips are brought to 8 kHz and"
    " back up; the distance is to the whole clip, in the paper's unit and in dB with silence left out. Inpainting: the"
    " middle half of each clip is silenced and filled; the paper gives FAD of whole clips by VGGish, here the"
    " classifier's features of them, and of the gap alone."
)
