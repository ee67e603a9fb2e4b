"""Names that sticks, shares and Windows take as well as this file system."""

import pytest

from engine.file_names import safe_name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Vox 12:30 take?", "Vox 12-30 take-"),
        ('a<b>c"d|e*f', "a-b-c-d-e-f"),
        ("back\\slash/slash", "back-slash-slash"),
        ("line\nbreak\x7f", "line-break-"),
        ("caf\udce9", "caf-"),
        ("nul.v1", "_nul.v1"),
        ("COM3", "_COM3"),
        ("LPT¹ .x", "_LPT¹ .x"),
        ("console", "console"),
        ("ends with dots ... ", "ends with dots"),
        ("Žluťoučký 雨 🎹", "Žluťoučký 雨 🎹"),
        ("...", ""),
    ],
)
def test_is_taken_by_every_file_system(text: str, expected: str) -> None:
    assert safe_name(text, 120) == expected


def test_is_cut_by_bytes_between_two_letters_and_not_before_a_blank() -> None:
    assert safe_name("雨" * 80, 10) == "雨雨雨"
    assert safe_name("rain on tin", 5) == "rain"
