"""Evaluating how sounds follow: generators of known worth must come out as what they are."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.audio import Audio
from engine.checkpoints.store import save_model
from engine.cli import DONE, FAILED, WRONG_USAGE, main
from engine.errors import CancelledError, CurvesMissingError
from engine.evaluation.classifier import SoundClassifier, load_classifier
from engine.evaluation.evaluation_errors import ClipFolderMissingError, TooFewClipsError
from engine.evaluation.followed import FollowSettings, evaluate_follow, likeness
from engine.evaluation.imitations import IMITATIONS, SAMPLE_RATE
from engine.gesture import CURVES, gesture_of
from engine.presets import TINY, build
from engine.requests import Generate
from engine.sounds import render

SOUNDS = ("siren", "rain")
SETTINGS = FollowSettings(CURVES, sounds=SOUNDS, seed=3, steps=7)


class Mimic:
    """Plays back what it is to follow; without anything to follow a siren."""

    def __init__(self) -> None:
        self.asked: list[Generate] = []

    def run(self, request: Generate) -> list[Audio]:
        self.asked.append(request)
        return [request.follow or Audio(render("siren", request.seed, request.seconds).waveform[None], 16_000)]


class Stubborn(Mimic):
    """Plays a siren whatever it is to follow."""

    def run(self, request: Generate) -> list[Audio]:
        self.asked.append(request)
        return [Audio(render("siren", request.seed, request.seconds).waveform[None], 16_000)]


@pytest.fixture(scope="module")
def classifier() -> SoundClassifier:
    return load_classifier()


def imitation(name: str, seed: int) -> Audio:
    make, _ = IMITATIONS[name]
    return Audio(make(np.random.default_rng(seed), 5.12)[None], SAMPLE_RATE)


class TestImitations:
    @pytest.mark.parametrize("name", IMITATIONS)
    @pytest.mark.parametrize("seed", range(3))
    def test_move_in_what_they_say(self, name, seed):
        gesture = gesture_of(imitation(name, seed), 16_000, 640)

        for curve in IMITATIONS[name][1]:
            values = gesture[CURVES.index(curve)]
            known = values[~values.isnan()]
            assert len(known) > 20, curve
            assert known.max() - known.min() > 0.15, curve

    @pytest.mark.parametrize("name", IMITATIONS)
    def test_are_another_one_with_each_seed(self, name):
        first, same, other = (imitation(name, seed).samples for seed in (1, 1, 2))

        assert np.array_equal(first, same)
        assert not np.array_equal(first, other)


class TestFigures:
    def test_a_mimic_follows_perfectly(self, classifier):
        report = evaluate_follow(Mimic(), classifier, SETTINGS)

        assert [(row.leader, row.curve) for row in report.rows] == [
            ("hum", "brightness"),
            ("hum", "loudness"),
            ("hum", "pitch"),
            ("taps", "loudness"),
            ("whistle", "loudness"),
            ("whistle", "pitch"),
        ]
        assert [(row.correlation, row.good) for row in report.rows] == [(pytest.approx(1), 1.0)] * 6
        assert all(row.takes == row.measured == 2 for row in report.rows)

    def test_who_does_not_follow_is_found_out_and_loses_no_recognition(self, classifier):
        report = evaluate_follow(Stubborn(), classifier, SETTINGS)

        assert all(row.correlation is None or row.correlation < 0.7 for row in report.rows)
        assert all(row.right == row.right_free == 1 for row in report.rows)  # one of two is a siren
        assert report.cost == 0

    def test_what_following_costs_is_counted(self, classifier):
        report = evaluate_follow(Mimic(), classifier, SETTINGS)

        assert all(row.right_free == 1 for row in report.rows)
        assert report.cost == pytest.approx(sum(1 - row.right for row in report.rows) / 12)

    def test_asks_for_what_users_would_ask(self, classifier):
        mimic = Mimic()
        evaluate_follow(mimic, classifier, FollowSettings(("loudness",), sounds=SOUNDS, tries=1, draft=True))

        following = [request for request in mimic.asked if request.follow is not None]
        free = [request for request in mimic.asked if request.follow is None]
        assert {request.follow_what for request in following} == {"loudness"}
        assert (len(following), len(free)) == (6, 2)  # three kinds of imitation; twins that are the same are made once
        assert {(request.tries, request.draft, request.seconds) for request in mimic.asked} == {(1, True, 5.12)}

    def test_recordings_lead_as_well(self, classifier, tmp_path):
        (tmp_path / "dog").mkdir()
        soundfile.write(tmp_path / "dog" / "bark.wav", render("dog", 1, 2.0).waveform, 16_000)
        soundfile.write(tmp_path / "blip.wav", np.full(800, 0.1), 16_000)  # too short to move
        report = evaluate_follow(Mimic(), classifier, FollowSettings(("loudness",), sounds=SOUNDS, folder=tmp_path))

        (row,) = (row for row in report.rows if row.leader == "recording")
        assert (row.takes, row.correlation) == (2, pytest.approx(1))

    def test_as_text_and_as_json(self, classifier):
        report = evaluate_follow(Mimic(), classifier, SETTINGS)

        lines = report.to_text().splitlines()
        assert lines[1].split()[:4] == ["hum", "brightness", "2/2", "1.00"]
        assert "of the takes are recognised less because they follow" in lines[-1]
        assert json.loads(json.dumps(report.to_json()))["rows"][0]["measured"] == 2


class TestLikeness:
    def test_of_what_does_not_move_is_not_known(self):
        steady = Audio(np.full((1, 32_000), 0.1, np.float32), 16_000)

        assert likeness(steady, imitation("hum", 1), "loudness") is None
        noise = Audio(np.random.default_rng(1).standard_normal((1, 80_000)).astype(np.float32) * 0.1, 16_000)
        assert likeness(imitation("hum", 1), noise, "pitch") is None

    def test_does_not_depend_on_level_or_place(self):
        clip = imitation("hum", 2)
        softer = Audio(clip.samples * np.float32(0.1), clip.sample_rate)

        assert likeness(clip, softer, "loudness") > 0.99


class TestRefusals:
    def test_a_model_that_follows_nothing(self, classifier):
        with pytest.raises(CurvesMissingError, match="no clip at all"):
            evaluate_follow(Mimic(), classifier, FollowSettings((), sounds=SOUNDS))

    def test_folders_without_recordings(self, classifier, tmp_path):
        with pytest.raises(ClipFolderMissingError):
            evaluate_follow(Mimic(), classifier, FollowSettings(CURVES, folder=tmp_path / "none"))
        with pytest.raises(TooFewClipsError):
            evaluate_follow(Mimic(), classifier, FollowSettings(CURVES, folder=tmp_path))

    def test_stops_when_told(self, classifier):
        with pytest.raises(CancelledError):
            evaluate_follow(Mimic(), classifier, SETTINGS, should_stop=lambda: True)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--follow", "--edits"], "--edits and --follow are two evaluations"),
            (["--follow", "a", "b"], "--follow goes with one folder of recordings at most"),
            (["--follow", "--seconds", "2"], "--seconds belongs to a model"),
            (["--follow", "--picture", "a.png"], "--picture is drawn for models, and"),
        ],
    )
    def test_the_command_says_what_does_not_go_together(self, words, said, capsys):
        assert main(["evaluate", *words]) == WRONG_USAGE
        assert said in capsys.readouterr().err

    def test_the_command_says_that_a_model_follows_nothing(self, capsys):
        assert main(["evaluate", "--follow", "--model", "tiny"]) == FAILED
        assert "cannot follow" in capsys.readouterr().err


def test_the_command_measures_a_model_that_follows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    following = replace(TINY, unet=replace(TINY.unet, curves=("loudness",)))
    save_model(build(following), tmp_path / "model")
    asked = ["--model", str(tmp_path / "model"), "--sounds", "rain", "--per-class", "1"]

    assert main(["evaluate", "--follow", *asked]) == DONE

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == ["hum", "taps", "whistle"]
    assert {line.split()[1] for line in lines[1:-1]} == {"loudness"}
