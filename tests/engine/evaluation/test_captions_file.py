"""Captions files: what is read, and what is refused in words."""

import json
from pathlib import Path

import pytest

from engine.evaluation.captions_file import Caption, read_captions
from engine.evaluation.evaluation_errors import CaptionsError

CLASSES = ("rain", "dog")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        pytest.param(
            "a.csv",
            "file,caption,class\n1.wav,heavy rain,rain\n2.wav,something else,\n",
            {"1.wav": Caption("heavy rain", "rain"), "2.wav": Caption("something else")},
            id="CSV with classes",
        ),
        pytest.param(
            "a.csv", '\ufefffile,caption\n1.wav,"rain, heavy"\n', {"1.wav": Caption("rain, heavy")}, id="CSV from Excel"
        ),
        pytest.param(
            "a.csv", "File;Caption;;\n1.wav;Regen, stark;;\n;;;\n", {"1.wav": Caption("Regen, stark")}, id="European"
        ),
        pytest.param("a.tsv", "file\tcaption\n1.wav\tné\n", {"1.wav": Caption("né")}, id="tabs"),
        pytest.param(
            "a.jsonl", '{"file": "1.wav", "caption": "a dog"}\n', {"1.wav": Caption("a dog")}, id="JSON lines"
        ),
        pytest.param("a.json", '{"1.wav": "a dog"}', {"1.wav": Caption("a dog")}, id="JSON object"),
        pytest.param(
            "a.json",
            '[{"file": "1.wav", "caption": "woof", "class": "dog"}]',
            {"1.wav": Caption("woof", "dog")},
            id="JSON list",
        ),
        pytest.param("a.json", '{"1.wav": "dog"}', {"1.wav": Caption("dog", "dog")}, id="a class as caption"),
    ],
)
def test_captions_are_read(tmp_path: Path, name: str, content: str, expected: dict[str, Caption]) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")

    assert read_captions(tmp_path / name, CLASSES) == expected


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        pytest.param("a.csv", "name,text\n1.wav,rain\n", "a row has no 'file'", id="wrong columns"),
        pytest.param("a.csv", "file,caption\n", "it holds no captions", id="no rows"),
        pytest.param("a.csv", "file,caption\n1.wav, \n", "the caption of '1.wav' is ' '", id="blank caption"),
        pytest.param("a.csv", "file,caption\n1.wav,rain\n1.wav,dog\n", "1 files stand in it twice", id="doubled file"),
        pytest.param("a.csv", "file,caption,class\n1.wav,woof,cat\n", "the class 'cat'; known: rain, dog", id="class"),
        pytest.param("a.json", "{", "it is no JSON, or cut off", id="broken JSON"),
        pytest.param("a.json", "[1, 2]", "expected an object or a list of objects", id="wrong JSON"),
        pytest.param("a.json", '{"1.wav": 7}', "the caption of '1.wav' is 7", id="a number as caption"),
    ],
)
def test_what_is_no_captions_file_is_refused(tmp_path: Path, name: str, content: str, reason: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")

    with pytest.raises(CaptionsError, match=reason) as caught:
        read_captions(tmp_path / name, CLASSES)

    assert json.dumps(caught.value.hint).count("file,caption") == 1


@pytest.mark.parametrize(
    ("content", "reason", "hint"),
    [
        pytest.param('file,caption\n1.wav,"rain\n2.wav,dog\n', "line 2 has a quote", "close it", id="open quote"),
        pytest.param("file,caption\n1.wav,rain, soft\n", "line 2 has more cells", "double quotes", id="unquoted comma"),
    ],
)
def test_damage_is_an_error_with_its_line(tmp_path: Path, content: str, reason: str, hint: str) -> None:
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")

    with pytest.raises(CaptionsError, match=reason) as caught:
        read_captions(tmp_path / "a.csv", CLASSES)
    assert hint in caught.value.hint


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptionsError, match="No such file"):
        read_captions(tmp_path / "none.csv", CLASSES)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00\x01")

    with pytest.raises(CaptionsError, match="decode"):
        read_captions(tmp_path / "a.csv", CLASSES)
