"""engine/README.md: every file has its line, every line its file, and the reading order is one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[2] / "engine"
README = (ENGINE / "README.md").read_text(encoding="utf-8")
MENTIONED = [path for path in re.findall(r"`([\w/]+(?:\.py|\.md|/))`", README) if not path.startswith("tests/")]


def rooms() -> list[str]:
    """Files as paths inside engine/; a folder's own module by the folder's name."""
    files = [path.relative_to(ENGINE).as_posix() for path in (*ENGINE.rglob("*.py"), *ENGINE.rglob("*.md"))]
    return sorted(re.sub(r"(?<=/)__init__\.py$", "", file) for file in files if file != "README.md")


def imported_rooms(path: Path) -> Iterator[str]:
    """What a file imports of engine/, as the README names it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("engine."):
            room = node.module.removeprefix("engine.").replace(".", "/")
            yield f"{room}/" if (ENGINE / room).is_dir() else f"{room}.py"


@pytest.mark.parametrize("room", rooms())
def test_every_file_is_mentioned_once(room):
    times = MENTIONED.count(room)
    assert times == 1, f"engine/README.md mentions {room} {times} times; hint: give it one line there"


@pytest.mark.parametrize("path", sorted(set(MENTIONED)))
def test_everything_mentioned_exists(path):
    assert (ENGINE / path).exists()


@pytest.mark.parametrize("path", [path for path in MENTIONED if path.endswith(".py")])
def test_each_file_needs_only_what_stands_above_it(path):
    below = [room for room in imported_rooms(ENGINE / path) if room not in MENTIONED[: MENTIONED.index(path)]]
    assert not below, f"{path} imports {below}, which a reader has not met yet; hint: move its line down"


@pytest.mark.parametrize("letter", "BCTNMZHWDL")
def test_every_shape_letter_has_a_legend(letter):
    assert README.count(f"| **{letter}** ") == 1
