"""Lists: every form that programs write says the same; what is damaged is an error with its line."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.lists import ListError, Row, read_rows

TABLE = "prompt,seconds,seed\nrain — café,1.5,1\ndog,2,2\n"
SAID = [{"prompt": "rain — café", "seconds": "1.5", "seed": "1"}, {"prompt": "dog", "seconds": "2", "seed": "2"}]


def cells(path: Path, **how) -> list:
    return [row.cells for row in read_rows(path, **how)]


@pytest.fixture
def write(tmp_path):
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.csv", TABLE, id="plain"),
        pytest.param("a.CSV", "\ufeff" + TABLE, id="byte order mark"),
        pytest.param("a.csv", TABLE.encode("utf-16"), id="UTF-16"),
        pytest.param("a.csv", b"\xfe\xff" + TABLE.encode("utf-16-be"), id="UTF-16, the other way round"),
        pytest.param("a.csv", TABLE.encode("utf-16-le"), id="UTF-16 without a mark"),
        pytest.param("a.csv", TABLE.encode("utf-16-be"), id="UTF-16 the other way round without a mark"),
        pytest.param("a.csv", TABLE.encode("utf-32"), id="UTF-32"),
        pytest.param("a.csv", TABLE.encode("cp1252"), id="Windows-1252"),
        pytest.param("a.tsv", TABLE.replace(",", "\t"), id="tabs"),
        pytest.param("a.csv", TABLE.replace(",", "\t"), id="tabs by another name"),
        pytest.param("a.txt", TABLE.replace(",", "\t").encode("utf-16"), id="Excel's Unicode text"),
        pytest.param("a.csv", TABLE.replace(",", ";").replace("1.5", "1,5"), id="semicolons and decimal commas"),
        pytest.param("a.csv", TABLE.replace(",", "|"), id="bars"),
        pytest.param("a.csv", TABLE.replace("1.5", '"1,5"'), id="quoted decimal commas"),
        pytest.param("a.csv", "\n".join(json.dumps(cells) for cells in SAID), id="JSON lines by another name"),
        pytest.param("a.csv", "sep=;\n" + TABLE.replace(",", ";"), id="Excel's first line"),
        pytest.param("a.csv", TABLE.replace("\n", "\r\n"), id="CRLF"),
        pytest.param("a.csv", TABLE.replace("\n", "\r"), id="CR"),
        pytest.param("a.csv", TABLE.replace("\n", "\x85"), id="NEL"),
        pytest.param("a.csv", "\n\n" + TABLE.replace("\n", ",,,\n") + ",,,,,\n\n", id="empty columns and rows"),
        pytest.param("a.csv", ",prompt,seconds,seed\n0,rain — café,1.5,1\n1,dog,2,2\n", id="index"),
        pytest.param(
            "a.csv", "Unnamed: 0,prompt,seconds,seed\n0,rain — café,1.5,1\n1,dog,2,2\n", id="index that was saved again"
        ),
        pytest.param("a.csv", TABLE.replace("prompt,seconds", "Prompt , SECONDS"), id="blanks and capitals"),
        pytest.param("a.csv", TABLE.replace("dog,2,2", ' dog ,"2" , 2').replace('"2" ', '"2"'), id="blanks in cells"),
        pytest.param("a.jsonl", "\ufeff" + "\r\n".join(map(json.dumps, SAID)), id="JSON lines"),
        pytest.param("a.json", json.dumps(SAID).encode("utf-16"), id="JSON"),
        pytest.param("a.json", json.dumps({"data": SAID}), id="JSON with data"),
        pytest.param("a.json", "\n".join(map(json.dumps, SAID)), id="JSON lines by the name of JSON"),
        pytest.param("a.jsonl", json.dumps(SAID, indent=1), id="JSON by the name of JSON lines"),
    ],
)
def test_every_form_says_the_same(write, name, content):
    assert cells(write(name, content)) == SAID


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\x85\u2028\u2029"), max_size=12).map(str.strip)


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.tuples(CELL, CELL), max_size=5),
    separator=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_a_program_writes_is_what_is_read(tmp_path_factory, rows, separator, encoding, line_end):
    """Whatever the cells hold; blanks around them, and the kind of their line ends, are not kept."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows([("file", "caption"), *rows])
    path = tmp_path_factory.mktemp("lists") / "a.csv"
    path.write_bytes(text.getvalue().replace("\n", line_end).encode(encoding))

    kept = [{"file": first, "caption": second} for first, second in rows]
    expected = [{name: said for name, cell in row.items() if (said := _told(cell, separator))} for row in kept]
    assert cells(path) == [row for row in expected if row]


def _told(cell: str, separator: str) -> str | None:
    is_nothing = cell.casefold() in ("nan", "-nan", "none", "null", "<na>", "n/a", "#n/a", "nat") or cell == "NA"
    is_decimal = separator != "," and re.fullmatch(r"[+-]?\d+,\d+", cell)
    return None if is_nothing else cell.replace(",", ".") if is_decimal else cell


def test_lines_are_prompts_and_comments_are_none(write):
    rows = read_rows(write("a.txt", b"\xff\xfe" + "# mine\r\nrain, heavy\r\n\r\n  dog\r\n".encode("utf-16-le")))

    assert rows == [Row(2, {"prompt": "rain, heavy"}), Row(4, {"prompt": "dog"})]


@pytest.mark.parametrize("nothing", ["", " ", "nan", "NaN", "None", "NULL", "<NA>", "N/A"])
def test_the_words_for_nothing_are_empty_cells(write, nothing):
    assert cells(write("a.csv", f"prompt,negative\nrain,{nothing}\n")) == [{"prompt": "rain"}]
    assert cells(write("a.jsonl", json.dumps({"prompt": "rain", "negative": nothing}))) == [{"prompt": "rain"}]


def test_numbers_of_json_keep_their_kind(write):
    row = '{"prompt": "rain", "seed": 123456789.0, "seconds": 1.5, "steps": NaN, "model": null}'

    (said,) = cells(write("a.jsonl", row))
    assert said == {"prompt": "rain", "seed": 123456789, "seconds": 1.5}
    assert isinstance(said["seed"], int)


def test_a_text_may_hold_what_separates_cells_and_lines(write):
    assert cells(write("a.csv", 'file,caption\na.wav,"rain, ""heavy""\nand wind"\n')) == [
        {"file": "a.wav", "caption": 'rain, "heavy"\nand wind'}
    ]


def test_a_very_long_cell_is_read(write):
    assert len(cells(write("a.csv", f"prompt\n{'loud ' * 50_000}\n"))[0]["prompt"]) == 249_999


def test_rows_know_their_lines(write):
    rows = read_rows(write("a.csv", 'prompt,seed\n\n"two\nlines",1\nrain,2\n'))

    assert [row.number for row in rows] == [3, 5]


def test_a_broken_line_of_json_is_named_and_the_others_are_read(write):
    good, bad, last = read_rows(write("a.jsonl", '{"prompt": "rain"}\n\n{"prompt": "do\n{"prompt": "dog"}\n'))

    assert (good.cells, last.cells, bad.cells) == ({"prompt": "rain"}, {"prompt": "dog"}, {})
    assert bad.number == 3
    assert "line 3" in bad.fault


def test_pairs_are_rows_where_they_have_names(write):
    path = write("a.json", '{"a.wav": "rain"}')

    assert cells(path, pair=("file", "caption")) == [{"file": "a.wav", "caption": "rain"}]
    with pytest.raises(ListError, match="a list of objects"):
        read_rows(path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        pytest.param("a.csv", 'prompt,seed\nrain,1\n"dog,2\ncat,3\n', "line 3 .* never closed", id="open quote"),
        pytest.param("a.csv", 'prompt,seed\n"dog,1\ncat,2\n"rain",3\n', "line 2 .* not closed", id="quote closed late"),
        pytest.param("a.csv", 'prompt\n"a 12" single"\n', "line 2 .* written twice", id="quote within quotes"),
        pytest.param("a.csv", "file,caption\na.wav,Rain falls, softly\n", "line 2 .*'softly'.* comma", id="comma"),
        pytest.param("a.csv", "prompt,seed,,\nrain,1,,\ndog, loud,2,\n", "line 3 has more cells", id="under no name"),
        pytest.param("a.csv", "prompt;seed\nrain; loud;1\n", "line 2 .* semicolon", id="semicolon"),
        pytest.param("a.csv", "prompt,Prompt\nrain,dog\n", "two columns .* 'prompt'", id="two columns of a name"),
        pytest.param("a.csv", "prompt\n雨の音\n".encode("cp932"), "as UTF-8", id="a Japanese code page"),
        pytest.param("a.csv", "prompt\nдождь\n".encode("cp1251"), "as UTF-8", id="a Cyrillic code page"),
        pytest.param("a.csv", os.urandom(4096), "decoded", id="noise"),
        pytest.param("a.csv", b"prompt,seed\nra\0in,1\ndog,2\n", "decoded", id="one zero among letters"),
        pytest.param("a.json", "{", "no JSON, or cut off, at line 1, character 2", id="cut off"),
        pytest.param("a.json", '[\n{"prompt": "rain"},\n]', "at line 3", id="a comma too many"),
        pytest.param("a.json", "[" * 100_000, "nested|no JSON", id="deep"),
        pytest.param("a.ods", "rain", r"ends in \.ods", id="another kind"),
    ],
)
def test_what_is_damaged_is_refused_with_its_line(write, name, content, words):
    with pytest.raises(ListError) as caught:
        read_rows(write(name, content))
    assert re.search(words, f"{caught.value} {caught.value.hint}")


@pytest.mark.skipif(sys.platform == "win32", reason="no such files")
@pytest.mark.timeout(20)
def test_what_never_ends_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")

    for name in ("pipe.csv", "zero.csv"):
        with pytest.raises(ListError, match="not a file"):
            read_rows(tmp_path / name)


def test_reading_lists_loads_nothing_heavy():
    script = "import sys; from engine import read_rows; print(*{'torch', 'numpy', 'soundfile'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def test_a_comma_of_thousands_is_none_of_decimals(write):
    assert cells(write("a.csv", 'prompt,seed\nrain,"1,500"\n')) == [{"prompt": "rain", "seed": "1,500"}]
