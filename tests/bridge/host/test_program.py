"""How Retake starts itself, and finds its own programs and folders: from source, out of a wheel, and frozen."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import ClassVar

import pytest

from bridge.host.program import (
    Installation,
    own_command,
    own_folder,
    own_program,
    own_sender,
    start_flags,
    with_console,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture
def frozen(tmp_path):
    """A frozen Retake as PyInstaller lays it out: two programs side by side, and the rest in a folder beside them."""
    folder = tmp_path / "Retake"
    (folder / "_internal" / "daw_scripts").mkdir(parents=True)
    suffix = ".exe" if sys.platform == "win32" else ""
    for name in ("retake", "retake-send"):
        (folder / f"{name}{suffix}").touch()
    return Installation(folder / f"retake{suffix}", folder / "_internal")


class TestFlags:
    CREATE_NEW_PROCESS_GROUP, DETACHED_PROCESS, CREATE_NO_WINDOW = 0x200, 0x8, 0x0800_0000
    STARTS: ClassVar = {
        "subprocess": ("Popen", "run", "call", "check_call", "check_output"),
        "asyncio": ("create_subprocess_exec", "create_subprocess_shell"),
    }

    def test_on_windows_a_console_without_a_window(self):
        flags = start_flags("win32")

        assert flags == self.CREATE_NO_WINDOW | self.CREATE_NEW_PROCESS_GROUP
        assert not flags & self.DETACHED_PROCESS  # its children would open windows

    def test_are_those_of_the_system_itself(self):
        for name in ("CREATE_NO_WINDOW", "CREATE_NEW_PROCESS_GROUP", "DETACHED_PROCESS"):
            assert getattr(subprocess, name, getattr(self, name)) == getattr(self, name)

    @pytest.mark.parametrize("system", ["linux", "darwin"])
    def test_elsewhere_there_are_none(self, system):
        assert start_flags(system) == 0

    def test_everything_that_the_bridge_starts_gets_them(self):
        starts = {
            f"{path.relative_to(ROOT)}:{call.lineno}": [
                ast.unparse(it.value) for it in call.keywords if it.arg == "creationflags"
            ]
            for path in (ROOT / "bridge").rglob("*.py")
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(call, ast.Call) and self.is_start(call.func)
        }

        assert len(starts) >= 6
        assert {where: flags for where, flags in starts.items() if flags != ["start_flags()"]} == {}

    def is_start(self, function):
        of_a_module = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)
        return of_a_module and function.attr in self.STARTS.get(function.value.id, ())


class TestPython:
    @pytest.mark.parametrize(
        ("python", "system", "started"),
        [
            (r"C:\Retake\Scripts\pythonw.exe", "win32", r"C:\Retake\Scripts\python.exe"),
            (r"C:\Retake\PythonW.exe", "win32", r"C:\Retake\python.exe"),
            (r"C:\Retake\Scripts\python.exe", "win32", r"C:\Retake\Scripts\python.exe"),
            ("/usr/bin/python3", "linux", "/usr/bin/python3"),
        ],
    )
    def test_of_a_program_without_a_console_starts_the_one_that_has_one(self, python, system, started):
        assert with_console(python, system) == started


class TestFrozen:
    @pytest.fixture
    def folder(self, frozen):
        return frozen.executable.parent

    def test_is_known_by_what_pyinstaller_sets(self):
        script = (
            "import sys; sys.frozen = True; sys._MEIPASS = '/opt/Retake/_internal'\n"
            "sys.executable = '/opt/Retake/retake'\n"
            "from bridge.host.program import Installation; print(Installation.running())"
        )
        done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

        assert done.stdout.strip() == str(Installation(Path("/opt/Retake/retake"), Path("/opt/Retake/_internal")))

    def test_programs_lie_beside_the_one_that_runs(self, frozen, folder):
        assert own_program("retake-send", of=frozen).parent == folder

    def test_on_windows_daws_start_the_sender_without_a_window(self, frozen, folder):
        for name in ("retake-send.exe", "retake-sendw.exe"):
            (folder / name).touch()

        assert own_sender("win32", frozen) == folder / "retake-sendw.exe"
        assert own_sender("linux", frozen) == folder / "retake-send"

    def test_on_windows_an_older_retake_has_one_sender_only(self, frozen, folder):
        (folder / "retake-send.exe").touch()

        assert own_sender("win32", frozen) == folder / "retake-send.exe"

    def test_commands_are_words_to_it_and_the_tray_is_a_program_of_its_own(self, frozen, folder):
        daemon, tray = own_command("daemon", "--port", of=frozen), own_command("tray", "--hidden", of=frozen)

        assert [Path(word).stem for word in daemon] == ["retake", "daemon", "--port"]
        assert [Path(word).stem for word in tray] == ["retake-tray", "--hidden"]
        assert Path(tray[0]).parent == folder

    def test_folders_lie_where_it_was_unpacked(self, frozen, folder):
        assert own_folder("daw_scripts", frozen) == folder / "_internal" / "daw_scripts"

    def test_folders_may_lie_beside_the_program(self, frozen, folder):
        (folder / "_internal" / "daw_scripts").rename(folder / "daw_scripts")

        assert own_folder("daw_scripts", frozen) == folder / "daw_scripts"


class TestInstalled:
    def test_the_sender_is_beside_this_python(self):
        assert own_program("retake-send").is_file()

    def test_a_program_that_is_not_installed_is_none(self):
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

        table = (ROOT / "daw_scripts" / "shared" / "operations.json").read_bytes()
        assert self.install("reaper", unpacked, tmp_path).startswith("REAPER: ")
        assert (tmp_path / "reaper" / "Scripts" / "Retake" / "operations.json").read_bytes() == table
        assert self.install("ardour", unpacked, tmp_path).startswith("Ardour: ")
        actions = {path.name for path in (ROOT / "daw_scripts" / "ardour" / "actions").iterdir()}
        assert {path.name for path in (tmp_path / "ardour" / "scripts").glob("*.lua")} == actions

    def install(self, host, unpacked, folder):
        (folder / host).mkdir()
        command = f"from bridge.daw_install.command import main; raise SystemExit(main(['{host}', '--path', '{host}']))"
        done = subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(unpacked)!r}); {command}"],
            cwd=folder,
            env={"HOME": str(folder), "RETAKE_STATE_DIR": str(folder / "state"), "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "Remaining steps in" in done.stdout
        return done.stdout
