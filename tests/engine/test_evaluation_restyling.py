"""How restyles are measured: pairs of clips and wordings, the right sound, and the clip's contour."""

import numpy as np
import pytest

from engine import Audio, Restyle
from engine.evaluation.classifier import load_classifier
from engine.evaluation.restyling import contour, correlation, measure_restyles, pairs_of

SOUNDS = ("dog", "rain", "kick")


class _Keeps:
    """An engine that changes nothing."""

    def run(self, request: Restyle) -> list[Audio]:
        return [request.clip]


class TestPairs:
    def test_each_sound_is_to_become_another(self) -> None:
        pairs = pairs_of(SOUNDS, apart=1)
        assert [pair.wanted for pair in pairs] == ["rain", "kick", "dog"]
        assert all(pair.prompt and pair.clip.shape == (81_920,) for pair in pairs)

    def test_another_seed_takes_other_clips(self) -> None:
        first, second = (pairs_of(SOUNDS, apart=1, seed=seed)[0].clip for seed in (1, 2))
        assert not np.array_equal(first, second)


class TestReport:
    def test_what_stays_the_clip_has_its_contour_and_the_wrong_name(self) -> None:
        report = measure_restyles(_Keeps(), load_classifier(), pairs_of(SOUNDS, apart=1), asked)
        assert report.right == 0
        assert report.correlation == pytest.approx(1)
        assert report.chance < 0.9

    def test_what_is_heard_as_asked_is_right(self) -> None:
        report = measure_restyles(_Keeps(), load_classifier(), pairs_of(SOUNDS, apart=0), asked)
        assert report.right == 1


class TestCorrelation:
    def test_the_level_does_not_matter(self) -> None:
        sound = np.random.default_rng(1).standard_normal(16_000).astype(np.float32) * np.linspace(0.01, 1, 16_000)
        loud, soft = contour(sound.astype(np.float32)), contour((0.1 * sound).astype(np.float32))
        assert correlation(loud, soft) == pytest.approx(1, abs=1e-3)

    def test_what_does_not_change_goes_with_nothing(self) -> None:
        assert correlation(np.zeros(10), np.arange(10.0)) == 0


def asked(clip: Audio, prompt: str, seed: int) -> Restyle:
    return Restyle(clip, prompt, seed=seed)
