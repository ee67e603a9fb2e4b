"""Two sets of clips compared by one extractor: Fréchet distance, inception score, KL; and the seed pipeline."""

import numpy as np

from engine.evaluation.divergence import gaussian_divergence, sigmoid_divergence, softmax_divergence
from engine.evaluation.evaluation_errors import NoPairsError, TooFewClipsError
from engine.evaluation.feature_extraction import ExtractedFeatures
from engine.evaluation.frechet import frechet_distance
from engine.evaluation.inception import SPLITS, inception_score
from engine.evaluation.kernel_distance import kernel_distance
from engine.evaluation.report import Measurement

_ENOUGH_A_SPLIT = 50  # clips, below which the size of a split matters more than its content


def measure(extractor: str, generated: ExtractedFeatures, reference: ExtractedFeatures, *, paired: bool) -> Measurement:
    """What the extractor allows: the two distances always; IS if it names classes; KL if there are pairs too.

    With VGGish the Frechet distance is the Frechet audio distance (FAD). Pairs have the same position on both sides.
    """
    features = generated.features, reference.features
    figures = {"frechet": frechet_distance(*features), "kernel": kernel_distance(*features)}
    notes = _few_rows(generated, reference)
    if generated.logits is not None and reference.logits is not None:
        score = inception_score(generated.logits)
        figures |= {"inception": score.mean, "inception_deviation": score.deviation}
        notes += _few_splits(len(generated.logits), score.splits)
        if paired:
            figures["kl_softmax"] = softmax_divergence(generated.logits, reference.logits)
            figures["kl_sigmoid"] = sigmoid_divergence(generated.logits, reference.logits)
    sizes = len(generated.features), len(reference.features), generated.features.shape[1]
    return Measurement(extractor, figures, *sizes, tuple(notes))


def measure_as_seed(
    generated: ExtractedFeatures, reference: ExtractedFeatures, names: list[str], *, paired: bool
) -> Measurement:
    """The pipeline of the report that Retake began with: each pair alone on VGGish's released features, then means.

    Its Frechet distance compares the few seconds of one clip with those of its partner; its IS takes the features as
    logits and a clip's seconds as the set; its KL is that of two Gaussians. The metrics are comparable only with
    each other, since a handful of rows says little about 128 dimensions.

    Raises:
        NoPairsError: the clips are not paired.
        TooFewClipsError: a clip has one second only, which has no spread; the error names it.
    """
    if not paired:
        raise NoPairsError("the seed pipeline")
    rows = []
    for name, made, wanted in zip(names, generated.rows, reference.rows, strict=True):
        if min(len(made), len(wanted)) < 2:
            raise TooFewClipsError(f"{name} (counted in pieces of 0.96 s)", min(len(made), len(wanted)), 2)
        rows.append((frechet_distance(made, wanted), inception_score(made).mean, gaussian_divergence(made, wanted)))
    figures = dict(zip(("frechet", "inception", "kl_gaussian"), np.mean(rows, axis=0).tolist(), strict=True))
    sizes = len(generated.features), len(reference.features), generated.features.shape[1]
    note = f"means over {len(rows)} pairs, each compared by itself; not the paper's FD, IS and KL"
    return Measurement("seed pipeline, vggish", figures, *sizes, (note,))


def _few_rows(generated: ExtractedFeatures, reference: ExtractedFeatures) -> list[str]:
    dimensions, rows = generated.features.shape[1], min(len(generated.features), len(reference.features))
    if rows > dimensions:
        return []
    few = f"{rows} rows are too few for the covariance of {dimensions} features: the Frechet distance is too large"
    enough = f"at least {dimensions + 1} are needed, and comparisons only at equal numbers"
    return [f"{few}; {enough}; the kernel distance needs no such number"]


def _few_splits(clips: int, splits: int) -> list[str]:
    if clips >= _ENOUGH_A_SPLIT * SPLITS:
        return []
    if splits == SPLITS:
        most, enough = -(-clips // splits), _ENOUGH_A_SPLIT * SPLITS
        return [f"in splits of {most} clips the inception score is at most {most}; at least {enough} clips are needed"]
    return [f"{clips} clips are too few for {SPLITS} splits: all are scored at once; at least {2 * SPLITS} are needed"]
