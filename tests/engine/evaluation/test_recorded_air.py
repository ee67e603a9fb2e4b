"""Highs made again: means of known worth come out as what they are, and the air net does better than they."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine import Audio
from engine.cli import DONE, WRONG_USAGE, main
from engine.errors import CancelledError
from engine.evaluation.evaluation_errors import ClipFolderMissingError, TooFewClipsError
from engine.evaluation.recorded_air import AirReport, evaluate_air

RECORDINGS = Path(__file__).parents[2] / "clips" / "recordings"
WAYS = ["silence", "copied up", "carrier", "slope", "learnt"]


@pytest.fixture(scope="module")
def hiss(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """White noise at 48 kHz, and a clip at 16 kHz, in which there is nothing to be made again."""
    folder = tmp_path_factory.mktemp("hiss")
    noise = np.random.default_rng(1).standard_normal((1, 48_000)).astype(np.float32) * 0.1
    Audio(noise, 48_000).write(folder / "white.wav")
    Audio(noise[:, :16_000], 16_000).write(folder / "low.wav")
    return folder


@pytest.fixture(scope="module")
def white(hiss: Path) -> AirReport:
    return evaluate_air(hiss)


class TestFigures:
    def test_only_what_has_highs_is_compared(self, white: AirReport) -> None:
        assert [row.clip for row in white.rows] == ["white.wav"]
        assert white.passed_over == 1

    def test_white_noise_copied_up_is_white_noise(self, white: AirReport) -> None:
        """Two independent noises are 7.8 dB apart in every line, and about 2 dB in bands of a dozen lines."""
        copied = white.means()["copied up"]
        assert copied.distance_db == pytest.approx(7.8, abs=1.0)
        assert copied.bands_db < 3

    def test_silence_is_as_far_as_the_noise_is_loud(self, white: AirReport) -> None:
        """Noise 13 dB below its peak, its lines 2.5 dB softer in the mean of their dB, against a floor at -100 dB."""
        assert white.means()["silence"].distance_db == pytest.approx(84, abs=2)

    def test_a_falling_carrier_is_too_soft_for_white_noise(self, white: AirReport) -> None:
        made = white.means()
        assert made["carrier"].bands_db > made["copied up"].bands_db + 5

    def test_the_report_is_json_and_a_table(self, white: AirReport) -> None:
        content = json.loads(json.dumps(white.to_json(), allow_nan=False))
        assert list(content["means"]) == list(content["rows"][0]["made"]) == WAYS
        assert "1 recordings, 1 passed over" in white.to_text()

    def test_one_seed_one_report(self, hiss: Path, white: AirReport) -> None:
        assert evaluate_air(hiss) == white


class TestRefused:
    def test_no_folder_and_no_highs(self, tmp_path: Path) -> None:
        with pytest.raises(ClipFolderMissingError):
            evaluate_air(tmp_path / "none")
        with pytest.raises(TooFewClipsError):
            evaluate_air(tmp_path)

    def test_it_can_be_stopped(self, hiss: Path) -> None:
        with pytest.raises(CancelledError):
            evaluate_air(hiss, should_stop=lambda: True)


class TestCommand:
    def test_compares(self, hiss: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["evaluate", "--air", str(hiss)]) == DONE
        assert "strongest tones of the recordings" in capsys.readouterr().out

    @pytest.mark.parametrize("more", [["b", "c"], ["--edits"], ["--recordings", "b"]])
    def test_goes_alone(self, more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["evaluate", *more, "--air", "a"]) == WRONG_USAGE
        assert "--air" in capsys.readouterr().err


@pytest.mark.slow
class TestRecordings:
    def test_the_net_is_nearer_than_simpler_means(self) -> None:
        made = evaluate_air(RECORDINGS).means()
        assert made["learnt"].distance_db <= made["silence"].distance_db / 2
        assert made["learnt"].distance_db < made["copied up"].distance_db
        assert made["learnt"].distance_db < made["carrier"].distance_db

    def test_it_whistles_no_more_than_they_do(self) -> None:
        report = evaluate_air(RECORDINGS)
        assert report.means()["learnt"].tone_db <= np.mean([row.tone_db for row in report.rows]) + 1
