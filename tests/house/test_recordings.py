"""The recordings that others made: each is listed with its licence, may be passed on, can be read, and has a kind."""

import csv
import fnmatch
import tomllib
from pathlib import Path

import pytest

from engine import Audio
from engine.sounds import SOUNDS

ROOT = Path(__file__).parents[2]
RECORDINGS = ROOT / "tests" / "clips" / "recordings"
FREE = {"CC0-1.0", "public-domain", "MIT", "CC-BY-3.0", "CC-BY-4.0"}
MOST_BYTES = 15_000_000

with (RECORDINGS / "clips.csv").open(encoding="utf-8", newline="") as _table:
    LISTED = list(csv.DictReader(_table))


def test_what_is_listed_is_there_and_nothing_else():
    there = sorted(path.relative_to(RECORDINGS).as_posix() for path in RECORDINGS.rglob("*.*"))
    assert there == sorted(["LICENCES.md", "clips.csv", *(row["path"] for row in LISTED)])
    assert len(LISTED) >= 110


@pytest.mark.parametrize("row", LISTED, ids=[row["path"] for row in LISTED])
def test_each_may_be_passed_on_and_can_be_heard(row):
    assert row["licence"] in FREE
    assert row["package"]
    assert row["source"]
    assert row["author"] or not row["licence"].startswith("CC-BY")
    assert row["path"] == f"{row['kind']}/{Path(row['path']).name}"
    assert row["kind"] in SOUNDS
    clip = Audio.read(RECORDINGS / row["path"])
    assert 0.05 < clip.seconds <= 10.05
    assert 0.01 < abs(clip.samples).max() <= 1


def test_their_licences_are_explained():
    text = (RECORDINGS / "LICENCES.md").read_text(encoding="utf-8")
    assert [licence for licence in {row["licence"] for row in LISTED} if f"- {licence}: " not in text] == []


def test_they_are_small_and_stay_in_the_repository():
    assert sum(path.stat().st_size for path in RECORDINGS.rglob("*.flac")) <= MOST_BYTES
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    patterns = [*packages["packages"]["find"]["include"], *packages["package-data"]]
    assert [pattern for pattern in patterns if fnmatch.fnmatch("tests.clips", pattern)] == []
