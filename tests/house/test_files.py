"""Every module says what it is for and keeps to one size; the tests stand in for nothing that is Retake's own."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = [path for package in ("engine", "bridge") for path in sorted((ROOT / package).rglob("*.py"))]
DRAWERS = {"utils", "helpers", "common", "misc", "base", "manager"}  # names that say nothing


def listed(paths: list[Path]) -> str:
    """Return paths as a reader knows them, one a line; empty when there are none."""
    return "\n".join(path.relative_to(ROOT).as_posix() for path in paths)


def test_every_module_opens_with_its_purpose():
    assert (
        listed([path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]) == ""
    )


def test_no_module_is_longer_than_500_lines():
    assert listed([path for path in MODULES if path.read_text(encoding="utf-8").count("\n") > 500]) == ""


def test_no_module_is_a_drawer():
    assert listed([path for path in MODULES if path.stem in DRAWERS]) == ""
