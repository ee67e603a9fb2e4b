"""The wheel, installed: its types reach users, its commands start, and no user's file can break them."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TYPED_PACKAGES = ("pydantic", "pydantic_core", "annotated_types", "typing_inspection", "typing_extensions", "numpy")
USERS_NAMES = ("engine", "bridge", "daw_scripts", "retake")
RUDE = "raise SystemExit('{name}.py of the user ran')\n"
TYPED = """
from typing import assert_type

import retake


def takes(clip: retake.Audio) -> list[retake.Audio]:
    engine = retake.Engine.load("nano")
    assert_type(engine, retake.Engine)
    assert_type(clip.seconds, float)
    assert_type(retake.__version__, str)
    try:
        return engine.run(retake.Restyle(clip, "thunder", strength=0.5))
    except retake.ClipTooLongError as error:
        assert_type(error.hint, str)
        return []
"""
WRONG = """
import retake

clip = retake.Audio.read(5)
engine = retake.Engine.load(model="nano", devise="cpu")
request = retake.Restyle(clip, prompt="thunder", strenght=0.5)
request = retake.Generat("rain")
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def call(
    *command: object, folder: Path, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, in a folder."""
    words = [str(word) for word in command]
    env = None if environment is None else dict(environment)
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout's files, built as `pip wheel` builds it."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    listed = call("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=ROOT).stdout
    for name in filter(None, listed.split("\0")):
        if not name.startswith(("tests/", "installer/")) and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    done = call(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ".", folder=source)
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel in it, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    assert call(sys.executable, "-m", "venv", folder, folder=folder).returncode == 0
    done = call(folder / "bin" / "pip", "install", "-q", "--no-deps", wheel, folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def bin_folder(environment: Path) -> Path:
    """The environment's commands; what Retake depends on is borrowed from the Python that runs the tests."""
    (packages,) = environment.glob("lib/python*/site-packages")
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "borrowed.pth").write_text("\n".join(borrowed) + "\n", encoding="utf-8")
    return environment / "bin"


@pytest.fixture
def user(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A user whose folder, which is also their PYTHONPATH, has files of all our names; and their environment."""
    for name in USERS_NAMES:
        (tmp_path / f"{name}.py").write_text(RUDE.format(name=name), encoding="utf-8")
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "OMP_NUM_THREADS") if name in os.environ}
    own = {"HOME": str(tmp_path), "PYTHONPATH": str(tmp_path), "RETAKE_STATE_DIR": str(tmp_path / "state")}
    return tmp_path, kept | own


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the wheel, and with what the types of its API are made of."""
    folder = tmp_path_factory.mktemp("typed")
    assert call(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder).returncode == 0
    (packages,) = folder.glob("lib/python*/site-packages")
    shutil.unpack_archive(wheel, packages, "zip")
    for name in TYPED_PACKAGES:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        found = Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)
        (packages / found.name).symlink_to(found)
    return folder / "bin" / "python"


class TestTypes:
    def check(self, python: Path, program: str, folder: Path) -> str:
        """What `mypy --strict` says of a user's file."""
        (folder / "program.py").write_text(program, encoding="utf-8")
        command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "program.py"]
        return call(*command, folder=folder).stdout

    def test_reach_a_users_program(self, python: Path, tmp_path: Path) -> None:
        assert self.check(python, TYPED, tmp_path) == "Success: no issues found in 1 source file\n"

    def test_find_a_users_mistakes(self, python: Path, tmp_path: Path) -> None:
        said = self.check(python, WRONG, tmp_path)

        assert "program.py:4: error: Argument 1 to" in said
        assert 'program.py:5: error: Unexpected keyword argument "devise"' in said
        assert 'program.py:6: error: Unexpected keyword argument "strenght"' in said
        assert 'program.py:7: error: Module has no attribute "Generat"' in said


class TestMetadata:
    def test_says_who_made_it_and_that_it_is_typed(self, environment: Path) -> None:
        (described,) = environment.glob("lib/python*/site-packages/retake-*.dist-info/METADATA")
        text = described.read_text(encoding="utf-8")

        for line in ("Author: The Retake authors", "Classifier: Typing :: Typed", "Project-URL: ", "Keywords: ableton"):
            assert f"\n{line}" in text
        assert "Requires-Python: <3.15,>=3.11" in text

    def test_every_package_is_marked_as_typed(self, environment: Path) -> None:
        (packages,) = environment.glob("lib/python*/site-packages")

        for name in ("retake", "engine", "bridge"):
            assert (packages / name / "py.typed").is_file()


class TestCommands:
    def test_those_of_the_project_are_there(self, bin_folder: Path) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

        assert all((bin_folder / name).is_file() for name in project["scripts"] | project["gui-scripts"])

    def test_a_daemon_renders_whatever_the_users_files_are_called(
        self, bin_folder: Path, user: tuple[Path, dict[str, str]]
    ) -> None:
        """`retake-send` starts the daemon, the daemon its worker: four processes beside four files of our names."""
        folder, environment = user
        (folder / "takes").mkdir()
        words = ["generate", "rain", "seconds", "0.5", "steps", "2", "seed", "1", "--output-dir", str(folder / "takes")]
        program = bin_folder / "retake-send"
        done = call(program, *words, "--start", "--stop-after", folder=folder, environment=environment)

        assert done.returncode == 0, done.stdout + done.stderr
        (take,) = (folder / "takes").glob("*.wav")
        assert json.loads(take.with_suffix(".json").read_text(encoding="utf-8"))["seed"] == 1

    @pytest.mark.parametrize(
        ("command", "code", "said"),
        [
            ("retake --version", 0, "retake "),
            ("retake generate --help", 0, "--seconds"),
            ("retake examine clap", 0, "library"),
            ("retake-send version", 1, "hint"),
            ("retake-tray", 1, "hint"),
        ],
        ids=lambda value: str(value).replace(" ", "-"),
    )
    def test_each_starts_whatever_the_users_files_are_called(
        self, bin_folder: Path, user: tuple[Path, dict[str, str]], command: str, code: int, said: str
    ) -> None:
        folder, environment = user
        program, *words = command.split()
        done = call(bin_folder / program, *words, folder=folder, environment=environment)

        assert "of the user ran" not in done.stdout + done.stderr
        assert said in done.stdout + done.stderr
        assert done.returncode == code

    def test_the_users_own_modules_stay_theirs(self, bin_folder: Path, user: tuple[Path, dict[str, str]]) -> None:
        """Only our own names are looked for beside our own files: PYTHONPATH is otherwise in force."""
        folder, environment = user
        (folder / "soundfile.py").write_text("raise OSError('of the user')\n", encoding="utf-8")
        done = call(bin_folder / "retake", "examine", "packages", folder=folder, environment=environment)

        assert json.loads(done.stdout)["soundfile"] == "of the user"
