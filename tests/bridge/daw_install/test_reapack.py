"""Retake's actions stand in REAPER once: with ReaPack's set there, `install-scripts` only tells it where Retake is."""

import json
import shutil
from pathlib import Path

import pytest

from bridge.daw_install.command import main
from bridge.daw_install.hosts import HostPlatform
from bridge.daw_install.reapack import reapack_folder
from bridge.diagnosis.checks.surroundings import Surroundings
from bridge.diagnosis.checks.workstations import check_workstations

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "daw_scripts" / "reaper" / "Retake"
pytestmark = pytest.mark.usefixtures("state_dir")


@pytest.fixture
def reaper(tmp_path):
    folder = tmp_path / "home" / ".config" / "REAPER"
    folder.mkdir(parents=True)
    (folder / "reaper.ini").touch()
    return folder


@pytest.fixture
def machine(tmp_path):
    return HostPlatform("linux", {}, tmp_path / "home", tmp_path)


@pytest.fixture
def install(machine):
    return lambda *words: main(words, machine)


@pytest.fixture
def reapack(reaper):
    """What ReaPack makes of `index.xml`: a folder of the index's name, one of the category, the files in it."""
    return Path(shutil.copytree(SHIPPED, reaper / "Scripts" / "Retake" / "Retake"))


def actions(reaper):
    """How often each action lies somewhere in REAPER's scripts."""
    names = [path.name for path in (reaper / "Scripts").rglob("Retake_*.lua")]
    return {name: names.count(name) for name in names}


def test_install_scripts_only_tells_reapacks_set_where_retake_is(install, reaper, reapack, capsys):
    before = {path: path.read_bytes() for path in reapack.rglob("*") if path.is_file()}

    assert install("reaper") == 0
    assert set(actions(reaper).values()) == {1}
    assert [path.name for path in (reaper / "Scripts" / "Retake").iterdir() if path != reapack] == ["retake.json"]
    assert "send" in json.loads((reaper / "Scripts" / "Retake" / "retake.json").read_text())
    assert {path: path.read_bytes() for path in before} == before
    said = capsys.readouterr().out
    assert f"ReaPack keeps the actions, in {reapack}" in said
    assert "Remaining steps" not in said


def test_a_set_that_was_there_before_goes(install, reaper, capsys):
    install("reaper")
    own = reaper / "Scripts" / "Retake"
    (own / "modules" / "form.lua").write_text("-- mine")
    shutil.copytree(SHIPPED, own / "Retake")
    capsys.readouterr()

    assert install("reaper") == 0
    assert set(actions(reaper).values()) == {1}
    assert (own / "modules" / "form.lua").read_text() == "-- mine"
    assert {path.name for path in own.iterdir()} == {"Retake", "modules", "retake.json"}
    assert "removed: " in capsys.readouterr().out


def test_a_second_time_changes_nothing(install, reaper, reapack):
    install("reaper")
    before = {path: path.stat().st_mtime_ns for path in reaper.rglob("*")}
    install("reaper")

    assert {path: path.stat().st_mtime_ns for path in reaper.rglob("*")} == before
    assert reapack.exists()


def test_locate_alone_installs_no_action(install, reaper, capsys):
    assert install("--locate") == 0

    own = reaper / "Scripts" / "Retake"
    assert [path.name for path in own.iterdir()] == ["retake.json"]
    assert "only tells them where Retake is" in capsys.readouterr().out
    assert install("reaper", "--remove") == 0
    assert not own.exists()


def test_locate_may_name_a_portable_reaper(install, tmp_path):
    stick = tmp_path / "stick" / "REAPER"
    stick.mkdir(parents=True)
    (stick / "reaper.ini").touch()

    assert install("reaper", "--locate", "--path", str(stick)) == 0
    assert (stick / "Scripts" / "Retake" / "retake.json").exists()


def test_locate_tried_dry_writes_nothing(install, reaper):
    assert install("reaper", "--locate", "--dry-run") == 0
    assert not (reaper / "Scripts").exists()


def test_a_program_that_asks_hears_that_the_set_is_not_told_yet(install, reapack, capsys):
    def asked():
        assert install("reaper", "--dry-run", "--json") == 0
        (place,) = json.loads(capsys.readouterr().out)["places"]
        return place["files"]

    assert asked() == [{"file": "retake.json", "action": "installed"}]
    install("reaper")
    capsys.readouterr()
    assert asked() == []
    assert reapack.exists()


@pytest.mark.parametrize("words", [("ardour", "--locate"), ("reaper", "--locate", "--remove")])
def test_locate_is_for_reaper_and_not_for_removal(install, words, capsys):
    with pytest.raises(SystemExit, match="2"):
        install(*words)

    assert "--locate is for" in capsys.readouterr().err


def test_removal_leaves_reapacks_set(install, reaper, reapack):
    install("reaper")

    assert install("reaper", "--remove") == 0
    assert set(actions(reaper).values()) == {1}
    assert [path.name for path in (reaper / "Scripts" / "Retake").iterdir()] == [reapack.name]


@pytest.mark.parametrize("where", ["Retake/Retake", "Another index/Items/Retake"])
def test_reapacks_set_is_found_whatever_its_index_is_called(reaper, where):
    shutil.copytree(SHIPPED, reaper / "Scripts" / where)

    assert reapack_folder(reaper / "Scripts") == reaper / "Scripts" / where


def test_our_own_set_is_not_taken_for_reapacks(install, reaper):
    install("reaper")

    assert reapack_folder(reaper / "Scripts") is None
    assert reapack_folder(reaper / "nowhere") is None


class TestDoctor:
    @pytest.fixture
    def finding(self, machine, state_dir):
        def finding():
            (found,) = check_workstations(Surroundings(machine, state_dir))
            return found

        return finding

    def test_says_that_reapacks_set_is_not_told_yet(self, finding, install, reapack):
        assert "do not know where Retake is" in finding().text
        install("reaper")
        assert finding().text == f"ReaPack keeps the scripts in {reapack}"

    def test_says_that_every_action_is_there_twice(self, finding, install, reaper):
        install("reaper")
        shutil.copytree(SHIPPED, reaper / "Scripts" / "Retake" / "Retake")

        assert "every action is there twice" in finding().text
