"""`import retake`: quick, complete, listed; and a user's file of the same name is named, not mistaken for ours."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bridge
import engine
import retake

ROOT = Path(__file__).parents[2]
LOOK = """
import sys, time
began = time.process_time()
import retake
seconds = time.process_time() - began
import json
names = sorted({"torch", "numpy", "pydantic", "engine", "bridge"} & set(sys.modules))
print(json.dumps([seconds, names, retake.__version__, dir(retake)]))
"""


def run(program: str, folder: Path = ROOT, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of a user's in their folder."""
    file = folder / "their_program.py" if folder != ROOT else None
    if file:
        file.write_text(program, encoding="utf-8")
    command = [sys.executable, *([str(file)] if file else ["-c", program]), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


class TestNames:
    @pytest.mark.parametrize("name", retake.__all__)
    def test_each_is_there_and_is_the_houses_own(self, name: str) -> None:
        assert getattr(retake, name) is getattr(bridge if name == "__version__" else engine, name)

    def test_every_error_and_every_request_is_among_them(self) -> None:
        assert {name for name in engine.__all__ if name.endswith("Error")} <= set(retake.__all__)
        assert {"Engine", "Audio", "Generate", "Restyle", "Inpaint", "Vary", "Upscale"} <= set(retake.__all__)

    def test_tab_completion_offers_these_and_no_others(self) -> None:
        assert dir(retake) == sorted(retake.__all__)
        assert set(dir(engine)) == set(engine.__all__)

    def test_another_one_is_refused_as_python_does(self) -> None:
        name = "Reverb"
        with pytest.raises(AttributeError, match="module 'retake' has no attribute 'Reverb'"):
            getattr(retake, name)


class TestStart:
    def test_it_is_quick_and_loads_nothing(self) -> None:
        """The best of three, in seconds of the processor: other work on the machine must not count."""
        seen: list[Any] = [json.loads(run(LOOK).stdout) for _ in range(3)]
        assert min(seconds for seconds, *_ in seen) < 0.05
        assert seen[0][1:3] == [["bridge"], bridge.__version__] or seen[0][1:3] == [[], bridge.__version__]
        assert seen[0][3] == sorted(retake.__all__)


class TestUsersFiles:
    @pytest.mark.parametrize(("package", "used"), [("engine", "Engine"), ("bridge", "__version__")])
    def test_one_of_our_name_is_named(self, tmp_path: Path, package: str, used: str) -> None:
        theirs = tmp_path / f"{package}.py"
        theirs.write_text("'''Of a car.'''\n", encoding="utf-8")
        done = run(f"import retake\nretake.{used}\n", tmp_path)

        assert done.returncode == 1
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith(f"ImportError: `import retake` needs Retake's own package `{package}`")
        assert str(theirs) in last
        assert "rename that file" in last
