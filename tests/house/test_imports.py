"""Who may import whom: the contracts of `[tool.importlinter]` in pyproject.toml, and what a start really loads."""

import ast
import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.application.use_cases import lint_imports
from importlinter.configuration import configure

ROOT = Path(__file__).parents[2]
HEAVY = (
    "torch",
    "numpy",
    "scipy",
    "soundfile",
    "sounddevice",
    "transformers",
    "laion_clap",
    "ray",
    "pydantic",
    "engine",
)


def test_the_contracts_are_kept(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    configure()

    is_kept = lint_imports("pyproject.toml", cache_dir=None, no_logo=True)

    assert is_kept, capsys.readouterr().out


def test_imports_are_absolute():
    relative = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (*ROOT.glob("engine/**/*.py"), *ROOT.glob("bridge/**/*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert not relative, "\n".join(relative)


def programs(path: Path) -> Iterator[ast.Module]:
    """Yield the texts in a test file that are programs of their own; no import rule and no type checker reads them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "import " in node.value:
            with contextlib.suppress(SyntaxError):
                yield ast.parse(node.value)


def names_in(module: str) -> set[str]:
    """Return every name that a module of ours may have: what it writes down anywhere, and its submodules."""
    place = ROOT.joinpath(*module.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    if not file.exists():
        return set()
    return {*re.findall(r"\w+", file.read_text(encoding="utf-8")), *(path.stem for path in place.glob("*"))}


def test_programs_in_tests_import_what_there_is():
    missing = [
        f"{path.relative_to(ROOT)}: from {node.module} import {alias.name}"
        for path in ROOT.glob("tests/**/*.py")
        for program in programs(path)
        for node in ast.walk(program)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in {"engine", "bridge", "retake"}
        for alias in node.names
        if alias.name not in names_in(str(node.module))
    ]

    assert not missing, "\n".join(missing)


def loaded(module: str, *wanted: str) -> list[str]:
    """Return those of the wanted modules that a new Python has loaded after importing `module`."""
    script = f"import sys, {module}; print(*(m for m in {wanted!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.split()


@pytest.mark.parametrize("module", ["bridge.daemon.main", "bridge.clients.send", "bridge.clients.status"])
def test_the_daemon_and_its_clients_load_nothing_heavy(module):
    assert loaded(module, *HEAVY) == []


def test_the_preview_command_loads_nothing_heavy():
    heavy = [name for name in HEAVY if name != "engine"]  # its front door, which loads nothing by itself

    assert loaded("bridge.preview.command", *heavy, "engine.engine") == []


def test_retake_send_starts_from_the_standard_library_and_python_osc():
    script = "import sys; before = set(sys.modules); import bridge.clients.send; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}

    assert loaded - set(sys.stdlib_module_names) == {"bridge", "pythonosc"}


def test_the_player_loads_of_the_engine_its_reader_only():
    heavy = ("torch", "scipy", "asyncio", "engine.engine", "engine.operations", "engine.audio")

    assert loaded("bridge.preview.process", *heavy) == []
