"""A sound designer's own files as training data: lists of every kind, files of every condition, and every recipe."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from engine.checkpoints.store import load_model
from engine.cli import FAILED, main
from engine.sounds import render
from engine.training import cli
from engine.training.library import LibrarySettings, cut_clips, read_skipped
from engine.training.manifest import ListedClip, read_manifest
from engine.training.training_errors import ClipsDifferError, ManifestError

SECONDS = 1.28  # the tiny preset's window


def write(folder: Path, name: str, sound: str = "rain", seconds: float = 2.0, rate: int = 16_000) -> Path:
    folder.mkdir(exist_ok=True)
    soundfile.write(folder / name, render(sound, len(name), seconds, rate, is_edited=False).waveform, rate)
    return folder / name


def listed(folder: Path, rows: list[dict[str, Any]], name: str = "data.json") -> Path:
    path = folder / name
    path.write_text(json.dumps({"data": rows}), encoding="utf-8")
    return path


class TestManifest:
    def test_the_form_of_audioldms_authors(self, tmp_path: Path) -> None:
        rows = [
            {"wav": "a.wav", "labels": "/m/06mb1", "caption": "Rain falls "},
            {"wav": "/far/b.wav", "caption": "wind"},
        ]

        entries, skipped = read_manifest(listed(tmp_path, rows))

        assert entries == [
            ListedClip(tmp_path / "a.wav", ("Rain falls",)),
            ListedClip(Path("/far/b.wav"), ("wind",)),
        ]
        assert skipped == []

    @pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode there")
    def test_in_an_old_encoding_names_files_by_their_bytes(self, tmp_path: Path) -> None:
        sound = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
        sound.touch()
        (tmp_path / "a.csv").write_bytes(b"file,caption\ncaf\xe9.wav,rain in a caf\xe9\n")

        assert read_manifest(tmp_path / "a.csv")[0] == [ListedClip(sound, ("rain in a café",))]

    def test_the_form_of_audiocaps(self, tmp_path: Path) -> None:
        """Files bear the names that downloaders give them; several captions of one sound stand in several rows."""
        sounds = tmp_path / "sounds"
        write(sounds, "Yabc.wav")
        write(sounds, "def_30.flac")
        write(sounds, "103.wav")
        table = tmp_path / "train.csv"
        table.write_text(
            "audiocap_id,youtube_id,start_time,caption\n"
            '101,abc,10,Rain falls\n101,abc,10,It pours\n102,def,30,"Wind, then rain"\n103,ghi,0,A dog barks\n',
            encoding="utf-8",
        )

        entries, _ = read_manifest(table, sounds)

        assert [(entry.path.name, entry.captions) for entry in entries] == [
            ("Yabc.wav", ("Rain falls", "It pours")),
            ("def_30.flac", ("Wind, then rain",)),
            ("103.wav", ("A dog barks",)),
        ]

    def test_a_plain_table_with_classes(self, tmp_path: Path) -> None:
        table = tmp_path / "mine.csv"
        table.write_text("\ufefffile,caption,class\na.wav,rain on a roof,rain\n", encoding="utf-8")

        assert read_manifest(table)[0] == [ListedClip(tmp_path / "a.wav", ("rain on a roof",), "rain")]

    def test_several_captions_in_one_row(self, tmp_path: Path) -> None:
        entries, _ = read_manifest(listed(tmp_path, [{"file": "a.wav", "captions": ["rain", "rain", "a shower"]}]))

        assert entries[0].captions == ("rain", "a shower")

    def test_a_row_without_caption_is_named(self, tmp_path: Path) -> None:
        entries, skipped = read_manifest(listed(tmp_path, [{"wav": "a.wav", "caption": "x"}, {"wav": "b.wav"}]))

        assert len(entries) == 1
        assert (skipped[0].name, skipped[0].reason) == ("b.wav", "row 2 has no caption")

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            pytest.param("{", "could not be used", id="no JSON"),
            pytest.param("[]", "it holds no rows", id="empty"),
            pytest.param('{"rain.wav": "rain"}', "expected a list of objects", id="another form"),
            pytest.param('[{"sound": "rain"}]', "row 1 names no file; expected one of wav, file", id="no file"),
            pytest.param('[{"wav": "a.wav", "caption": " "}]', "none of its 1 rows has a caption", id="no captions"),
        ],
    )
    def test_what_is_no_list_is_refused(self, tmp_path: Path, content: str, words: str) -> None:
        path = tmp_path / "data.json"
        path.write_text(content, encoding="utf-8")

        with pytest.raises(ManifestError, match=words) as caught:
            read_manifest(path)
        assert "file,caption" in caught.value.hint

    @pytest.mark.parametrize(
        ("name", "content", "captions"),
        [
            pytest.param(
                "clotho.csv",
                "file_name,caption_1,caption_2,caption_3\na.wav,Rain falls,It rains,nan\n",
                ("Rain falls", "It rains"),
                id="Clotho's columns",
            ),
            pytest.param("a.jsonl", '{"file_name": "a.wav", "text": "Rain"}\n', ("Rain",), id="JSON lines"),
            pytest.param(
                "a.json", '{"file_name": "a.wav", "text": "Rain"}\n{"wav": "b.wav"}\n', ("Rain",), id="as JSON"
            ),
            pytest.param("a.csv", "file;caption\na.wav;Regen, stark\n", ("Regen, stark",), id="semicolons"),
            pytest.param("a.tsv", "file\tcaption\na.wav\tRain\n".encode("utf-16"), ("Rain",), id="tabs and UTF-16"),
            pytest.param("a.csv", "file, Caption \na.wav, Rain falls\n,\n", ("Rain falls",), id="blanks"),
            pytest.param(
                "a.csv", 'file,caption\na.wav,"[\'Rain\', ""It\'s wet""]"\n', ("Rain", "It's wet"), id="a list"
            ),
            pytest.param(
                "a.csv", "file,caption\na.wav,\"['Rain'\n 'Wet']\"\n", ("Rain", "Wet"), id="a list of pandas'"
            ),
            pytest.param("a.csv", "wav,labels\na.wav,Dog_bark;Rain\n", ("Dog bark, Rain",), id="labels only"),
            pytest.param(
                "a.json",
                '[{"wav": "b.wav", "label": 3}, {"wav": "a.wav", "label": "3;rain"}]',
                ("rain",),
                id="numbers of labels",
            ),
            pytest.param(
                "a.json", '[{"wav": "a.wav", "label": ["dog", "rain"]}]', ("dog, rain",), id="a list of labels"
            ),
            pytest.param(
                "a.csv", "file,caption,num_captions\na.wav,Rain,5\n", ("Rain",), id="a number by the name of a caption"
            ),
        ],
    )
    def test_other_forms_say_the_same(
        self, tmp_path: Path, name: str, content: str | bytes, captions: tuple[str, ...]
    ) -> None:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

        assert read_manifest(path)[0] == [ListedClip(tmp_path / "a.wav", captions)]

    def test_names_of_windows_are_found_elsewhere_too(self, tmp_path: Path) -> None:
        write(tmp_path / "audio", "a.wav")
        entries, _ = read_manifest(listed(tmp_path, [{"wav": "audio\\a.wav", "caption": "Rain"}]))

        assert [entry.path.is_file() for entry in entries] == [True]

    def test_codes_of_audioset_are_words_by_their_table(self, tmp_path: Path) -> None:
        rows = [{"wav": "a.wav", "labels": "/m/06mb1,/m/0bt9lr"}, {"wav": "b.wav", "labels": "/m/09x0r"}]
        with pytest.raises(ManifestError, match="none of its 2 rows has a caption"):
            read_manifest(listed(tmp_path, rows))
        (tmp_path / "class_labels_indices.csv").write_text(
            'index,mid,display_name\n0,/m/06mb1,Rain\n1,/m/0bt9lr,"Dog, bark"\n'
        )

        entries, skipped = read_manifest(listed(tmp_path, rows))
        assert entries == [ListedClip(tmp_path / "a.wav", ("Rain, Dog, bark",))]
        assert [one.name for one in skipped] == ["b.wav"]

    def test_what_a_batch_wrote_is_learnt_from_where_it_was_rendered(self, tmp_path: Path) -> None:
        row = {"key": "a", "attempt": 1, "job": "batch-a-1", "state": "done", "prompt": "Rain", "path": "/o/a.wav"}
        failed = row | {"key": "b", "state": "failed", "path": ""}
        lines = [row | {"others": ["/o/b.wav"]}, failed]
        path = tmp_path / "retake-batch.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"key": "c", "at', encoding="utf-8")

        table = path.with_suffix(".csv")
        table.write_text(
            f"{','.join(row)},others\na,1,batch-a-1,done,Rain,/o/a.wav,/o/b.wav\nb,1,batch-b-1,failed,Rain,,\n", "utf-8"
        )

        expected = [ListedClip(Path("/o/a.wav"), ("Rain",)), ListedClip(Path("/o/b.wav"), ("Rain",))]
        for file, passed_over in ((path, ["row 2", "row 3"]), (table, ["row 3"])):
            entries, skipped = read_manifest(file)
            assert (entries, [one.name for one in skipped]) == (expected, passed_over)

    def test_a_row_of_the_first_cell_only_is_named_and_passed_over(self, tmp_path: Path) -> None:
        table = tmp_path / "train.csv"
        table.write_text("audiocap_id,youtube_id,start_time,caption\n1,abc,30,A dog barks and\nwhimpers,,,\n", "utf-8")
        entries, skipped = read_manifest(table)

        assert len(entries) == 1
        assert "row 3 names no file" in skipped[0].reason

    def test_the_authors_list_of_data_sets_says_which_list_to_give(self, tmp_path: Path) -> None:
        content = {
            "audiocaps": "/data/audioset",
            "metadata": {"path": {"audiocaps": {"train": "meta/train_label.json"}}},
        }
        path = tmp_path / "dataset_root.json"
        path.write_text(json.dumps(content), encoding="utf-8")

        with pytest.raises(ManifestError, match="it names data sets") as caught:
            read_manifest(path)
        assert "--manifest (meta/train_label.json)" in caught.value.hint
        assert "--audio-root (/data/audioset)" in caught.value.hint

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            pytest.param('file,caption\na.wav,Rain\nb.wav,"Wind\nc.wav,Dog\n', "line 3 has a quote", id="open quote"),
            pytest.param("file,caption\na.wav,Rain falls, softly\n", "line 2 has more cells", id="comma"),
        ],
    )
    def test_damage_is_an_error_with_its_line(self, tmp_path: Path, content: str, words: str) -> None:
        (tmp_path / "a.csv").write_text(content, encoding="utf-8")

        with pytest.raises(ManifestError, match=words):
            read_manifest(tmp_path / "a.csv")

    def test_no_list_at_all(self, tmp_path: Path) -> None:
        with pytest.raises(ManifestError, match=r"nowhere\.csv could not be used"):
            read_manifest(tmp_path / "nowhere.csv")


class TestLibrary:
    def cut(self, tmp_path: Path, rows: list[dict[str, Any]], **how: Any):
        return cut_clips(LibrarySettings(tmp_path / "clips", listed(tmp_path, rows), seconds=SECONDS, **how))

    def test_windows_are_clips_at_the_models_rate(self, tmp_path: Path) -> None:
        write(tmp_path, "long.wav", seconds=3.0, rate=44_100)
        write(tmp_path, "short.wav", "dog", seconds=0.7)

        clips = self.cut(tmp_path, [{"wav": "long.wav", "caption": "rain"}, {"wav": "short.wav", "caption": "dog"}])

        assert [(clip["file"], clip["start_s"]) for clip in clips.about] == [
            ("long.wav", 0), ("long.wav", SECONDS), ("long.wav", 2 * SECONDS), ("short.wav", 0),
        ]  # fmt: skip
        assert clips.waveforms.shape == (4, 20_480)
        assert clips.log_mels.shape == (4, 128, 64)
        assert clips.waveform(np.array([0, 3])).abs().amax(dim=1) == pytest.approx(0.5, abs=0.1)
        assert not clips.waveforms[3, 11_200:].any()
        assert clips.caption(0, 7) == "rain"

    def test_levels_do_not_depend_on_the_files(self, tmp_path: Path) -> None:
        loud = render("rain", 1, 1.28).waveform
        soundfile.write(tmp_path / "a.wav", loud, 16_000, subtype="FLOAT")
        soundfile.write(tmp_path / "b.wav", 0.01 * loud + 0.1, 16_000, subtype="FLOAT")

        clips = self.cut(tmp_path, [{"wav": name, "caption": "rain"} for name in ("a.wav", "b.wav")])

        np.testing.assert_allclose(clips.waveforms[0], clips.waveforms[1], atol=30)

    def test_one_long_file_does_not_outweigh_all_others(self, tmp_path: Path) -> None:
        write(tmp_path, "long.wav", seconds=6.0)

        assert len(self.cut(tmp_path, [{"wav": "long.wav", "caption": "rain"}], max_windows=2)) == 2

    def test_bad_files_are_passed_over_and_named(self, tmp_path: Path) -> None:
        write(tmp_path, "good.wav")
        (tmp_path / "text.wav").write_text("woof", encoding="utf-8")
        soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
        broken = np.full(16_000, np.nan, np.float32)
        soundfile.write(tmp_path / "broken.wav", broken, 16_000, subtype="FLOAT")
        names = ("good.wav", "text.wav", "missing.wav", "silent.wav", "broken.wav")

        clips = self.cut(tmp_path, [{"wav": name, "caption": "rain"} for name in names])

        reasons = {Path(one.name).name: one.reason for one in read_skipped(tmp_path / "clips")}
        assert {clip["file"] for clip in clips.about} == {"good.wav"}
        assert set(reasons) == {"text.wav", "missing.wav", "silent.wav", "broken.wav"}
        assert reasons["silent.wav"] == "it is silent"
        assert "not numbers" in reasons["broken.wav"]

    def test_nothing_left_is_an_error_that_names_one(self, tmp_path: Path) -> None:
        with pytest.raises(ManifestError, match=r"none of its files can be used; .*gone\.wav: ") as caught:
            self.cut(tmp_path, [{"wav": "gone.wav", "caption": "rain"}])
        assert "--audio-root" in caught.value.hint

    def test_is_cut_once(self, tmp_path: Path) -> None:
        write(tmp_path, "a.wav")
        rows = [{"wav": "a.wav", "caption": "rain"}]
        self.cut(tmp_path, rows)
        before = (tmp_path / "clips" / "wav.npy").stat().st_mtime_ns

        self.cut(tmp_path, rows)

        assert (tmp_path / "clips" / "wav.npy").stat().st_mtime_ns == before
        assert not list((tmp_path / "clips").glob("*.part"))

    def test_another_list_needs_another_folder(self, tmp_path: Path) -> None:
        write(tmp_path, "a.wav")
        self.cut(tmp_path, [{"wav": "a.wav", "caption": "rain"}])

        with pytest.raises(ClipsDifferError, match="holds the clips of another list") as caught:
            self.cut(tmp_path, [{"wav": "a.wav", "caption": "wind"}])
        assert "--run" in caught.value.hint

    def test_classes_count_only_where_every_clip_has_one(self, tmp_path: Path) -> None:
        for name in ("a.wav", "b.wav"):
            write(tmp_path, name, seconds=1.28)
        rows = [{"wav": "a.wav", "caption": "x", "class": "wind"}, {"wav": "b.wav", "caption": "y", "class": "rain"}]

        named = self.cut(tmp_path, rows)
        (tmp_path / "other").mkdir()
        some = cut_clips(
            LibrarySettings(tmp_path / "more", listed(tmp_path, [rows[0], {"wav": "b.wav", "caption": "y"}], "b.json"))
        )

        assert named.class_names == ("rain", "wind")
        assert named.classes.tolist() == [1, 0]
        assert some.class_names == ()


class TestInterruption:
    """A large library's cutting is stopped, and goes on at the next file."""

    @pytest.fixture
    def rows(self, tmp_path: Path) -> list[dict[str, Any]]:
        rng, rows = np.random.default_rng(0), []
        (tmp_path / "sounds").mkdir()
        for index in range(60):
            name = f"sounds/{index}.wav"
            if index % 20 != 7:  # three are missing
                soundfile.write(tmp_path / name, 0.1 * rng.standard_normal(3_000 + 400 * (index % 5)), 16_000)
            rows.append({"wav": name, "caption": f"noise {index}"})
        return rows

    def settings(self, tmp_path: Path, rows: list[dict[str, Any]], name: str) -> LibrarySettings:
        return LibrarySettings(tmp_path / name, listed(tmp_path, rows), seconds=0.16)

    def stop(self, settings: LibrarySettings) -> None:
        """After the fiftieth file."""

        def interrupt(*_: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            cut_clips(settings, interrupt)

    def test_goes_on_without_reading_a_file_again(self, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
        whole = cut_clips(self.settings(tmp_path, rows, "whole"))
        settings = self.settings(tmp_path, rows, "halves")
        self.stop(settings)
        for row in rows[:50]:
            (tmp_path / row["wav"]).unlink(missing_ok=True)

        halves = cut_clips(settings)

        assert halves.about == whole.about
        np.testing.assert_array_equal(halves.waveforms, whole.waveforms)
        np.testing.assert_array_equal(halves.log_mels, whole.log_mels)
        assert [Path(one.name).name for one in read_skipped(settings.folder)] == ["7.wav", "27.wav", "47.wav"]
        assert not list(settings.folder.glob("*.part"))

    @pytest.mark.parametrize("torn", ["wav.part", "mel.part", "cut.part"])
    def test_what_a_crash_tore_is_cut_again(self, tmp_path: Path, rows: list[dict[str, Any]], torn: str) -> None:
        whole = cut_clips(self.settings(tmp_path, rows, "whole"))
        settings = self.settings(tmp_path, rows, "halves")
        self.stop(settings)
        path = settings.folder / torn
        path.write_bytes(path.read_bytes()[:-5])

        halves = cut_clips(settings)

        assert halves.about == whole.about
        np.testing.assert_array_equal(halves.waveforms, whole.waveforms)
        np.testing.assert_array_equal(halves.log_mels, whole.log_mels)

    def test_half_a_file_is_cut_again(self, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
        whole = cut_clips(self.settings(tmp_path, rows, "whole"))
        settings = self.settings(tmp_path, rows, "halves")
        self.stop(settings)
        with (settings.folder / "wav.part").open("ab") as waves:
            waves.write(b"windows of a file that was not finished")

        np.testing.assert_array_equal(cut_clips(settings).waveforms, whole.waveforms)

    def test_another_list_begins_anew(self, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
        self.stop(self.settings(tmp_path, rows, "halves"))

        clips = cut_clips(self.settings(tmp_path, rows[55:], "halves"))

        assert {clip["file"] for clip in clips.about} == {f"{index}.wav" for index in range(55, 60)}

    def test_files_that_were_all_missing_are_looked_for_again(self, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
        settings = self.settings(tmp_path, rows[:3], "late")
        (tmp_path / "sounds").rename(tmp_path / "elsewhere")
        with pytest.raises(ManifestError):
            cut_clips(settings)
        (tmp_path / "elsewhere").rename(tmp_path / "sounds")

        assert {clip["file"] for clip in cut_clips(settings).about} == {"0.wav", "1.wav", "2.wav"}


class TestCommand:
    @pytest.fixture
    def library(self, tmp_path: Path) -> Path:
        rows = []
        for index in range(12):
            sound = ("rain", "dog", "siren")[index % 3]
            write(tmp_path / "sounds", f"{sound}{'x' * index}.wav", sound, 1.28)
            rows.append({"wav": f"{sound}{'x' * index}.wav", "caption": f"the {sound} of take {index}", "class": sound})
        return listed(tmp_path, [*rows, {"wav": "gone.wav", "caption": "nothing"}])

    def train(self, run: Path, library: Path, *parts: str, steps: int = 2) -> None:
        parser = argparse.ArgumentParser()
        cli.add_arguments(parser)
        for part in parts:
            options = ["--run", str(run), "--preset", "tiny", "--manifest", str(library), "--batch", "4"]
            options += ["--audio-root", str(library.parent / "sounds"), "--steps", str(steps)]
            assert cli.run(parser.parse_args([part, *options])) == 0
        assert (
            cli.run(parser.parse_args(["join", "--run", str(run), "--preset", "tiny", "-o", str(run / "model")])) == 0
        )

    @pytest.mark.slow
    def test_every_part_learns_from_it(self, library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.train(tmp_path / "run", library, "vae", "clap", "ldm")

        model = load_model(tmp_path / "run" / "model")
        assert model.config.sounds == ("dog", "rain", "siren")
        assert model.clap.knows("a siren")
        assert not model.clap.knows("the saxophone")
        shown = capsys.readouterr().err
        assert "passed over" in shown
        assert "gone.wav" in shown

    def test_a_missing_list_is_told(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        command = ["train", "vae", "--run", str(tmp_path / "run"), "--manifest", str(tmp_path / "no.csv")]

        assert main(command) == FAILED
        assert "no.csv could not be used as a list of clips" in capsys.readouterr().err
