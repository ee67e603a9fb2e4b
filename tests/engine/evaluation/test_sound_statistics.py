"""Statistics of recordings and corpus clips: signals of known worth, folders of kinds, and the command."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from engine import Audio
from engine.cli import DONE, FAILED, WRONG_USAGE, main
from engine.errors import CancelledError
from engine.evaluation.evaluation_errors import ClipFolderMissingError, ClipUnusableError, TooFewClipsError
from engine.evaluation.sound_statistics import measure_clip, measure_statistics

RECORDINGS = Path(__file__).parents[2] / "clips" / "recordings"
RATE = 48_000


def clip(samples, rate=RATE):
    return Audio(np.asarray(samples, dtype=np.float32)[None], rate)


def noise(seconds, seed=1, rate=RATE):
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))


def bursts(seconds=4.0, period_s=0.5, length_s=0.1, floor_db=-40.0, rate=RATE):
    """Noise that is loud for `length_s` every `period_s`, and `floor_db` lower in between."""
    time = np.arange(round(seconds * rate)) / rate
    return noise(seconds, rate=rate) * np.where(time % period_s < length_s, 1.0, 10 ** (floor_db / 20))


class TestMeasureClip:
    def test_the_floor_is_what_lies_between_the_events(self):
        for floor_db in (-20, -40, -60):
            assert measure_clip(clip(bursts(floor_db=floor_db))).floor_db == pytest.approx(floor_db, abs=3)

    def test_digital_silence_is_as_far_down_as_it_goes(self):
        assert measure_clip(clip(bursts(floor_db=-1000))).floor_db < -130

    def test_even_bursts_repeat_and_uneven_ones_do_not(self):
        times = np.cumsum(np.random.default_rng(2).uniform(0.15, 0.9, 12))
        time = np.arange(4 * RATE) / RATE
        is_on = np.any((time >= times[:, None]) & (time < times[:, None] + 0.1), axis=0)
        uneven = noise(4.0) * np.where(is_on, 1.0, 0.01)
        assert measure_clip(clip(bursts())).repetition > 0.8
        assert measure_clip(clip(uneven)).repetition < 0.6

    def test_bands_that_move_together_flicker_and_steady_noise_does_not(self):
        steps = np.repeat(np.random.default_rng(3).uniform(0.02, 1.0, 240), RATE // 60)
        assert measure_clip(clip(noise(4.0) * steps)).flicker > 0.5
        assert abs(measure_clip(clip(noise(4.0))).flicker) < 0.1

    def test_the_highs_are_a_share_of_the_energy_if_the_rate_holds_them(self):
        assert measure_clip(clip(noise(2.0))).above_db == pytest.approx(10 * np.log10(16 / 24), abs=0.2)
        assert measure_clip(clip(noise(2.0, rate=22_050), 22_050)).above_db is None

    @pytest.mark.parametrize("length_s", [0.03, 0.1, 0.25])
    def test_an_event_lasts_as_long_as_it_is_loud(self, length_s):
        assert measure_clip(clip(bursts(length_s=length_s))).event_s == pytest.approx(length_s, abs=0.012)

    def test_what_is_too_short_or_silent_says_nothing(self):
        short = measure_clip(clip(noise(0.05)))
        assert (short.repetition, short.flicker) == (None, None)
        assert set(asdict(measure_clip(clip(np.zeros(RATE)))).values()) == {None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, floor_db in (("rain/a.wav", -20.0), ("rain/b.wav", -30.0), ("kettle/c.wav", -50.0)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        clip(bursts(floor_db=floor_db)).write(tmp_path / name)
    (tmp_path / "rain" / "._b.wav").write_bytes(b"a Mac was here")
    return tmp_path


class TestMeasureStatistics:
    def test_each_kind_has_the_corpus_beside_its_recordings(self, folder):
        report = measure_statistics(folder, ["rain", "clock"], clips_per_class=2)
        rows = {row.kind: row for row in report.kinds}
        assert list(rows) == ["rain", "clock", "kettle"]
        assert (rows["rain"].corpus.clips, rows["rain"].recordings.clips) == (2, 2)
        assert rows["clock"].recordings is None
        assert rows["kettle"].corpus is None
        assert rows["rain"].recordings.median.floor_db == pytest.approx(-25, abs=3)
        assert (report.everything.corpus.clips, report.everything.recordings.clips) == (4, 3)
        everything = report.everything.recordings
        assert everything.lower.floor_db < everything.median.floor_db < everything.upper.floor_db

    def test_without_a_folder_only_the_corpus_is_measured(self):
        report = measure_statistics(None, ["clock"], clips_per_class=1)
        assert report.everything.recordings is None
        assert report.everything.corpus.clips == 1

    def test_another_seed_measures_other_clips(self):
        first, again, other = (measure_statistics(None, ["clock"], 1, seed) for seed in (1, 1, 2))
        assert first.everything == again.everything
        assert first.everything != other.everything

    def test_progress_is_told_and_it_can_be_stopped(self, folder):
        heard = []
        measure_statistics(folder, ["clock"], 1, on_clip=lambda done, total: heard.append((done, total)))
        assert heard == [(0, 4), (1, 4), (2, 4), (3, 4)]
        with pytest.raises(CancelledError):
            measure_statistics(folder, ["clock"], 1, should_stop=lambda: True)

    def test_bad_folders_and_files_are_named(self, folder, tmp_path):
        with pytest.raises(ClipFolderMissingError, match="nowhere"):
            measure_statistics(tmp_path / "nowhere", ["clock"], 1)
        (tmp_path / "empty").mkdir()
        with pytest.raises(TooFewClipsError, match="empty"):
            measure_statistics(tmp_path / "empty", ["clock"], 1)
        with pytest.raises(TooFewClipsError, match="the corpus"):
            measure_statistics(folder, ["clock"], 0)
        (folder / "rain" / "broken.wav").write_bytes(b"no sound")
        with pytest.raises(ClipUnusableError, match=r"broken\.wav"):
            measure_statistics(folder, ["clock"], 1)

    def test_the_recordings_that_ship_lie_where_recordings_do(self):
        """Recordings, 16 kHz: floor -31 dB (-45 to -22 for half of them), repetition .48, flicker .08."""
        median = measure_statistics(RECORDINGS, ["clock"], 1).everything.recordings.median
        assert -45 < median.floor_db < -20
        assert 0.3 < median.repetition < 0.65
        assert 0.0 < median.flicker < 0.25


class TestCommand:
    def test_a_table_sets_corpus_beside_recordings(self, folder, capsys):
        assert main(["evaluate", "--statistics", str(folder), "--sounds", "rain", "--per-class", "1"]) == DONE
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "medians, corpus | recordings"
        (rain,) = [line for line in lines if line.startswith("rain")]
        assert rain.split()[1:4] == ["1", "|", "2"]
        (kettle,) = [line for line in lines if line.startswith("kettle")]
        assert kettle.split()[1:4] == ["-", "|", "1"]

    def test_json_holds_every_figure(self, folder, capsys):
        asked = ["evaluate", str(folder), "--statistics", "--sounds", "rain", "--per-class", "1", "--json"]
        assert main(asked) == DONE
        report = json.loads(capsys.readouterr().out)
        assert report["everything"]["recordings"]["clips"] == 3
        assert report["kinds"][0]["kind"] == "rain"
        assert set(report["kinds"][0]["corpus"]["median"]) == {
            "floor_db", "repetition", "flicker", "above_db", "event_s",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("extra", "said"),
        [
            (["a", "b"], "one folder of recordings at most"),
            (["--edits"], "--edits does not go with --statistics"),
            (["--picture", "p.png"], "--picture does not go with --statistics"),
            (["--strength", "0"], "--strength does not go with --statistics"),
        ],
    )
    def test_what_makes_no_sense_beside_it_is_refused(self, extra, said, capsys):
        assert main(["evaluate", "--statistics", *extra]) == WRONG_USAGE
        assert said in capsys.readouterr().err

    def test_a_missing_folder_is_said(self, tmp_path, capsys):
        assert main(["evaluate", "--statistics", str(tmp_path / "no"), "--sounds", "rain"]) == FAILED
        assert "there is no folder at" in capsys.readouterr().err
