"""engine/README.md and bridge/README.md: every file has its line, every line its file, and each order can be read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaigns.__main__ import NAMES

ROOT = Path(__file__).parents[2]
ENGINE, BRIDGE = ROOT / "engine", ROOT / "bridge"
ENGINE_README = (ENGINE / "README.md").read_text(encoding="utf-8")
BRIDGE_README = (BRIDGE / "README.md").read_text(encoding="utf-8")


def engine_files() -> list[str]:
    """Return the files as paths inside engine/; a folder's own module by the folder's name."""
    files = [path.relative_to(ENGINE).as_posix() for path in ENGINE.rglob("*.py")]
    return [re.sub(r"(?<=/)__init__\.py$", "", file) for file in files]


def bridge_files() -> list[str]:
    """Return the files as paths inside bridge/; a folder that is a package counts as one."""
    packages = [f"{path.parent.relative_to(BRIDGE).as_posix()}/" for path in BRIDGE.glob("*/__init__.py")]
    return [path.name for path in BRIDGE.glob("*.py")] + packages


def engine_lines() -> list[str]:
    """Return the paths that the reading order of engine/README.md names, from top to bottom.

    In a bullet that begins with a folder, files are named by what stands behind it.
    """
    order = ENGINE_README.partition("## Reading order")[2].partition("## Glossary")[0]
    paths = []
    for bullet in order.split("\n- ")[1:]:
        folder = re.match(r"`([\w/]+/)`", bullet)
        inside = folder[1] if folder else ""
        paths += [inside + name for name in re.findall(r"`(\w+\.py)`", bullet)]
        paths[-bullet.count(".py`") : -bullet.count(".py`")] = [inside] if inside else []
    return paths


def bridge_lines() -> list[str]:
    """Return what the reading order of bridge/README.md mentions, from top to bottom."""
    order = BRIDGE_README.partition("## Reading order")[2].partition("## Campaigns")[0]
    return re.findall(r"`([\w/]+(?:\.py|/))`", order)


def imported(package: Path, path: Path, parts: int) -> Iterator[str]:
    """Yield what a file imports of its package when it is loaded, as the README names it.

    Args:
        package: engine/ or bridge/.
        path: the file.
        parts: how many folders deep the README's lines go.
    """
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package.name}."):
            room = "/".join((node.module or "").split(".")[1 : parts + 1])
            yield f"{room}/" if (package / room).is_dir() else f"{room}.py"


@pytest.mark.parametrize(
    ("files", "lines"), [(engine_files(), engine_lines()), (bridge_files(), bridge_lines())], ids=["engine", "bridge"]
)
def test_every_file_has_one_line_and_every_line_its_file(files, lines):
    problems = [f"no line for {file}" for file in sorted(set(files) - set(lines))]
    problems += [f"no file for {line}" for line in sorted(set(lines) - set(files))]
    problems += [f"{lines.count(line)} lines for {line}" for line in sorted(set(lines)) if lines.count(line) > 1]

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("package", "lines", "parts"), [(ENGINE, engine_lines(), 9), (BRIDGE, bridge_lines(), 1)], ids=["engine", "bridge"]
)
def test_each_file_needs_only_what_stands_above_it(package, lines, parts):
    early = [
        f"{line} imports {room}, which stands below it"
        for number, line in enumerate(lines)
        if line.endswith(".py")
        for room in imported(package, package / line, parts)
        if room not in lines[:number]
    ]

    assert not early, "\n".join(early)


def test_the_engine_s_readme_is_one_document():
    assert ENGINE_README.count("\n") <= 150


def test_the_engine_s_readme_points_only_to_what_is_there():
    pointers = re.findall(r"\]\(([^)#]+)\)", ENGINE_README)

    assert [pointer for pointer in pointers if not (ENGINE / pointer).exists()] == []
    assert {f"../docs/{name}.md" for name in ("metrics", "training", "parity", "speed")} <= set(pointers)


def test_every_shape_letter_has_a_legend():
    assert set(re.findall(r"\| \*\*(\w)\*\* ", ENGINE_README)) == set("BCTNMZHWDL")


def test_every_campaign_is_described():
    missing = [
        name
        for name in NAMES
        if f"python -m tests.campaigns {name}" not in BRIDGE_README or f"| {name} | " not in BRIDGE_README
    ]

    assert missing == []
