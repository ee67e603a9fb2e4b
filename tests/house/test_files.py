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


TESTS = sorted((ROOT / "tests").rglob("*.py"))


def test_tests_stand_beside_the_house_in_folders_of_the_same_names():
    strange = [
        folder
        for room in ("engine", "bridge")
        for folder in {path.parent for path in (ROOT / "tests" / room).rglob("test_*.py")}
        if not (ROOT / folder.relative_to(ROOT / "tests")).is_dir()
    ]

    assert listed(strange) == ""


def test_nothing_is_mocked_or_patched():
    """A seam is an argument, the environment, or what Python's audit events tell: see tests/audit_events.py."""
    offences = []
    for path in TESTS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [f"{node.module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            is_patch = (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setattr"
            )
            if is_patch or any(name.startswith(("unittest.mock", "mock.", "pytest_mock")) for name in names):
                offences.append(f"{path.relative_to(ROOT)}:{node.lineno}")

    assert not offences, "\n".join(offences)
