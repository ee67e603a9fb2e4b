"""The shipped files: every call is documented, every file is named in the package once, and each has its own size."""

import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from tests.daw_scripts.reaper.reaper_signatures import read_signatures

REAPER = Path(__file__).parents[3] / "daw_scripts" / "reaper"
SCRIPTS = sorted(REAPER.glob("Retake/**/*.lua"))
ACTIONS = [path for path in SCRIPTS if path.parent.name == "Retake"]
SIGNATURES = read_signatures()
IDS = [path.stem for path in SCRIPTS]


def code_of(path):
    """A script without its comments."""
    return re.sub(r"(^|\s)-- .*", r"\1", path.read_text(encoding="utf-8"))


def calls_of(path):
    code = code_of(path)
    names = re.findall(r"\breaper\.(\w+)", code)
    names += [f"gfx.{name}" for name in re.findall(r"\bgfx\.(\w+)\s*\(", code)]
    return names + [f"ImGui_{name}" for name in re.findall(r"\bImGui\.([A-Z]\w+)\s*\(", code)]


@pytest.mark.parametrize("path", SCRIPTS, ids=IDS)
def test_every_function_is_documented(path):
    assert set(calls_of(path)) - set(SIGNATURES) == set()


def test_every_listed_function_is_called():
    called = {name for path in SCRIPTS for name in calls_of(path)}

    assert set(SIGNATURES) - called == set()


@pytest.mark.parametrize("path", SCRIPTS, ids=IDS)
def test_every_file_opens_with_what_it_is_for(path):
    first, second = path.read_text(encoding="utf-8").splitlines()[:2]

    assert first == "-- @noindex" or first.startswith("-- @description Retake: ")
    assert len(second) > 15
    assert second.startswith("-- ")


@pytest.mark.parametrize("path", SCRIPTS, ids=IDS)
def test_every_file_and_function_keeps_to_one_size(path):
    lines = path.read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 320
    assert max(map(len, lines)) <= 120
    assert path.stem not in ("utils", "helpers", "common", "misc", "base", "manager")
    starts = [number for number, line in enumerate(lines) if re.match(r"(local )?function |local function ", line)]
    for start in starts:
        end = next(number for number in range(start, len(lines)) if lines[number] == "end")
        assert end - start < 40, lines[start]


@pytest.mark.parametrize("path", SCRIPTS, ids=IDS)
def test_nothing_is_defined_for_nobody(path):
    code = code_of(path)
    others = "\n".join(code_of(other) for other in SCRIPTS)
    for name in re.findall(r"^local function (\w+)|^local (\w+) =", code, re.MULTILINE):
        assert len(re.findall(rf"\b{name[0] or name[1]}\b", code)) > 1, name
    for table, name in re.findall(r"^function (\w+)[.:](\w+)", code, re.MULTILINE):
        assert len(re.findall(rf"[.:]{name}\b", others)) > 1, f"{table}.{name}"


class TestReaPack:
    INDEX = ET.parse(REAPER / "index.xml").getroot()
    PACKAGE = next(path for path in ACTIONS if "@description" in path.read_text(encoding="utf-8"))

    def sources(self):
        return list(self.INDEX.iter("source"))

    def test_names_every_file_once(self):
        files = [source.get("file") for source in self.sources()]
        shipped = [str(path.relative_to(REAPER / "Retake")) for path in SCRIPTS]

        assert sorted(files) == sorted([*shipped, "operations.json"])

    def test_every_address_leads_to_a_file_of_the_repository(self):
        root = REAPER.parents[1]
        paths = [unquote(source.text.removeprefix("https://retake.invalid/")) for source in self.sources()]

        assert [path for path in paths if not (root / path).is_file()] == []

    def test_makes_an_action_of_every_action(self):
        main = {source.get("file") for source in self.sources() if source.get("main") == "main"}

        assert main == {path.name for path in ACTIONS}

    def test_has_the_version_and_the_words_of_the_header(self):
        header = dict(re.findall(r"^-- @(\w+) (.+)$", self.PACKAGE.read_text(encoding="utf-8"), re.MULTILINE))
        (package,) = self.INDEX.iter("reapack")
        (version,) = self.INDEX.iter("version")

        assert (version.get("name"), version.get("author")) == (header["version"], header["author"])
        assert package.get("desc") == header["description"]
        assert package.get("name") == self.PACKAGE.name

    def test_the_header_provides_what_the_index_names(self):
        header = self.PACKAGE.read_text(encoding="utf-8").partition("@provides")[2].partition("@about")[0]
        provided = re.findall(r"^--   \[(?:main|nomain)\] (.+?)(?: > (.+))?$", header, re.MULTILINE)
        files = {
            target or (path.name if path.parent.name == "Retake" else f"modules/{path.name}")
            for pattern, target in provided
            for path in ([self.PACKAGE] if pattern == "." else REAPER.glob(f"Retake/{pattern}"))
        }

        assert files == {source.get("file") for source in self.sources()}


def test_the_readme_tells_of_every_action():
    text = (REAPER / "README.md").read_text(encoding="utf-8")

    assert [path.stem for path in ACTIONS if path.stem.removeprefix("Retake_") not in text] == []
