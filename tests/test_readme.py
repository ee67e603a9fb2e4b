"""The README keeps its promises: short, pictures, two set-up commands first of all fenced blocks, and all sounds."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from engine.sounds import SOUNDS
from engine.sounds.captions import wordings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_is_a_page():
    prose = re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL)

    assert README.count("\n") <= 100
    assert [line for line in prose.splitlines() if len(line) > 120] == []


def test_follows_the_order_in_which_a_musician_reads():
    places = [
        README.index(word)
        for word in ("docs/images/ardour.png", "```sh", *re.findall(r"^## .+$", README, re.MULTILINE))
    ]

    assert places == sorted(places)
    assert re.findall(r"^## (.+)$", README, re.MULTILINE) == [
        "Install",
        "In your DAW",
        "On the command line",
        "What the model knows",
        "Documents",
        "Licence",
    ]


def test_shows_its_first_picture_before_anything_has_to_be_done():
    before, _ = README.split("```sh", 1)

    assert "](docs/images/ardour.png)" in before
    assert "`git clone --depth 1 " in before


def test_opens_with_two_commands_of_one_line_each():
    for language, text in BLOCKS[:2]:
        assert language == "sh"
        assert len(text.strip().splitlines()) == 1
        assert text.startswith("python3 -m venv .venv && .venv/bin/pip install ")


def test_first_command_names_the_wav_that_it_leaves():
    before, _ = README.split("```sh", 1)

    assert "footfalls restyle heavy-rain-on-a-tin-roof s1.wav" in before
    assert (ROOT / "tests" / "clips" / "footfalls.wav").exists()
    assert 'restyle tests/clips/footfalls.wav "heavy rain on a tin roof"' in BLOCKS[0][1]


def test_names_every_sound_of_the_shipped_model():
    listed = README.split("It knows these kinds of sound")[1].split("Ask for anything else")[0]
    listed = listed.replace("**", "")
    entries = " ".join(re.sub("[>·]", ",", listed.split(":\n\n", 1)[1]).replace("\n,", " ").split()).split(",")
    entries = [entry.strip() for entry in entries if entry.strip()]
    known = {name: {*wordings(name, held_out=False), *wordings(name, held_out=True)} for name in SOUNDS}

    def fits(entry, name):
        stems = [rf"\b{word[:4]}" for word in re.findall(r"\w+", entry)]
        return any(all(re.search(stem, wording) for stem in stems) for wording in known[name])

    assert len(entries) == len(set(entries)) == len(SOUNDS)
    assert [name for name in SOUNDS if not any(fits(entry, name) for entry in entries)] == []
    assert [entry for entry in entries if not any(fits(entry, name) for name in SOUNDS)] == []


def test_mentions_only_files_that_exist():
    for name in re.findall(r"`((?:engine|bridge|tests|installer|daw_scripts)/[\w./-]*)`", README):
        assert (ROOT / name).exists(), name


def test_pins_cover_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["test"], *extras["train"]]
    pinned = {line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}

    assert {re.split(r"[<>=\[]", name)[0].lower() for name in wanted} <= {name.replace("_", "-") for name in pinned}
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text()


@pytest.mark.parametrize(("python", "numpy", "laion_clap"), [("3.11", "1.26.4", True), ("3.13", "2.4.6", False)])
def test_where_laion_clap_cannot_be_installed_numpy_2_is(python, numpy, laion_clap):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text().splitlines()

    def applying(requirements):
        wanted = map(Requirement, requirements)
        return {
            one.name: one for one in wanted if one.marker is None or one.marker.evaluate({"python_version": python})
        }

    assert str(applying(lines)["numpy"].specifier) == f"=={numpy}"
    assert ("laion-clap" in applying(project["dependencies"])) is laion_clap
    assert project["requires-python"] == ">=3.11,<3.15"
