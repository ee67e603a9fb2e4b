"""`retake listen`, run for real: words, JSON, folders, and files that cannot be heard among those that can."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.cli import DONE, FAILED, main
from engine.sounds import SOUNDS, render

CPU = ("--device", "cpu")


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for name in ("rain", "dog"):
        waveform = render(name, seed=3, seconds=3.0, sample_rate=16_000).waveform
        soundfile.write(tmp_path / f"{name}.wav", np.stack([waveform, waveform], axis=1), 16_000)
    (tmp_path / "deep").mkdir()
    soundfile.write(tmp_path / "deep" / "siren.flac", render("siren", 3, 3.0, 44_100).waveform, 44_100)
    (tmp_path / "notes.txt").write_text("no sound", encoding="utf-8")
    (tmp_path / "._rain.wav").write_bytes(b"macOS")
    return tmp_path


def listen_as_json(*words: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict]]:
    code = main(["listen", *map(str, words), *CPU, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_one_file_shows_its_five_best(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", str(clips / "rain.wav"), *CPU]) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[0].split()[1:] == ["rain"]
    assert lines[0].split()[0].endswith("%")


def test_a_folder_is_all_sound_files_in_it(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", str(clips), *CPU]) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert [Path(line.split(": ")[0]).name for line in lines] == ["siren.flac", "dog.wav", "rain.wav"]
    assert [line.split(": ")[1].split()[0] for line in lines] == ["siren", "dog", "rain"]


def test_json_has_every_sound_with_score_and_category(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = listen_as_json(clips / "dog.wav", capsys=capsys)
    assert code == DONE
    (row,) = rows
    assert row["file"] == str(clips / "dog.wav")
    assert {sound["name"] for sound in row["sounds"]} == set(SOUNDS)
    assert (row["sounds"][0]["name"], row["sounds"][0]["ucs"]) == ("dog", "ANMLDog")


def test_files_that_cannot_be_heard_leave_the_others_alone(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(clips / "silence.wav", np.zeros(16_000), 16_000)
    wanted = [clips / "gone.wav", clips / "notes.txt", clips / "silence.wav", clips / "dog.wav"]
    assert main(["listen", *map(str, wanted), *CPU, "--json"]) == FAILED
    shown = capsys.readouterr()
    rows = json.loads(shown.out)
    assert [row.get("error", {}).get("code") for row in rows] == [
        "file_missing",
        "file_unreadable",
        "clip_silent",
        None,
    ]
    assert rows[3]["sounds"][0]["name"] == "dog"
    for path in wanted[:3]:
        assert str(path) in shown.err
    assert shown.err.count("hint: ") == 3


def test_names_of_your_own(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = listen_as_json(clips / "dog.wav", "--names", "heavy rain, a dog barking", capsys=capsys)
    assert code == DONE
    assert [sound["name"] for sound in rows[0]["sounds"]] == ["a dog barking", "heavy rain"]


def test_a_folder_without_sound_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", str(tmp_path), *CPU]) == FAILED
    assert str(tmp_path) in capsys.readouterr().err


def test_a_folder_without_sound_leaves_the_others_alone(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clips / "none").mkdir()
    assert main(["listen", str(clips / "none"), str(clips / "dog.wav"), *CPU, "--json"]) == FAILED
    shown = capsys.readouterr()
    refused, heard = json.loads(shown.out)
    assert refused["error"]["text"] == f"there are no sound files in {clips / 'none'}"
    assert heard["sounds"][0]["name"] == "dog"
    assert shown.err.count(str(clips / "none")) == 1


def test_a_pattern_that_no_shell_opened_is_a_file_that_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["listen", str(tmp_path / "*.wav"), *CPU]) == FAILED
    assert "there is no file at" in capsys.readouterr().err
