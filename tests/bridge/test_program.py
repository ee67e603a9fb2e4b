"""How Retake finds its own programs and folders: from source, out of a wheel, and frozen."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bridge.program import own_command, own_folder, own_program

ROOT = Path(__file__).parents[2]


@pytest.fixture
def frozen(tmp_path, monkeypatch):
    """A frozen Retake as PyInstaller lays it out: two programs side by side, and the rest in a folder beside them."""
    folder = tmp_path / "Retake"
    (folder / "_internal" / "daw_scripts").mkdir(parents=True)
    suffix = ".exe" if sys.platform == "win32" else ""
    for name in ("retake", "retake-send"):
        (folder / f"{name}{suffix}").touch()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(folder / "_internal"), raising=False)
    monkeypatch.setattr(sys, "executable", str(folder / f"retake{suffix}"))
    return folder


class TestFrozen:
    def test_programs_lie_beside_the_one_that_runs(self, frozen):
        assert own_program("retake-send").parent == frozen

    def test_commands_are_words_to_it_and_the_tray_is_a_program_of_its_own(self, frozen):
        assert [Path(word).stem for word in own_command("daemon", "--port")] == ["retake", "daemon", "--port"]
        assert [Path(word).stem for word in own_command("tray", "--hidden")] == ["retake-tray", "--hidden"]
        assert Path(own_command("tray")[0]).parent == frozen

    def test_folders_lie_where_it_was_unpacked(self, frozen):
        assert own_folder("daw_scripts") == frozen / "_internal" / "daw_scripts"

    def test_folders_may_lie_beside_the_program(self, frozen):
        (frozen / "_internal" / "daw_scripts").rename(frozen / "daw_scripts")

        assert own_folder("daw_scripts") == frozen / "daw_scripts"


class TestInstalled:
    def test_the_sender_lies_beside_this_python(self):
        assert own_program("retake-send").is_file()

    def test_a_program_that_nobody_has_is_not_made_up(self):
        assert own_program("retake-that-nobody-has") is None

    def test_the_scripts_lie_beside_the_bridge(self):
        assert own_folder("daw_scripts") == ROOT / "daw_scripts"
        assert own_folder("nothing of the sort") is None


@pytest.mark.slow
class TestWheel:
    @pytest.fixture
    def unpacked(self, tmp_path):
        """The wheel of this checkout less the engine's weights, unpacked as pip does into site-packages."""
        folder = tmp_path / "wheel"
        tracked = ["pyproject.toml", "README.md", "LICENSE", "bridge", "daw_scripts", "engine/__init__.py"]
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *tracked],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "source" / name).write_bytes((ROOT / name).read_bytes())
        build = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            str(folder),
            ".",
        ]
        subprocess.run(build, cwd=folder / "source", check=True, capture_output=True)
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "site-packages")
        return folder / "site-packages"

    def test_every_script_travels_in_it_and_installs_from_there(self, unpacked, tmp_path):
        shipped = [path for path in (ROOT / "daw_scripts").rglob("*.lua") if path.is_file()]
        for path in shipped:
            assert (unpacked / path.relative_to(ROOT)).read_bytes() == path.read_bytes()

        (tmp_path / "REAPER").mkdir()
        command = "from bridge.install_scripts import main; raise SystemExit(main(['reaper', '--path', 'REAPER']))"
        done = subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(unpacked)!r}); {command}"],
            cwd=tmp_path,
            env={"HOME": str(tmp_path), "RETAKE_STATE_DIR": str(tmp_path / "state"), "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )

        assert "What is left to do in REAPER:" in done.stdout
        assert (tmp_path / "REAPER" / "Scripts" / "Retake" / "retake.json").exists()
