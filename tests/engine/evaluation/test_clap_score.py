"""CLAP scores on an embedder whose embeddings can be worked out by hand."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torchmetrics.retrieval import RetrievalHitRate

from engine.evaluation.clap_score import clap_scores, class_recall
from engine.evaluation.evaluation_errors import NotFiniteError, PairMissingError


class LevelEmbedder:
    """A two-dimensional ear: a sound is an angle, its first sample; so is a text, written as a number."""

    def embed_text(self, prompts: Sequence[str]) -> torch.Tensor:
        return self._directions(torch.tensor([float(prompt) for prompt in prompts]))

    def embed_audio(self, waveform: torch.Tensor, sample_rate: int) -> torch.Tensor:
        assert sample_rate == 16_000
        return self._directions(waveform[:, 0])

    def _directions(self, angles: torch.Tensor) -> torch.Tensor:
        return torch.stack([angles.cos(), angles.sin()], dim=1)


def sound(angle: float, samples: int = 100) -> np.ndarray:
    return np.full(samples, angle, dtype=np.float32)


def test_a_score_is_the_cosine_of_sound_and_caption() -> None:
    scores = clap_scores(LevelEmbedder(), [sound(0.0), sound(1.0), sound(3.0)], 16_000, ["0.0", "0.5", "0.0"])

    assert scores == pytest.approx(np.cos([0.0, 0.5, 3.0]), abs=1e-6)


def test_clips_of_different_lengths_and_many_batches_keep_their_order() -> None:
    angles = np.linspace(0, 3, 40)
    clips = [sound(angle, samples=100 + 10 * (index % 3)) for index, angle in enumerate(angles)]

    assert clap_scores(LevelEmbedder(), clips, 16_000, ["0"] * 40) == pytest.approx(np.cos(angles), abs=1e-6)


def test_no_clips_have_no_scores() -> None:
    assert len(clap_scores(LevelEmbedder(), [], 16_000, [])) == 0


@pytest.mark.parametrize(
    ("clips", "captions", "missing"),
    [pytest.param(2, 1, "clip 1", id="a clip too many"), pytest.param(1, 2, "caption 1", id="a caption too many")],
)
def test_unequal_counts_are_refused(clips: int, captions: int, missing: str) -> None:
    with pytest.raises(PairMissingError, match=missing):
        clap_scores(LevelEmbedder(), [sound(0)] * clips, 16_000, ["0"] * captions)


def test_embeddings_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(NotFiniteError, match="the CLAP embeddings holds 1"):
        clap_scores(LevelEmbedder(), [sound(float("nan"))], 16_000, ["0"])


class TestRecall:
    def test_agrees_with_torchmetrics(self) -> None:
        random = np.random.default_rng(4)
        places = random.uniform(0, 3, 40)
        captions = [str(place) for place in places + random.normal(0, 0.2, 40)]
        classes = [f"class {index % 5}" for index in range(40)]
        similarity = np.cos(np.subtract.outer([float(caption) for caption in captions], places))
        same = np.equal.outer(np.array(classes), np.array(classes))
        queries = torch.arange(40).repeat_interleave(40)
        hit_rate = RetrievalHitRate(top_k=1)
        expected = hit_rate(torch.from_numpy(similarity.ravel()), torch.from_numpy(same.ravel()), indexes=queries)

        recall = class_recall(LevelEmbedder(), [sound(place) for place in places], 16_000, captions, classes)

        assert 0.1 < recall < 1
        assert recall == pytest.approx(expected.item())

    def test_another_clip_of_the_class_is_right_as_well(self) -> None:
        clips, captions = [sound(0.0), sound(1.0), sound(2.0)], ["1.0", "0.0", "2.0"]

        assert class_recall(LevelEmbedder(), clips, 16_000, captions, ["a", "a", "b"]) == 1
        assert class_recall(LevelEmbedder(), clips, 16_000, captions, ["a", "b", "b"]) == pytest.approx(1 / 3)

    def test_a_missing_class_is_refused(self) -> None:
        with pytest.raises(PairMissingError, match="caption 1"):
            class_recall(LevelEmbedder(), [sound(0.0)] * 2, 16_000, ["0", "0"], ["a"])

    def test_embeddings_that_are_not_numbers_are_refused(self) -> None:
        with pytest.raises(NotFiniteError, match="the CLAP embeddings"):
            class_recall(LevelEmbedder(), [sound(float("nan")), sound(0)], 16_000, ["0", "1"], ["a", "b"])
