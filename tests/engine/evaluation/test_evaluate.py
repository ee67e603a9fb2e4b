"""Evaluating a model: a player of corpus clips comes out as good as these, a player of noise as bad as noise."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.audio import Audio
from engine.cli import DONE, main
from engine.errors import CancelledError, InvalidRequestError
from engine.evaluation.classifier import SoundClassifier, load_classifier
from engine.evaluation.evaluate import PAIRED_SEED, SEEDS_A_RUN, EvaluationSettings, evaluate_model
from engine.evaluation.evaluation_errors import TooFewClipsError
from engine.evaluation.report import attribute_rows, class_rows
from engine.requests import Generate
from engine.sounds import captions, render
from engine.sounds.captions import wordings
from engine.sounds.spoken import spoken_attributes

SOUNDS = ("rain", "siren", "kick", "dog")


class LoudnessClap:
    """Hears loudness only; every text is at full loudness."""

    def embed_text(self, prompts: Sequence[str]) -> torch.Tensor:
        return torch.tensor([[1.0, 0.0]]).expand(len(prompts), 2)

    def embed_audio(self, waveform: torch.Tensor, sample_rate: int) -> torch.Tensor:
        assert sample_rate == 16_000
        angle = 1 - waveform.abs().amax(dim=1)
        return torch.stack([angle.cos(), angle.sin()], dim=1)


class Player:
    """Answers each request with the next waveform, at 48 kHz, and remembers what was asked."""

    def __init__(self, waveforms: Sequence[np.ndarray]) -> None:
        self.waveforms = list(waveforms)
        self.asked: list[Generate] = []

    def run(self, request: Generate) -> list[Audio]:
        self.asked.append(request)
        return [Audio(self.waveforms[len(self.asked) - 1], 16_000).resample(48_000)]


@pytest.fixture(scope="module")
def classifier() -> SoundClassifier:
    return load_classifier()


def paired_clips(seed: int, count: int) -> list:
    first = PAIRED_SEED + SEEDS_A_RUN * seed
    return [render(SOUNDS[index % len(SOUNDS)], first + index, is_edited=False) for index in range(count)]


def evaluate(classifier: SoundClassifier, player: Player, settings: EvaluationSettings, **options):
    return evaluate_model(player, LoudnessClap(), np.copy, classifier, settings, **options)


class TestReport:
    def test_corpus_clips_are_as_good_as_the_corpus(self, classifier: SoundClassifier) -> None:
        settings = EvaluationSettings(clips_per_class=3, seed=5, sounds=SOUNDS)
        player = Player([sound.waveform for sound in paired_clips(5, 12)])

        report = evaluate(classifier, player, settings).report

        assert report.accuracy == report.accuracy_corpus >= 0.9
        assert report.frechet < 0.05 * report.frechet_corpus  # only the journey to 48 kHz and back lies between
        assert report.clap_score == pytest.approx(report.clap_score_corpus, abs=0.02)
        assert (report.clips, report.silent) == (12, 0)
        assert report.attribute_accuracy == pytest.approx(report.attribute_accuracy_corpus, abs=0.05)
        assert all(row.is_close for row in report.gradients)
        assert all(row.over_time == row.over_frequency == 1 for row in report.gradients_reconstructed)  # `np.copy`
        by_chance = [row.over_time for row in report.gradients_corpus]
        assert [row.sound for row in report.gradients_corpus] == list(SOUNDS)
        assert all(ratio != 1 for ratio in by_chance)
        assert "of 4 sounds within 20% both ways" in report.to_text()

    def test_a_perfect_round_trip_is_corpus_against_corpus(self, classifier: SoundClassifier) -> None:
        settings = EvaluationSettings(clips_per_class=2, seed=5, sounds=SOUNDS)
        player = Player([sound.waveform for sound in paired_clips(5, 8)])

        report = evaluate(classifier, player, settings).report

        assert report.reconstruction.frechet == pytest.approx(report.frechet_corpus)
        assert (report.reconstruction.lsd_db, report.reconstruction.mel_l1) == (0, 0)

    def test_a_round_trip_that_loses_the_sound_is_far_from_it(self, classifier: SoundClassifier) -> None:
        settings = EvaluationSettings(clips_per_class=2, seed=5, sounds=SOUNDS)
        player = Player([sound.waveform for sound in paired_clips(5, 8)])

        report = evaluate_model(player, LoudnessClap(), np.zeros_like, classifier, settings).report

        assert report.reconstruction.frechet > 2 * report.frechet_corpus
        assert report.reconstruction.lsd_db > 5
        assert report.frechet < report.frechet_corpus  # what was generated is not touched by it

    def test_only_attributes_that_the_prompts_speak_of_count(self, classifier: SoundClassifier) -> None:
        settings = EvaluationSettings(clips_per_class=3, seed=5, sounds=SOUNDS)
        sounds = paired_clips(5, 12)

        evaluation = evaluate(classifier, Player([sound.waveform for sound in sounds]), settings)

        spoken = Counter(
            kind
            for sound, prompt in zip(sounds, evaluation.prompts, strict=True)
            for kind in spoken_attributes(prompt, sound.attributes)
        )
        assert {row.kind: row.clips for row in evaluation.report.attributes} == spoken
        assert evaluation.report.attribute_accuracy_corpus >= 0.7
        assert evaluation.report.to_json()["attribute_accuracy"] == evaluation.report.attribute_accuracy

    def test_noise_is_far_from_the_corpus(self, classifier: SoundClassifier) -> None:
        noise = np.random.default_rng(1).standard_normal((12, 81_920)).astype(np.float32) * 0.1
        settings = EvaluationSettings(clips_per_class=3, seed=5, sounds=SOUNDS)

        report = evaluate(classifier, Player(noise), settings).report

        assert report.accuracy <= 0.25  # all are heard as one thing
        assert report.frechet > 2 * report.frechet_corpus
        assert sum(row.clips - row.right for row in report.classes) == sum(
            sum(row.heard_as.values()) for row in report.classes
        )

    def test_silence_is_counted(self, classifier: SoundClassifier) -> None:
        settings = EvaluationSettings(clips_per_class=1, sounds=SOUNDS)

        assert evaluate(classifier, Player([np.zeros(81_920, np.float32)] * 4), settings).report.silent == 4

    def test_prompts_are_held_out_wordings_and_seeds_differ(self, classifier: SoundClassifier) -> None:
        player = Player([np.zeros(81_920, np.float32)] * 8)
        settings = EvaluationSettings(clips_per_class=2, seed=2, sounds=SOUNDS, steps=7, guidance=3.0, sampler="ddim")

        evaluation = evaluate(classifier, player, settings)

        sounds = paired_clips(2, 8)
        expected = [captions(one.name, one.attributes, one.seed, held_out=True)[0] for one in sounds]
        assert [request.prompt for request in player.asked] == expected == list(evaluation.prompts)
        assert len({request.seed for request in player.asked}) == 8
        knobs = {(request.steps, request.guidance, request.sampler, request.candidates) for request in player.asked}
        assert knobs == {(7, 3.0, "ddim", 1)}
        held_out = [set(" ".join(wordings(one.name, held_out=True)).split()) for one in sounds]
        assert all(set(prompt.split()) & words for prompt, words in zip(expected, held_out, strict=True))

    def test_progress_and_cancelling(self, classifier: SoundClassifier) -> None:
        seen: list[tuple[int, int]] = []
        player = Player([np.zeros(81_920, np.float32)] * 4)
        settings = EvaluationSettings(clips_per_class=1, sounds=SOUNDS)

        with pytest.raises(CancelledError):
            evaluate(
                classifier,
                player,
                settings,
                on_clip=lambda done, total: seen.append((done, total)),
                should_stop=lambda: len(seen) == 2,
            )

        assert seen == [(1, 8), (2, 8)]  # four clips, and four round trips

    def test_shorter_clips_are_asked_for_and_compared_with_corpus_clips_as_short(
        self, classifier: SoundClassifier
    ) -> None:
        settings = EvaluationSettings(clips_per_class=2, sounds=SOUNDS, seconds=1.28)
        player = Player([np.zeros(20_480, np.float32)] * 8)

        evaluation = evaluate(classifier, player, settings)

        assert {request.seconds for request in player.asked} == {1.28}
        assert {len(clip) for clip in evaluation.corpus} == {20_480}
        assert evaluation.report.to_text().startswith("nano: 8 clips of 1.28 s, 2 a sound, seed 1\n")

    @pytest.mark.parametrize("seconds", [0.1, 31.0, float("nan")])
    def test_lengths_that_the_corpus_does_not_have_are_refused(self, seconds: float) -> None:
        with pytest.raises(InvalidRequestError, match=r"0\.3 to 30"):
            EvaluationSettings(seconds=seconds)

    def test_one_clip_is_too_few(self) -> None:
        with pytest.raises(TooFewClipsError, match="the evaluation holds 1 clips"):
            EvaluationSettings(clips_per_class=1, sounds=("rain",))

    def test_attributes_are_counted_by_kind(self) -> None:
        spoken = [{"pitch": "low"}, {}, {"pitch": "high", "level": "loud"}]
        heard = [{"pitch": "low", "level": "quiet"}, {"pitch": "low"}, {"pitch": "low", "level": "loud"}]

        rows = attribute_rows(spoken, heard, [{"pitch": "low"}, {}, {"pitch": "high", "level": "loud"}])

        assert [(row.kind, row.clips, row.right, row.right_corpus) for row in rows] == [
            ("level", 1, 1, 1),
            ("pitch", 2, 1, 2),
        ]

    def test_the_table_counts_rights_and_wrongs(self) -> None:
        rows = class_rows(["a", "b", "a", "a", "a"], ["a", "b", "c", "b", "c"])

        assert [(row.sound, row.clips, row.right, row.heard_as) for row in rows] == [
            ("a", 4, 1, {"c": 2, "b": 1}),
            ("b", 1, 1, {}),
        ]


@pytest.mark.slow
def test_the_command_judges_the_tiny_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Random weights know nothing; the report, its file and its picture are there all the same."""
    monkeypatch.chdir(tmp_path)
    words = ["--model", "tiny", "--device", "cpu", "--per-class", "1", "--sounds", "rain,dog", "--steps", "1"]

    assert main(["evaluate", *words, "--picture", "sheet.png", "--json", "report.json"]) == DONE

    shown = capsys.readouterr().out
    assert shown.startswith("tiny: 2 clips of 5.12 s, 1 a sound, seed 1\n")
    for figure in (
        "recognised",
        "Frechet distance",
        "reconstructed",
        "CLAP recall at 1",
        "slopes of the log-mel",
        "dog",
    ):
        assert figure in shown
    assert '"accuracy_corpus": 1.0' in (tmp_path / "report.json").read_text(encoding="utf-8")
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
