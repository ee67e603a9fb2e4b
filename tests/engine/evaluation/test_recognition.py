"""Labelled recordings: listeners of known worth get the figures they deserve; the shipped ones are heard out."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from engine import Audio
from engine.cli import DONE, WRONG_USAGE, main
from engine.errors import CancelledError, InvalidRequestError
from engine.evaluation.classifier import SoundClassifier, load_classifier
from engine.evaluation.evaluation_errors import ClipFolderMissingError, ClipUnusableError, TooFewClipsError
from engine.evaluation.recognition import CLAP, CLASSIFIER, labelled_files, recognise_recordings
from engine.evaluation.recognition_report import Ranking, calibration_error, listener_row
from engine.listening.hear import HeardSound
from engine.sounds import SOUNDS

RECORDINGS = Path(__file__).parents[2] / "clips" / "recordings"


class OneWord:
    """Hears the same sound in everything, and is as sure of it as it is told to be."""

    def __init__(self, word: str, score: float) -> None:
        self.word, self.score, self.seconds = word, score, list[float]()

    def listen(self, clip: Audio, names: Sequence[str] | None = None) -> list[HeardSound]:
        self.seconds.append(clip.seconds)
        others = [name for name in names or () if name != self.word]
        rest = [HeardSound(name, (1 - self.score) / len(others)) for name in others]
        return [HeardSound(self.word, self.score), *rest]


@pytest.fixture(scope="module")
def classifier() -> SoundClassifier:
    return load_classifier()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three rains, a car horn that lasts 60 ms, and something that nobody knows."""
    for name, seconds in (
        ("rain/a.wav", 0.5),
        ("rain/b.wav", 0.5),
        ("Rain/c.wav", 0.5),
        ("car horn/d.wav", 0.06),
        ("zebra/e.wav", 0.5),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        noise = np.random.default_rng(len(name)).standard_normal((1, round(seconds * 16_000))).astype(np.float32)
        Audio(noise * 0.1, 16_000).write(path)
    (tmp_path / "rain" / "._a.wav").write_bytes(b"a Mac was here")
    return tmp_path


def ranking(*names: str, first: float = 0.6) -> Ranking:
    return [(name, first if place == 0 else (1 - first) / (len(names) - 1)) for place, name in enumerate(names)]


class TestFigures:
    def test_ranks_by_clip_and_with_kinds_alike(self) -> None:
        heard = [ranking("a", *"bcdefg"), ranking("b", *"cdaefg"), ranking("g", *"fedcba"), ranking("b", *"acdefg")]
        row = listener_row("ear", ["a", "a", "a", "b"], heard)
        assert (row.first, row.in_five) == (0.5, 0.75)
        assert (row.first_over_kinds, row.in_five_over_kinds) == pytest.approx(((1 / 3 + 1) / 2, (2 / 3 + 1) / 2))
        assert [(kind.kind, kind.clips, kind.first, kind.in_five, kind.median_rank) for kind in row.kinds] == [
            ("a", 3, 1, 2, 4),
            ("b", 1, 1, 1, 1),
        ]
        assert row.kinds[0].heard_as == {"b": 1, "g": 1}

    @pytest.mark.parametrize(
        ("confidences", "right", "error"),
        [
            ([0.75] * 4, [True, True, True, False], 0.0),  # says 75 %, is right in 75 %
            ([0.95] * 4, [False] * 4, 0.95),
            ([1.0, 1.0], [True, True], 0.0),
            ([0.15, 0.95], [True, False], 0.9),  # wrong both ways, though right on average
        ],
    )
    def test_calibration(self, confidences: list[float], right: list[bool], error: float) -> None:
        assert calibration_error(confidences, right) == pytest.approx(error)


class TestRecordings:
    def test_kinds_are_folders_and_unknown_ones_are_left_out(self, folder: Path, classifier: SoundClassifier) -> None:
        ear = OneWord("rain", 0.75)
        report = recognise_recordings(ear, classifier, folder)
        assert [file.kind for file in labelled_files(folder)].count("rain") == 3
        assert (report.clips, report.left_out) == (4, ("zebra/e.wav",))
        clap = report.listeners[1]
        assert [row.listener for row in report.listeners] == [CLASSIFIER, CLAP]
        assert (clap.first, clap.confidence, clap.calibration_error) == (0.75, 0.75, 0.0)
        assert "left out, of unknown kinds: zebra/e.wav" in report.to_text()
        assert min(ear.seconds) == pytest.approx(0.06)

    def test_no_folder_no_files_no_known_kind(self, tmp_path: Path, classifier: SoundClassifier) -> None:
        ear = OneWord("rain", 0.5)
        with pytest.raises(ClipFolderMissingError):
            recognise_recordings(ear, classifier, tmp_path / "none")
        with pytest.raises(TooFewClipsError):
            recognise_recordings(ear, classifier, tmp_path)
        Audio(np.ones((1, 800), np.float32), 8_000).write(tmp_path / "loose.wav")
        with pytest.raises(InvalidRequestError, match="folders named after kinds"):
            recognise_recordings(ear, classifier, tmp_path)

    def test_a_broken_file_is_named(self, folder: Path, classifier: SoundClassifier) -> None:
        (folder / "rain" / "b.wav").write_bytes(b"no FLAC at all")
        with pytest.raises(ClipUnusableError, match=r"b\.wav"):
            recognise_recordings(OneWord("rain", 0.5), classifier, folder)

    def test_it_can_be_stopped(self, folder: Path, classifier: SoundClassifier) -> None:
        ear = OneWord("rain", 0.5)
        with pytest.raises(CancelledError):
            recognise_recordings(ear, classifier, folder, should_stop=lambda: len(ear.seconds) == 2)


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Three of the recordings, so that the command line does not take long."""
    for kind in ("dog", "kick", "explosion"):
        source = min((RECORDINGS / kind).iterdir())
        (tmp_path / kind).mkdir()
        (tmp_path / kind / source.name).write_bytes(source.read_bytes())
    return tmp_path


class TestCommandLine:
    def test_both_listeners_hear_the_same_recordings(self, three: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["evaluate", "--recordings", str(three), "--json"]) == DONE
        report = json.loads(capsys.readouterr().out)
        assert (report["model"], report["clips"], report["sounds"]) == ("nano", 3, len(SOUNDS))
        for row in report["listeners"]:
            assert [kind["kind"] for kind in row["kinds"]] == ["dog", "explosion", "kick"]
            assert 0 <= row["first"] <= row["in_five"] <= 1
            assert 0 < row["confidence"] < 1

    @pytest.mark.parametrize(
        "more", [["--edits"], ["a", "b"], ["--picture", "x.png"], ["--seconds", "2"], ["--paper", "-o", "x"]]
    )
    def test_it_goes_alone(self, more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["evaluate", "--recordings", "clips", *more]) == WRONG_USAGE
        assert "--recordings" in capsys.readouterr().err


@pytest.mark.slow
def test_listeners_hear_more_than_chance_in_the_recordings_that_come_with_the_project(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of 110 recordings of 48 kinds; by chance 1 in 100 would be right first, and 5 in 100 within five."""
    assert main(["evaluate", "--recordings", str(RECORDINGS), "--json"]) == DONE
    report = json.loads(capsys.readouterr().out)
    assert report["left_out"] == []
    for row in report["listeners"]:
        assert row["first"] > 0.15
        assert row["in_five"] > 0.3
        assert row["calibration_error"] < 0.4  # these taught it; its scores are as large as it is right on others
