"""The Frechet distance against its textbook form, and against distances that are known in closed form."""

import numpy as np
import pytest
import scipy.linalg

from engine.evaluation.evaluation_errors import NotFiniteError, TooFewClipsError
from engine.evaluation.frechet import frechet_distance


def textbook(first: np.ndarray, second: np.ndarray) -> float:
    """The definition, with SciPy's matrix root: an independent way to the same figure."""
    covariances = np.cov(first.T), np.cov(second.T)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    gap = first.mean(axis=0) - second.mean(axis=0)
    return float(gap @ gap + np.trace(covariances[0] + covariances[1] - 2 * root))


def features(seed: int, count: int, width: int, shift: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.standard_normal((count, width)) @ random.standard_normal((width, width)) + shift


class TestFrechetDistance:
    @pytest.mark.parametrize(
        ("count_1", "count_2", "width"),
        [
            pytest.param(200, 200, 8, id="equal n"),
            pytest.param(90, 300, 16, id="unequal n"),
            pytest.param(50, 60, 40, id="few clips"),
        ],
    )
    def test_agrees_with_the_textbook_form(self, count_1: int, count_2: int, width: int) -> None:
        first, second = features(1, count_1, width), features(2, count_2, width, shift=0.7)

        assert frechet_distance(first, second) == pytest.approx(textbook(first, second), rel=1e-6)

    def test_fewer_clips_than_dimensions_still_agree_with_the_definition(self) -> None:
        """Singular covariances: embed the same clouds in more dimensions; nothing may change."""
        first, second = features(1, 12, 6), features(2, 12, 6, shift=1.0)
        rotation = np.linalg.qr(np.random.default_rng(3).standard_normal((64, 6)))[0]

        expected = frechet_distance(first, second)

        assert frechet_distance(first @ rotation.T, second @ rotation.T) == pytest.approx(expected, rel=1e-9)

    def test_identical_sets_are_at_distance_nought(self) -> None:
        cloud = features(4, 100, 10)

        assert frechet_distance(cloud, cloud) == pytest.approx(0, abs=1e-9)

    def test_a_shift_costs_its_square(self) -> None:
        cloud = features(5, 100, 10)

        assert frechet_distance(cloud, cloud + 2.0) == pytest.approx(10 * 2.0**2, rel=1e-9)

    def test_one_dimension_has_a_closed_form(self) -> None:
        """(m1 - m2)² + (s1 - s2)² for scalars."""
        line = np.linspace(-1, 1, 51)[:, None]

        assert frechet_distance(line, 3 * line + 1) == pytest.approx(1 + (2 * line.std(ddof=1)) ** 2)

    def test_order_of_sides_and_of_clips_does_not_matter(self) -> None:
        first, second = features(6, 40, 5), features(7, 60, 5)

        assert frechet_distance(first, second) == pytest.approx(frechet_distance(second, first[::-1]))

    def test_a_constant_dimension_is_no_trouble(self) -> None:
        first, second = features(8, 40, 3), features(9, 40, 3)
        first[:, 1], second[:, 1] = 5.0, 5.0

        assert np.isfinite(frechet_distance(first, second))

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf], ids=["NaN", "infinite", "minus infinite"])
    def test_values_that_are_not_numbers_are_refused(self, bad: float) -> None:
        broken = features(1, 10, 4)
        broken[3, 2] = bad

        with pytest.raises(NotFiniteError, match="the second feature set holds 1 values that are not numbers"):
            frechet_distance(features(2, 10, 4), broken)

    @pytest.mark.parametrize("count", [0, 1])
    def test_too_few_clips_are_refused(self, count: int) -> None:
        with pytest.raises(TooFewClipsError, match=f"the first feature set holds {count} clips; at least 2 are needed"):
            frechet_distance(np.zeros((count, 4)), features(2, 10, 4))

    def test_different_widths_are_refused(self) -> None:
        with pytest.raises(ValueError, match="4 and 5 columns"):
            frechet_distance(features(1, 10, 4), features(2, 10, 5))
