"""What edits of recordings keep: editors of known worth come out as what they are; nano keeps what it should."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import Audio, Engine
from engine.cli import DONE, WRONG_USAGE, main
from engine.errors import CancelledError
from engine.evaluation.edit_sheet import SHOWN, spread
from engine.evaluation.evaluation_errors import ClipFolderMissingError, TooFewClipsError
from engine.evaluation.recorded_edits import Edit, EditedClip, KeptReport, KeptRow, evaluate_recordings
from engine.operations.bands import keep_band
from engine.operations.splice import rms
from engine.requests import Upscale

RECORDINGS = Path(__file__).parents[2] / "clips" / "recordings"
SIX = {
    "crow": "crow/sonic-pi-misc-crow",
    "dog": "dog/ovos-dog",
    "explosion": "explosion/supertuxkart-explosion",
    "hihat": "hihat/sonic-pi-drum-cymbal-pedal",
    "kick": "kick/sonic-pi-bd-boom",
    "sheep": "sheep/ovos-sheep",
}


class Editor:
    """Gives every clip back with a gain and an offset; remembers what was asked."""

    def __init__(self, gain: float = 1.0, offset: float = 0.0) -> None:
        self.gain, self.offset, self.asked = gain, offset, list[Edit]()

    def run(self, request: Edit) -> list[Audio]:
        self.asked.append(request)
        samples = (request.clip.samples * self.gain + self.offset).astype(np.float32)
        return [replace(request.clip, samples=samples)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, rate in (("door_slam/a.wav", 48_000), ("rain/b.wav", 8_000)):
        (tmp_path / name).parent.mkdir()
        noise = np.random.default_rng(rate).standard_normal((2, rate)).astype(np.float32) * 0.1
        Audio(noise, rate).write(tmp_path / name)
    (tmp_path / "rain" / "._b.wav").write_bytes(b"a Mac was here")
    return tmp_path


class TestFigures:
    def test_a_copyist_keeps_all(self, folder: Path) -> None:
        rows = evaluate_recordings(Editor(), folder).rows
        assert [(row.clip, row.edit) for row in rows[:3]] == [
            ("door_slam/a.wav", edit) for edit in ("restyle", "vary", "inpaint")
        ]
        assert all(row.loudness_lu == 0 and row.offset_change == 0 for row in rows)
        assert [row.above_db for row in rows] == [0, 0, 0, None, None, None]

    def test_another_loudness_and_offset_are_seen(self, folder: Path) -> None:
        report = evaluate_recordings(Editor(0.5, 0.1), folder)
        for row in report.rows:
            assert row.loudness_lu == pytest.approx(-6, abs=0.1)
            assert row.offset_change == pytest.approx(0.1, abs=0.01)
        assert "0 of 6 edits within 2 LU" in report.to_text()
        assert len(json.loads(json.dumps(report.to_json(), allow_nan=False))["rows"]) == 6

    def test_words_are_the_folders_names_and_restyles_go_to_another(self, folder: Path) -> None:
        editor = Editor()
        evaluate_recordings(editor, folder)
        assert [request.prompt for request in editor.asked] == ["rain", "", "door slam", "door slam", "", "rain"]


class TestRefused:
    def test_no_folder_and_no_recordings(self, tmp_path: Path) -> None:
        with pytest.raises(ClipFolderMissingError):
            evaluate_recordings(Editor(), tmp_path / "none")
        with pytest.raises(TooFewClipsError):
            evaluate_recordings(Editor(), tmp_path)

    def test_it_can_be_stopped(self, folder: Path) -> None:
        editor = Editor()
        with pytest.raises(CancelledError):
            evaluate_recordings(editor, folder, should_stop=lambda: len(editor.asked) == 2)
        assert len(editor.asked) == 2


class TestCommand:
    def test_judges_a_folder(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["evaluate", "--edits", str(folder), "--model", "tiny", "--device", "cpu"]) == DONE
        assert "of 6 edits within 2 LU of what they replace" in capsys.readouterr().out

    def test_takes_no_captions_with_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["evaluate", "--edits", "folder", "--captions", "a.csv"]) == WRONG_USAGE
        assert "--captions belongs to folders" in capsys.readouterr().err


class TestPicture:
    def test_draws_clips_and_takes(self, folder: Path, tmp_path: Path) -> None:
        sheet = tmp_path / "sheet.png"
        words = ["evaluate", "--edits", str(folder), "--model", "tiny", "--device", "cpu", "--picture", str(sheet)]
        assert main(words) == DONE
        with Image.open(sheet) as picture:
            assert (picture.format, picture.width) == ("PNG", 4 * 3.6 * 80)

    def test_shows_twelve_of_many_each_of_another_clip_and_all_kinds_of_edit(self) -> None:
        """Clips that are too short for a hole have two edits only."""
        kinds = ("restyle", "vary", "inpaint")
        edits = [edited(f"{clip:02}.wav", edit) for clip in range(23) for edit in kinds[: 2 + (clip % 4 > 0)]]
        shown = spread(edits)
        assert len({edit.row.clip for edit in shown}) == SHOWN
        assert {edit.row.clip for edit in shown} >= {"00.wav", "22.wav"}
        assert {edit.row.edit for edit in shown} == {"restyle", "vary", "inpaint"}

    def test_shows_each_edit_of_few_clips_once(self) -> None:
        edits = [edited("a.wav", "restyle"), edited("a.wav", "vary"), edited("b.wav", "restyle")]
        assert sorted(map(id, spread(edits))) == sorted(map(id, edits))

    def test_the_region_of_an_inpainted_clip_is_known(self, folder: Path) -> None:
        edits: list[EditedClip] = []
        evaluate_recordings(Editor(), folder, on_edit=edits.append)
        assert [edit.region_s for edit in edits[:3]] == [None, None, pytest.approx((0.3, 0.6), abs=1e-3)]


def edited(clip: str, edit: str) -> EditedClip:
    silence = Audio(np.zeros((1, 16_000), np.float32), 16_000)
    return EditedClip(KeptRow(clip, edit, 0.0, None, -100.0, 0.0), silence, silence, "", None)


@pytest.fixture(scope="module")
def nano() -> Engine:
    return Engine.load("nano", "cpu")


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six of the recordings, each under the word that it is called by."""
    folder = tmp_path_factory.mktemp("six")
    for word, name in SIX.items():
        (folder / f"{word}.flac").write_bytes((RECORDINGS / f"{name}.flac").read_bytes())
    return folder


@pytest.fixture(scope="module")
def report(six: Path) -> KeptReport:
    return evaluate_recordings(Engine.load("nano", "cpu"), six)


@pytest.mark.slow
class TestRecordings:
    """Six recordings (CC0), from 0.3 to 4 s long, mono and stereo: what a trained model's edits keep of them."""

    def test_loudness(self, report: KeptReport) -> None:
        assert [row for row in report.rows if abs(row.loudness_lu) > 2] == []

    def test_full_scale_and_offsets(self, report: KeptReport) -> None:
        assert max(row.true_peak_db for row in report.rows) <= 0.5
        assert max(row.offset_change for row in report.rows) < 0.01

    def test_no_take_is_dull(self, report: KeptReport) -> None:
        """Variations and filled holes; a hi-hat that is restyled to a kick has to be."""
        rows = [row for row in report.rows if row.above_db is not None and row.edit != "restyle"]
        assert min(row.above_db for row in rows if row.above_db is not None) > -6

    @pytest.mark.parametrize("name", ["dog", "crow", "sheep"])
    def test_upscaling_puts_no_whine_into_a_voice(self, nano: Engine, name: str) -> None:
        """With nano the dog once got a tone 34 dB louder than all that it lost."""
        whole = Audio.read(RECORDINGS / f"{SIX[name]}.flac")
        low = replace(whole, samples=keep_band(whole.samples, whole.sample_rate, None, 4_000))
        (take,) = nano.run(Upscale(low, cutoff_hz=4_000))
        made, lost = (rms(keep_band(one.samples, whole.sample_rate, 4_400, 7_500)) for one in (take, whole))
        assert 20 * np.log10(made / lost) < 12
