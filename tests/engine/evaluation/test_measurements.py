"""Inception score, KL and Frechet distance: against independent packages, and against answers that are known."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import torch
from sklearn.metrics.pairwise import rbf_kernel
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore as TheirScore
from torchmetrics.regression import KLDivergence

from engine.evaluation.divergence import gaussian_divergence, sigmoid_divergence, softmax_divergence
from engine.evaluation.evaluation_errors import NoPairsError, NotFiniteError, PairMissingError, TooFewClipsError
from engine.evaluation.feature_extraction import ExtractedFeatures
from engine.evaluation.frechet import frechet_distance
from engine.evaluation.inception import inception_score
from engine.evaluation.kernel_distance import kernel_distance
from engine.evaluation.measurements import measure, measure_as_seed

CLASSES = 12


def logits(seed: int, count: int, scale: float = 3.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, CLASSES)) * scale


def heard(rows: np.ndarray, scores: np.ndarray | None = None, each: int = 1) -> ExtractedFeatures:
    return ExtractedFeatures(rows, tuple(np.split(rows, len(rows) // each)), scores)


class Through(torch.nn.Module):
    """A feature extractor for `torchmetrics` that lets numbers through."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        return numbers.flatten(1)


class TestFrechetDistance:
    def test_agrees_with_torchmetrics(self) -> None:
        random = np.random.default_rng(1)
        first, second = random.standard_normal((300, 8)), 0.5 + 2 * random.standard_normal((200, 8))
        theirs = FrechetInceptionDistance(feature=Through(8), input_img_size=(8, 1, 1)).set_dtype(torch.float64)
        for side, is_real in ((first, True), (second, False)):
            theirs.update(torch.from_numpy(side), real=is_real)

        assert frechet_distance(first, second) == pytest.approx(theirs.compute().item(), rel=1e-4)


class TestKernelDistance:
    def test_is_the_unbiased_discrepancy_with_the_references_median_as_bandwidth(self) -> None:
        random = np.random.default_rng(2)
        made, real = 0.3 + random.standard_normal((30, 5)), random.standard_normal((40, 5))
        gamma = 1 / (2 * np.median([np.linalg.norm(a - b) for a, b in combinations(real, 2)]) ** 2)
        within = [rbf_kernel(side, gamma=gamma)[~np.eye(len(side), dtype=bool)].mean() for side in (made, real)]

        expected = 100 * (sum(within) - 2 * rbf_kernel(made, real, gamma=gamma).mean())
        assert kernel_distance(made, real) == pytest.approx(expected, rel=1e-9)

    def test_does_not_grow_as_sets_shrink(self) -> None:
        """The mean over many small pairs of halves of one set is nothing; the Frechet distance of each is large."""
        random = np.random.default_rng(3)
        pairs = [(random.standard_normal((6, 20)), random.standard_normal((6, 20))) for _ in range(200)]

        assert abs(np.mean([kernel_distance(*pair) for pair in pairs])) < 0.5
        assert np.mean([frechet_distance(*pair) for pair in pairs]) > 10

    def test_large_sets_are_compared_in_blocks(self) -> None:
        random = np.random.default_rng(4)
        made, real = random.standard_normal((4_500, 3)), 2 + random.standard_normal((300, 3))

        assert kernel_distance(made, real) == pytest.approx(kernel_distance(made[::-1], real), rel=1e-9)
        assert kernel_distance(made, real) > 30

    def test_rows_that_are_all_alike(self) -> None:
        assert kernel_distance(np.ones((3, 2)), np.ones((4, 2))) == pytest.approx(0)

    @pytest.mark.parametrize(
        ("rows", "error"), [(np.ones((1, 2)), TooFewClipsError), (np.full((3, 2), np.nan), NotFiniteError)]
    )
    def test_what_cannot_be_compared(self, rows: np.ndarray, error: type[Exception]) -> None:
        with pytest.raises(error):
            kernel_distance(rows, np.ones((3, 2)))


class TestInceptionScore:
    @pytest.mark.filterwarnings("ignore:Metric `InceptionScore` will save:UserWarning", "ignore:std():UserWarning")
    def test_agrees_with_torchmetrics(self) -> None:
        """Undivided, since it shuffles by another generator."""
        scores = logits(1, 60)
        theirs = TheirScore(feature=Through(CLASSES), splits=1)
        theirs.update(torch.from_numpy(scores))

        assert inception_score(scores, splits=1).mean == pytest.approx(theirs.compute()[0].item(), rel=1e-5)

    def test_splits_are_scored_for_themselves_in_the_published_order(self) -> None:
        scores = logits(2, 43)
        order = np.random.RandomState(2020).permutation(43)
        parts = [scores[order][i * 43 // 10 : (i + 1) * 43 // 10] for i in range(10)]
        alone = [inception_score(part, splits=1).mean for part in parts]

        result = inception_score(scores)

        assert (result.mean, result.deviation) == (pytest.approx(np.mean(alone)), pytest.approx(np.std(alone)))
        assert result.splits == 10

    def test_sure_and_even_is_the_number_of_classes(self) -> None:
        assert inception_score(1000 * np.eye(CLASSES), splits=1).mean == pytest.approx(CLASSES)

    @pytest.mark.parametrize("row", [np.zeros(CLASSES), 1000 * np.eye(CLASSES)[3]], ids=["unsure", "always the same"])
    def test_no_variety_is_one(self, row: np.ndarray) -> None:
        assert inception_score(np.tile(row, (40, 1))).mean == pytest.approx(1.0)

    def test_few_clips_are_not_split(self) -> None:
        assert inception_score(logits(3, 19)).splits == 1

    def test_one_clip_is_refused(self) -> None:
        with pytest.raises(TooFewClipsError, match="holds 1 clips; at least 2"):
            inception_score(logits(3, 1))

    def test_nan_is_refused(self) -> None:
        scores = logits(3, 30)
        scores[4, 4] = np.nan
        with pytest.raises(NotFiniteError, match="the logits holds 1 values"):
            inception_score(scores)


class TestDivergence:
    def test_softmax_agrees_with_torchmetrics_and_scipy(self) -> None:
        made, real = logits(4, 30, 1.0), logits(5, 30, 1.0)
        p, q = (torch.from_numpy(side).softmax(dim=1) for side in (real, made))
        theirs = KLDivergence()
        theirs.update(p, q)

        ours = softmax_divergence(made, real)

        assert ours == pytest.approx(theirs.compute().item(), rel=1e-3)  # without the published epsilon
        assert ours == pytest.approx(scipy.stats.entropy(p.numpy(), q.numpy(), axis=1).mean(), rel=1e-3)

    @pytest.mark.parametrize(
        ("ours", "squash"),
        [(softmax_divergence, lambda t: t.softmax(dim=1)), (sigmoid_divergence, torch.sigmoid)],
        ids=["softmax", "sigmoid"],
    )
    def test_both_are_the_published_formula(self, ours, squash) -> None:
        """By torch's own kl_div, which takes the logarithm of the prediction, then the target."""
        made, real = logits(6, 20), logits(7, 20)
        log_q = (squash(torch.from_numpy(made)) + 1e-6).log()
        expected = torch.nn.functional.kl_div(log_q, squash(torch.from_numpy(real)), reduction="sum") / 20

        assert ours(made, real) == pytest.approx(expected.item(), rel=1e-9)

    def test_a_clip_against_itself_is_nought(self) -> None:
        assert softmax_divergence(logits(8, 9), logits(8, 9)) == pytest.approx(0, abs=1e-4)

    def test_certainty_does_not_overflow(self) -> None:
        sure = 1e5 * np.eye(CLASSES)

        assert softmax_divergence(np.roll(sure, 1, axis=1), sure) == pytest.approx(-np.log(1e-6), rel=1e-3)

    def test_direction_is_reference_to_generated(self) -> None:
        """A generated clip that misses what the reference is sure of costs much; the other way round, little."""
        sure, unsure = np.array([[20.0, 0, 0]]), np.array([[0.0, 0, 0]])

        assert softmax_divergence(unsure, sure) == pytest.approx(np.log(3), rel=1e-3)
        assert softmax_divergence(sure, unsure) > 5

    def test_missing_partners_are_refused(self) -> None:
        with pytest.raises(PairMissingError, match="no partner for row 3, row 4"):
            softmax_divergence(logits(1, 3), logits(1, 5))

    def test_gaussians_have_a_closed_form(self) -> None:
        """In one dimension: log(s2/s1) + (s1² + (m1 - m2)²) / 2 s2² - 1/2."""
        line = np.linspace(-1, 1, 101)[:, None]
        real, made = line / line.std(ddof=1), 2 * line / line.std(ddof=1) + 3
        expected = np.log(2) + (1 + 9) / (2 * 4) - 0.5

        assert gaussian_divergence(made, real) == pytest.approx(expected, rel=1e-4)

    def test_gaussians_agree_with_torch(self) -> None:
        random = np.random.default_rng(9)
        real, made = random.standard_normal((200, 5)), 1 + random.standard_normal((150, 5)) @ random.random((5, 5))
        p, q = (
            torch.distributions.MultivariateNormal(torch.from_numpy(s.mean(axis=0)), torch.from_numpy(np.cov(s.T)))
            for s in (real, made)
        )

        ours = gaussian_divergence(made, real)

        assert ours == pytest.approx(torch.distributions.kl_divergence(p, q).item(), rel=1e-2)

    def test_singular_gaussians_stay_finite(self) -> None:
        few = np.random.default_rng(1).standard_normal((3, 128))

        assert np.isfinite(gaussian_divergence(few, few + 1))


class TestMeasure:
    def test_all_figures_of_pairs(self) -> None:
        made, real = heard(logits(1, 500), logits(2, 500)), heard(logits(3, 500), logits(4, 500))

        result = measure("judge", made, real, paired=True)

        assert list(result.figures) == [
            "frechet",
            "kernel",
            "inception",
            "inception_deviation",
            "kl_softmax",
            "kl_sigmoid",
        ]
        assert (result.generated, result.reference, result.dimensions, result.notes) == (500, 500, CLASSES, ())

    def test_no_pairs_no_divergence(self) -> None:
        result = measure(
            "judge", heard(logits(1, 40), logits(2, 40)), heard(logits(3, 30), logits(4, 30)), paired=False
        )

        assert list(result.figures) == ["frechet", "kernel", "inception", "inception_deviation"]

    def test_no_classes_no_score(self) -> None:
        assert list(measure("vggish", heard(logits(1, 40)), heard(logits(3, 30)), paired=True).figures) == [
            "frechet",
            "kernel",
        ]

    def test_few_rows_are_said_to_be_few(self) -> None:
        result = measure("judge", heard(logits(1, 5), logits(2, 5)), heard(logits(3, 40), logits(4, 40)), paired=False)

        assert "5 rows are too few for the covariance of 12 features" in result.notes[0]
        assert "at least 13 are needed" in result.notes[0]
        assert "at least 20 are needed" in result.notes[1]
        assert "note: 5 rows" in "\n".join(result.to_lines())

    def test_small_splits_are_said_to_cap_the_score(self) -> None:
        sure = heard(logits(1, 40), 1000 * np.eye(40))

        result = measure("judge", sure, sure, paired=True)

        assert result.figures["inception"] == pytest.approx(4)
        assert "in splits of 4 clips the inception score is at most 4" in result.notes[0]

    def test_seed_pipeline_takes_means_over_pairs_compared_alone(self) -> None:
        made, real = heard(logits(1, 10), each=5), heard(logits(2, 10), each=5)
        alone = [frechet_distance(m, r) for m, r in zip(made.rows, real.rows, strict=True)]

        result = measure_as_seed(made, real, ["a.wav", "b.wav"], paired=True)

        assert result.figures["frechet"] == pytest.approx(np.mean(alone))
        assert list(result.figures) == ["frechet", "inception", "kl_gaussian"]
        assert "not the paper's" in result.notes[0]

    def test_seed_pipeline_needs_pairs(self) -> None:
        with pytest.raises(NoPairsError, match="no clip has a partner") as caught:
            measure_as_seed(heard(logits(1, 4)), heard(logits(2, 4)), [], paired=False)
        assert caught.value.hint

    def test_seed_pipeline_names_a_clip_without_spread(self) -> None:
        with pytest.raises(TooFewClipsError, match=r"b\.wav .*0\.96 s.* holds 1"):
            measure_as_seed(heard(logits(1, 1)), heard(logits(2, 1)), ["b.wav"], paired=True)


def test_figures_are_plain_numbers(tmp_path: Path) -> None:
    import json

    result = measure("judge", heard(logits(1, 40), logits(2, 40)), heard(logits(3, 40), logits(4, 40)), paired=True)

    (tmp_path / "report.json").write_text(json.dumps(result.figures), encoding="utf-8")
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == result.figures
