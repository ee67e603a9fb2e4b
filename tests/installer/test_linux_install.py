"""install.sh as it is shipped, run in folders of every name: it brings Retake in, and takes nothing of others away."""

import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from installer import linux_packages
from installer.product import TRAY, VERSION, programs
from tests.menu import FOLDERS, GIO, launch

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a script for Linux")

EPOCH_S = 1_700_000_000


class Unpacked:
    """The archive, unpacked into a folder of a name, with a home around it in which its script is run."""

    def __init__(self, home, folder):
        self.home, self.folder = home, folder
        self.links = home / ".local" / "bin"
        self.entry = home / ".local" / "share" / "applications" / "retake.desktop"
        self.icon = home / ".local" / "share" / "icons" / "hicolor" / "scalable" / "apps" / "retake.svg"

    def run(self, *words, check=True, shell=("sh",)):
        command = [*shell, str(self.folder / "install.sh"), *words]
        environment = {"HOME": str(self.home), "PATH": "/usr/bin:/bin"}
        return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=check)

    def files(self):
        """What lies in the home, by path: a link's target or a file's bytes."""
        found = (path for path in self.home.rglob("*") if path.is_symlink() or path.is_file())
        return {path: path.readlink() if path.is_symlink() else path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The archive with small programs in place of ours: each notes that it ran, beside itself."""
    folder = tmp_path_factory.mktemp("archive") / "retake"
    folder.mkdir()
    for program in programs():
        (folder / program.file).write_text('#!/bin/sh\necho "$#" > "$0.ran"\n')
        (folder / program.file).chmod(0o755)
    return linux_packages.write_archive(folder, folder.with_suffix(".tar.gz"), EPOCH_S)


@pytest.fixture
def unpack(archive, tmp_path):
    (tmp_path / "home").mkdir()

    def unpack(name="plain"):
        with tarfile.open(archive) as packed:
            packed.extractall(tmp_path / name, filter="data")
        return Unpacked(tmp_path / "home", tmp_path / name / f"retake-{VERSION}")

    return unpack


@pytest.mark.parametrize("name", FOLDERS)
class TestFolder:
    def test_of_any_name_is_in_the_menu_and_goes_again(self, unpack, name):
        retake = unpack(name)
        retake.run()

        for program in programs():
            assert (retake.links / program.name).readlink() == retake.folder / program.file
        assert retake.icon.read_bytes() == (retake.folder / "share" / "retake.svg").read_bytes()
        assert retake.entry.read_text(encoding="utf-8").count("\nExec=") == 1

        before = retake.files()
        retake.run()
        assert retake.files() == before
        retake.run("--remove")
        assert retake.files() == {}

    @pytest.mark.skipif(GIO is None, reason="GLib is not installed")
    def test_of_any_name_holds_the_program_that_the_menu_starts(self, unpack, name):
        retake = unpack(name)
        retake.run()
        ran = retake.folder / f"{TRAY.file}.ran"

        assert launch(retake.entry)
        deadline = time.monotonic() + 30
        while not ran.exists() or not ran.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert ran.read_text() == "0\n"


@pytest.mark.parametrize("shell", ["dash", "bash --posix", "bash", "busybox sh", "ksh", "zsh --emulate sh"])
def test_every_shell_writes_the_same(unpack, shell):
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"{shell} is not installed")
    retake = unpack("50% of `$x`\\n & more")
    retake.run()
    before = retake.files()
    retake.run("--remove", shell=shell.split())
    retake.run(shell=shell.split())

    assert retake.files() == before


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="desktop-file-utils is not installed")
@pytest.mark.parametrize("name", FOLDERS)
def test_the_menu_entry_passes_the_validator(unpack, name):
    retake = unpack(name)
    retake.run()
    command = ["desktop-file-validate", str(retake.entry)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("sign", ["\n", "\t", "\x07"])
def test_a_path_that_no_menu_can_name_is_refused_before_anything_is_done(unpack, sign):
    retake = unpack(f"a{sign}b")
    done = retake.run(check=False)

    assert done.returncode == 1
    assert "hint: " in done.stderr
    assert list(retake.home.iterdir()) == []


def test_a_place_that_cannot_be_made_leaves_nothing_half_done(unpack):
    retake = unpack()
    (retake.home / ".local").mkdir()
    (retake.home / ".local" / "share").write_text("in the way")
    before = retake.files()

    assert retake.run(check=False).returncode != 0
    assert retake.files() == before


class TestOfSomebodyElse:
    """What lies under Retake's names and is not Retake's stays, and is named, when it comes and when it goes."""

    @pytest.fixture(params=["file", "link", "dangling link", "folder"])
    def put(self, request, tmp_path):
        def put(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "own").write_text("mine")
            match request.param:
                case "file":
                    path.write_text("mine")
                case "folder":
                    path.mkdir()
                    (path / "file").write_text("mine")
                case _:
                    path.symlink_to(tmp_path / ("own" if request.param == "link" else "gone"))

        return put

    @pytest.mark.parametrize("what", ["bin/retake", "bin/retake-tray", "share/applications/retake.desktop"])
    def test_stays(self, unpack, put, what):
        retake = unpack()
        path = retake.home / ".local" / what
        put(path)
        before = retake.files()

        done = retake.run()
        assert str(path) in done.stderr
        assert before.items() <= retake.files().items()
        assert (retake.links / "retake-send").readlink() == retake.folder / "retake-send"

        retake.run("--remove")
        assert retake.files() == before

    def test_icon_stays(self, unpack, put):
        retake = unpack()
        put(retake.icon)
        before = retake.files()
        retake.run()
        retake.run("--remove")

        assert retake.files() == before

    def test_program_in_its_own_folder_is_not_taken_for_retakes(self, unpack, tmp_path):
        retake = unpack()
        other = tmp_path / "other" / "retake"
        other.parent.mkdir()
        other.write_text("mine")
        retake.links.mkdir(parents=True)
        (retake.links / "retake").symlink_to(other)

        retake.run()
        assert (retake.links / "retake").readlink() == other

    def test_change_to_the_menu_entry_stays(self, unpack):
        retake = unpack()
        retake.run()
        with retake.entry.open("a") as entry:
            entry.write("Keywords[de]=Klang;\n")
        changed = retake.entry.read_bytes()

        assert str(retake.entry) in retake.run().stderr
        assert str(retake.entry) in retake.run("--remove").stderr
        assert retake.files() == {retake.entry: changed, retake.icon: retake.icon.read_bytes()}


class TestAnotherVersion:
    def test_takes_the_place_of_an_earlier_one(self, unpack):
        unpack("old").run()
        new = unpack("new & better")
        done = new.run()

        assert done.stderr == ""
        assert (new.links / "retake").readlink() == new.folder / "retake"
        assert "new & better" in new.entry.read_text(encoding="utf-8")

    def test_stays_when_the_earlier_one_goes(self, unpack):
        old, new = unpack("old"), unpack("new")
        old.run()
        new.run()
        before = new.files()
        old.run("--remove")

        assert new.files() == before


def test_without_a_home_nothing_is_done(unpack):
    retake = unpack()
    command = ["sh", str(retake.folder / "install.sh")]
    done = subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, cwd="/", capture_output=True, text=True, check=False)

    assert (done.returncode != 0, "nothing was installed" in done.stderr) == (True, True)
    assert Path("/.local").exists() is False
