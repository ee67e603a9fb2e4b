"""bridge/README.md: every file has its line, every line its file, and the reading order is one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaigns.__main__ import NAMES

BRIDGE = Path(__file__).parents[2] / "bridge"
README = (BRIDGE / "README.md").read_text(encoding="utf-8")
ORDER = README.partition("## Reading order")[2].partition("## Campaigns")[0]
MENTIONED = re.findall(r"`([\w/]+(?:\.py|/))`", ORDER)


def rooms() -> list[str]:
    """Files as paths inside bridge/; a folder that is a package counts as one room."""
    packages = {f"{path.parent.relative_to(BRIDGE).as_posix()}/" for path in BRIDGE.glob("*/__init__.py")}
    return sorted({path.name for path in BRIDGE.glob("*.py")} | packages)


def imported_rooms(path: Path) -> Iterator[str]:
    """What a file imports of bridge/ when it is loaded, as the README names it."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bridge."):
            room = node.module.split(".")[1]
            yield f"{room}/" if (BRIDGE / room).is_dir() else f"{room}.py"


@pytest.mark.parametrize("room", rooms())
def test_every_file_is_mentioned_once(room):
    times = MENTIONED.count(room)
    assert times == 1, f"bridge/README.md mentions {room} {times} times in its reading order; hint: give it one line"


@pytest.mark.parametrize("path", sorted(set(MENTIONED)))
def test_everything_mentioned_exists(path):
    assert (BRIDGE / path).exists()


@pytest.mark.parametrize("path", [path for path in MENTIONED if path.endswith(".py")])
def test_each_file_needs_only_what_stands_above_it(path):
    below = [room for room in imported_rooms(BRIDGE / path) if room not in MENTIONED[: MENTIONED.index(path)]]
    assert not below, f"{path} imports {below}, which a reader has not met yet; hint: move its line down"


@pytest.mark.parametrize("name", NAMES)
def test_every_campaign_is_described(name):
    assert f"python -m tests.campaigns {name}" in README
    assert f"| {name} | " in README
