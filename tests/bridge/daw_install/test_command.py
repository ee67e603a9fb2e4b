"""`retake install-scripts`: real files in made-up homes, from the first installation to the last trace gone."""

import json
import shutil
from pathlib import Path

import pytest
from lupa.lua54 import LuaRuntime

from bridge.daw_install.command import main
from bridge.daw_install.hosts import HostPlatform
from bridge.daw_install.parts import HOSTS, PARTS, remaining_clicks
from bridge.host.discovery import Runtime, write_runtime
from bridge.host.runtime_copies import copy_folders
from tests.audit_events import before

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.usefixtures("state_dir")
RESTYLE = "Retake_Restyle selected items….lua"
FORM = "modules/form.lua"
TABLE = ROOT / "daw_scripts" / "shared" / "operations.json"
"""What scripts read of the operations; it is installed beside them."""


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    (folder / ".config" / "REAPER").mkdir(parents=True)
    (folder / ".config" / "REAPER" / "reaper.ini").write_text("[REAPER]\n")
    return folder


@pytest.fixture
def scripts(home):
    """Where REAPER's scripts come to lie in that home."""
    return home / ".config" / "REAPER" / "Scripts" / "Retake"


@pytest.fixture
def install(home, tmp_path):
    """Run the command on that home, by default as on Linux."""
    return lambda *words, system="linux": main(words, HostPlatform(system, {}, home, tmp_path))


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A copy of what is shipped, for tests that play an older or a newer Retake."""
    shutil.copytree(ROOT / "daw_scripts", tmp_path / "retake" / "daw_scripts")
    monkeypatch.setenv("RETAKE_DAW_SCRIPTS", str(tmp_path / "retake" / "daw_scripts"))
    return tmp_path / "retake" / "daw_scripts"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


class TestInstalling:
    def test_every_file_arrives_as_it_is_shipped(self, install, scripts):
        assert install("reaper") == 0

        installed = contents(scripts)
        del installed["retake.json"]
        assert installed == contents(ROOT / "daw_scripts" / "reaper" / "Retake") | {TABLE.name: TABLE.read_bytes()}

    def test_the_scripts_are_told_where_retake_send_is(self, install, scripts, read_json):
        install("reaper")

        location = read_json(scripts / "retake.json")
        assert Path(location["send"]).is_absolute()
        assert Path(location["send"]).name.startswith("retake-send")
        assert Path(location["send"]).is_file()
        assert Path(location["retake"]).is_file()
        assert location["version"] == "0.1.0"

    def test_a_second_time_changes_nothing_and_says_so(self, install, scripts, capsys):
        install("reaper")
        before = {path: path.stat().st_mtime_ns for path in scripts.rglob("*")}
        capsys.readouterr()

        assert install("reaper") == 0
        assert {path: path.stat().st_mtime_ns for path in scripts.rglob("*")} == before
        assert "all files are up to date" in capsys.readouterr().out

    def test_all_hosts_are_served_where_none_is_named(self, install, home, shipped):
        (home / "Library" / "Application Support" / "REAPER").mkdir(parents=True)
        library = home / "Music" / "Ableton" / "User Library"
        library.mkdir(parents=True)
        (shipped / "ableton" / "remote_script" / "Retake").mkdir(parents=True, exist_ok=True)
        (shipped / "ableton" / "remote_script" / "Retake" / "__init__.py").write_text('"""A control surface."""\n')

        assert install(system="darwin") == 0
        assert (home / "Library" / "Application Support" / "REAPER" / "Scripts" / "Retake" / RESTYLE).exists()
        assert (library / "Remote Scripts" / "Retake" / "__init__.py").exists()

    def test_what_remains_to_be_clicked_is_read_from_the_hosts_page(self, install, capsys):
        install("reaper")

        page = (ROOT / "daw_scripts" / "reaper" / "README.md").read_text(encoding="utf-8").replace("*", "")
        clicks = capsys.readouterr().out.split("Remaining steps in REAPER:")[1].strip()
        assert clicks.startswith("1. Actions")
        assert clicks in page

    def test_other_scripts_in_the_same_folder_are_not_looked_at(self, install, scripts):
        scripts.mkdir(parents=True)
        (scripts / "mine.lua").write_text("-- mine")

        install("reaper")

        assert (scripts / "mine.lua").read_text() == "-- mine"
        assert "mine.lua" not in (scripts / "retake.json").read_text()


class TestNamedFolders:
    @pytest.mark.parametrize("named", ["stick/REAPER", "stick/REAPER/Scripts", "stick/REAPER/reaper.exe"])
    def test_a_portable_reaper_is_named_by_its_folder_or_program(self, install, tmp_path, named):
        folder = tmp_path / "stick" / "REAPER"
        (folder / "Scripts").mkdir(parents=True)
        (folder / "reaper.ini").touch()
        (folder / "reaper.exe").touch()

        assert install("reaper", "--path", str(tmp_path / named)) == 0
        assert (folder / "Scripts" / "Retake" / RESTYLE).exists()

    def test_it_is_remembered_for_updates_and_removal(self, install, tmp_path, shipped):
        folder = tmp_path / "stick" / "REAPER"
        folder.mkdir(parents=True)
        install("reaper", "--path", str(folder))
        (shipped / "reaper" / "Retake" / FORM).write_text("-- newer")

        assert install("reaper") == 0
        assert (folder / "Scripts" / "Retake" / FORM).read_text() == "-- newer"
        assert install("reaper", "--remove") == 0
        assert everything(folder) == set()

    def test_a_folder_that_does_not_look_like_the_hosts_gets_a_remark(self, install, tmp_path, capsys):
        folder = tmp_path / "Desktop"
        folder.mkdir()

        assert install("reaper", "--path", str(folder)) == 0
        assert "does not look like a folder of REAPER" in capsys.readouterr().out
        (folder / "reaper.ini").touch()

        install("reaper", "--path", str(folder))

        assert "does not look like" not in capsys.readouterr().out

    def test_a_folder_that_is_not_there_is_refused(self, install, tmp_path, capsys):
        assert install("reaper", "--path", str(tmp_path / "nowhere")) == 1
        assert "there is no folder at" in capsys.readouterr().err

    def test_a_folder_without_its_host_is_wrong_usage(self, install, tmp_path, capsys):
        with pytest.raises(SystemExit, match="2"):
            install("--path", str(tmp_path))

        assert "whose folder is it?" in capsys.readouterr().err

    def test_a_users_remote_scripts_folder_gets_the_control_surface(self, install, tmp_path, shipped):
        folder = tmp_path / "User Library" / "Remote Scripts"
        folder.mkdir(parents=True)
        (shipped / "ableton" / "remote_script" / "Retake").mkdir(parents=True, exist_ok=True)
        (shipped / "ableton" / "remote_script" / "Retake" / "__init__.py").touch()

        assert install("ableton", "--path", str(folder)) == 0
        assert (folder / "Retake" / "__init__.py").exists()


class TestChangedFiles:
    @pytest.fixture
    def changed(self, install, scripts, shipped):
        """A script that the musician changed, and a newer Retake that changed it, too."""
        install("reaper")
        (scripts / FORM).write_text("-- mine")
        (shipped / "reaper" / "Retake" / FORM).write_text("-- newer")
        return scripts / FORM

    def test_it_is_kept_and_the_new_version_put_beside_it(self, install, changed, capsys):
        assert install("reaper") == 0

        assert changed.read_text() == "-- mine"
        assert changed.with_name("form.lua.new").read_text() == "-- newer"
        said = capsys.readouterr().out
        assert f"kept: {FORM}" in said
        assert f"{FORM}.new" in said

    def test_the_new_version_is_offered_once(self, install, changed):
        install("reaper")
        changed.with_name("form.lua.new").unlink()

        install("reaper")

        assert not changed.with_name("form.lua.new").exists()

    def test_the_next_version_takes_the_place_of_one_offered_before(self, install, changed, shipped):
        install("reaper")
        (shipped / "reaper" / "Retake" / FORM).write_text("-- newest")

        install("reaper")

        assert changed.with_name("form.lua.new").read_text() == "-- newest"
        assert changed.read_text() == "-- mine"

    def test_an_offer_that_the_musician_changed_is_theirs_too(self, install, changed, shipped):
        install("reaper")
        changed.with_name("form.lua.new").write_text("-- merging")
        (shipped / "reaper" / "Retake" / FORM).write_text("-- newest")

        install("reaper")

        assert changed.with_name("form.lua.new").read_text() == "-- merging"
        assert changed.with_name("form.lua.new2").read_text() == "-- newest"

    def test_an_offer_goes_once_it_was_taken(self, install, changed):
        install("reaper")
        changed.write_text("-- newer")

        install("reaper")

        assert not changed.with_name("form.lua.new").exists()

    def test_force_moves_it_away_and_never_over_an_older_copy(self, install, changed):
        changed.with_name("form.lua.bak").write_text("-- an old one of mine")

        assert install("reaper", "--force") == 0
        assert changed.read_text() == "-- newer"
        assert changed.with_name("form.lua.bak").read_text() == "-- an old one of mine"
        assert changed.with_name("form.lua.bak2").read_text() == "-- mine"

    def test_a_change_without_a_newer_version_is_kept_without_an_offer(self, install, scripts):
        install("reaper")
        (scripts / FORM).write_text("-- mine")

        install("reaper")

        assert (scripts / FORM).read_text() == "-- mine"
        assert list(scripts.rglob("*.new")) == []

    def test_a_file_of_ours_that_was_there_before_us_is_kept(self, install, scripts):
        scripts.mkdir(parents=True)
        (scripts / RESTYLE).write_text("-- somebody else's")

        install("reaper")

        assert (scripts / RESTYLE).read_text() == "-- somebody else's"
        assert (scripts / f"{RESTYLE}.new").exists()

    def test_a_file_that_was_deleted_comes_back(self, install, scripts):
        install("reaper")
        (scripts / FORM).unlink()

        install("reaper")

        assert (scripts / FORM).exists()


class TestUpgrade:
    def test_new_files_come_changed_ones_follow_and_old_ones_go(self, install, scripts, shipped):
        install("reaper")
        source = shipped / "reaper" / "Retake"
        (source / "modules" / "fresh.lua").write_text("-- fresh")
        (source / FORM).write_text("-- newer")
        (source / "Retake_Cancel.lua").unlink()

        assert install("reaper") == 0

        installed = contents(scripts)
        del installed["retake.json"]
        assert installed == contents(source) | {TABLE.name: TABLE.read_bytes()}

    def test_an_old_one_that_the_musician_changed_stays(self, install, scripts, shipped):
        install("reaper")
        (scripts / "Retake_Cancel.lua").write_text("-- mine")
        (shipped / "reaper" / "Retake" / "Retake_Cancel.lua").unlink()

        install("reaper")
        install("reaper", "--remove")

        assert everything(scripts) == {"Retake_Cancel.lua"}

    def test_a_damaged_record_costs_no_file(self, install, scripts):
        install("reaper")
        (scripts / "retake.json").write_text('{"files": ["')
        (scripts / FORM).write_text("-- mine")

        assert install("reaper") == 0
        assert (scripts / FORM).read_text() == "-- mine"

    def test_a_record_cannot_lead_out_of_its_folder(self, install, scripts, home):
        precious = home / ".config" / "REAPER" / "reaper.ini"
        install("reaper")
        record = json.loads((scripts / "retake.json").read_text())
        record["files"]["../../reaper.ini"] = "25d6c1ae83a5c1a0cf2a8b9a4f7cbef3d1a3ee0d2a6b64a0ad2c8ac2bf7dc6ff"
        (scripts / "retake.json").write_text(json.dumps(record))

        install("reaper", "--remove")

        assert precious.exists()


class TestArdour:
    """Ardour's scripts are files that exist nowhere before: each is built from its parts when it is installed."""

    @pytest.fixture
    def ardour_scripts(self, home):
        (home / ".config" / "ardour7").mkdir()
        (home / ".config" / "ardour7" / "config").touch()
        return home / ".config" / "ardour7" / "scripts"

    @pytest.fixture
    def actions(self):
        return {file.name for file in (ROOT / "daw_scripts" / "ardour" / "actions").iterdir()}

    def test_every_action_is_a_script_that_stands_alone(self, install, ardour_scripts, actions):
        assert install("ardour") == 0

        assert {file.name for file in ardour_scripts.iterdir()} == actions | {"retake.json"}
        for file in ardour_scripts.glob("*.lua"):
            lua = LuaRuntime()
            lua.execute("function ardour(head) name = head.name end")
            lua.execute(file.read_text(encoding="utf-8"))
            assert lua.globals().name.startswith("Retake: ")
            assert lua.globals().factory is not None

    def test_nothing_changes_when_nothing_has_changed(self, install, ardour_scripts, capsys):
        install("ardour")
        before = contents(ardour_scripts)
        capsys.readouterr()

        assert install("ardour") == 0
        assert contents(ardour_scripts) == before
        assert "updated" not in capsys.readouterr().out

    def test_a_part_that_changed_changes_the_scripts_that_hold_it(self, install, ardour_scripts, shipped):
        install("ardour")
        before = contents(ardour_scripts)
        part = shipped / "ardour" / "parts" / "regions.lua"
        part.write_text(part.read_text(encoding="utf-8") + "-- newer\n", encoding="utf-8")
        install("ardour")

        after = contents(ardour_scripts)
        changed = {name for name in before if after[name] != before[name]} - {"retake.json"}
        assert "retake_restyle.lua" in changed
        assert "retake_settings.lua" not in changed

    def test_the_table_is_part_of_each_script_with_a_dialog(self, install, ardour_scripts, shipped):
        table = shipped / "shared" / TABLE.name
        table.write_text(table.read_text(encoding="utf-8").replace('"x-label": "Strength"', '"x-label": "Wildness"'))
        install("ardour")

        assert 'label = "Wildness"' in (ardour_scripts / "retake_restyle.lua").read_text(encoding="utf-8")

    def test_a_script_that_the_musician_changed_is_kept(self, install, ardour_scripts, shipped):
        install("ardour")
        (ardour_scripts / "retake_vary.lua").write_text("-- mine")
        part = shipped / "ardour" / "parts" / "regions.lua"
        part.write_text(part.read_text(encoding="utf-8") + "-- newer\n", encoding="utf-8")
        install("ardour")

        assert (ardour_scripts / "retake_vary.lua").read_text() == "-- mine"
        assert "-- newer" in (ardour_scripts / "retake_vary.lua.new").read_text(encoding="utf-8")

    @pytest.mark.usefixtures("ardour_scripts")
    def test_removing_leaves_the_folder_as_it_was(self, install, home):
        before = everything(home)
        install("ardour")
        assert install("ardour", "--remove") == 0

        assert everything(home) == before

    @pytest.mark.parametrize("missing", ["ardour/parts/form.lua", "shared/operations.json"])
    def test_a_retake_without_a_part_says_so(self, install, ardour_scripts, shipped, missing, capsys):
        (shipped / missing).unlink()

        assert install("ardour") == 1
        assert Path(missing).name in capsys.readouterr().err
        assert not ardour_scripts.exists()

    def test_what_is_installed_is_not_in_the_repository(self):
        assert list((ROOT / "daw_scripts" / "ardour").glob("*.lua")) == []


class TestRemoval:
    def test_it_leaves_the_home_as_it_was(self, install, home, state_dir):
        before = everything(home)
        install("reaper")

        assert install("--remove") == 0
        assert everything(home) == before
        assert everything(state_dir) == set()

    def test_folders_that_were_there_before_stay(self, install, scripts):
        scripts.mkdir(parents=True)
        (scripts.parent / "other.lua").write_text("-- other")
        install("reaper")

        install("reaper", "--remove")

        assert everything(scripts.parent) == {"Retake", "other.lua"}

    def test_a_changed_file_stays_and_is_named(self, install, scripts, capsys):
        install("reaper")
        (scripts / FORM).write_text("-- mine")

        assert install("reaper", "--remove") == 0
        assert contents(scripts) == {FORM: b"-- mine"}
        assert f"kept: {FORM}" in capsys.readouterr().out

    def test_force_moves_a_changed_file_to_a_copy(self, install, scripts):
        install("reaper")
        (scripts / FORM).write_text("-- mine")

        install("reaper", "--remove", "--force")

        assert contents(scripts) == {f"{FORM}.bak": b"-- mine"}

    def test_what_a_host_compiled_goes_with_its_script(self, install, home, shipped):
        library = home / "Music" / "Ableton" / "User Library"
        library.mkdir(parents=True)
        (shipped / "ableton" / "remote_script" / "Retake").mkdir(parents=True, exist_ok=True)
        (shipped / "ableton" / "remote_script" / "Retake" / "__init__.py").touch()
        install("ableton", system="darwin")
        compiled = library / "Remote Scripts" / "Retake" / "__pycache__"
        compiled.mkdir()
        (compiled / "__init__.cpython-311.pyc").touch()

        assert install("ableton", "--remove", system="darwin") == 0
        assert everything(library) == set()

    @pytest.mark.parametrize("file", [None, "clip.wav"])
    def test_reapers_work_folder_goes_unless_something_is_in_it(self, install, home, file, capsys):
        install("reaper")
        work = home / ".config" / "REAPER" / "Data" / "Retake"
        work.mkdir(parents=True)
        if file:
            (work / file).touch()

        install("reaper", "--remove")

        assert work.exists() == bool(file)
        assert (f"left: {work}" in capsys.readouterr().out) == bool(file)

    def test_twice_is_no_mistake(self, install, capsys):
        install("reaper")
        install("reaper", "--remove")
        capsys.readouterr()

        assert install("reaper", "--remove") == 0
        assert "nothing of Retake is there" in capsys.readouterr().out


class TestDryRun:
    def test_it_changes_nothing_and_says_what_would_happen(self, install, home, state_dir, capsys):
        before = everything(home)

        assert install("--dry-run") == 0
        assert everything(home) == before
        assert everything(state_dir) == set()
        assert "would be installed: " in capsys.readouterr().out

    def test_nor_does_a_removal(self, install, scripts, capsys):
        install("reaper")
        before = contents(scripts)

        assert install("reaper", "--remove", "--dry-run") == 0
        assert contents(scripts) == before
        assert "would be removed: " in capsys.readouterr().out


class TestMishaps:
    def test_a_host_that_is_not_there_gets_a_sentence(self, install, capsys):
        assert install("ardour") == 1

        said = capsys.readouterr().err
        assert "Ardour was not found; looked in " in said
        assert "hint: start it once" in said

    def test_a_host_that_cannot_be_there_gets_another_one(self, install, capsys):
        assert install("ableton") == 1
        assert "Ableton Live does not run on this system" in capsys.readouterr().err

    def test_no_host_at_all_is_a_failure(self, tmp_path, capsys):
        (tmp_path / "empty").mkdir()

        assert main([], HostPlatform("linux", {}, tmp_path / "empty", tmp_path / "empty")) == 1
        assert "REAPER was not found" in capsys.readouterr().err

    def test_a_folder_that_cannot_be_made_gets_one_sentence(self, install, scripts, capsys):
        scripts.parent.write_text("a file where a folder should be")

        assert install("reaper") == 1
        said = capsys.readouterr().out
        assert said.count("failed: ") == 1
        assert "hint: close the DAW" in said
        assert scripts.parent.read_text() == "a file where a folder should be"

    def test_files_that_cannot_be_written_do_not_stop_the_others(self, install, scripts):
        scripts.mkdir(parents=True)
        (scripts / "modules").write_text("a file where a folder should be")

        assert install("reaper") == 1
        assert (scripts / RESTYLE).exists()

        (scripts / "modules").unlink()
        assert install("reaper") == 0
        assert (scripts / FORM).exists()

    def test_a_folder_where_a_script_should_be_is_kept(self, install, scripts, capsys):
        (scripts / FORM).mkdir(parents=True)

        assert install("reaper") == 0
        assert (scripts / FORM).is_dir()
        assert f"kept: {FORM}" in capsys.readouterr().out

    def test_what_cannot_be_backed_up_is_not_written_over(self, install, scripts):
        install("reaper")
        (scripts / FORM).write_text("-- mine")

        with before("os.rename", _refuse):
            assert install("reaper", "--force") == 1
        assert (scripts / FORM).read_text() == "-- mine"

    def test_a_file_in_use_is_named_and_the_next_run_finishes(self, install, scripts, capsys):
        install("reaper")
        with before("os.remove", _refuse):
            assert install("reaper", "--remove") == 1
        assert "used by another process" in capsys.readouterr().out

        assert install("reaper", "--remove") == 0
        assert not scripts.exists()

    def test_a_link_to_the_checkout_is_left_alone(self, install, scripts, shipped, capsys):
        scripts.parent.mkdir(parents=True)
        scripts.symlink_to(shipped / "reaper" / "Retake", target_is_directory=True)
        before = contents(shipped)

        assert install("reaper") == 0
        assert install("reaper", "--remove") == 0
        assert contents(shipped) == before
        assert "a link to Retake's own scripts" in capsys.readouterr().out

    def test_a_retake_without_its_scripts_says_so(self, install, shipped, capsys):
        shutil.rmtree(shipped)

        assert install("reaper") == 1
        assert "this Retake came without its folder daw_scripts" in capsys.readouterr().err


def _refuse(*_args, **_kwargs):
    raise PermissionError(13, "used by another process")


class TestExtension:
    """Live's extension cannot read our state folder: the daemon copies its runtime file into the extension's own."""

    @pytest.fixture(autouse=True)
    def live(self, home):
        folder = home / "Library" / "Application Support" / "Ableton"
        (folder / "Extensions").mkdir(parents=True)
        return folder

    def test_the_daemon_learns_which_folder_it_may_read(self, install, live, state_dir):
        assert install("ableton", system="darwin") == 0
        assert copy_folders(state_dir) == [live / "Extensions Data" / "retake.retake"]

    def test_how_to_build_it_is_said_until_it_is_there(self, install, live, capsys):
        install("ableton", system="darwin")
        assert "build.mjs" in capsys.readouterr().out.split("Remaining steps")[0]
        (live / "Extensions" / "retake.retake").mkdir()

        install("ableton", system="darwin")

        assert "build.mjs" not in capsys.readouterr().out.split("Remaining steps")[0]

    def test_removal_takes_copy_and_order_back(self, install, live, state_dir):
        install("ableton", system="darwin")
        storage = live / "Extensions Data" / "retake.retake"
        storage.mkdir(parents=True)
        write_runtime(storage, Runtime("127.0.0.1", 1, 1, "0.1.0", "secret"))

        assert install("ableton", "--remove", system="darwin") == 0
        assert copy_folders(state_dir) == []
        assert not (storage / "runtime.json").exists()

    def test_a_dry_run_only_says_so(self, install, state_dir):
        install("ableton", "--dry-run", system="darwin")

        assert everything(state_dir) == set()


class TestMachineReadable:
    def test_it_names_every_folder_file_and_action(self, install, scripts, capsys):
        assert install("reaper", "--json") == 0

        told = json.loads(capsys.readouterr().out)
        (place,) = told["places"]
        assert place["host"] == "reaper"
        assert place["folder"] == str(scripts)
        assert {"file": RESTYLE, "action": "installed"} in place["files"]
        assert told["clicks"]["reaper"].startswith("1. ")
        assert told["errors"] == []

    def test_it_names_what_was_kept_and_where_things_went(self, install, scripts, capsys):
        install("reaper")
        (scripts / FORM).write_text("-- mine")
        capsys.readouterr()

        install("reaper", "--force", "--json")

        (place,) = json.loads(capsys.readouterr().out)["places"]
        assert {"file": FORM, "action": "backed up", "moved_to": f"{FORM}.bak"} in place["files"]

    def test_it_names_what_went_wrong(self, install, capsys):
        assert install("ardour", "--json") == 1

        (error,) = json.loads(capsys.readouterr().out)["errors"]
        assert error["code"] == "host_missing"
        assert error["hint"]


class TestTable:
    def test_every_part_belongs_to_a_host(self):
        assert {part for host in HOSTS.values() for part in host.folders.values()} == set(PARTS)

    def test_every_script_in_the_folders_of_a_part_is_installed(self):
        for part in PARTS.values():
            if part.patterns:
                source = ROOT / "daw_scripts" / part.source
                installed = {file for pattern in part.patterns for file in source.glob(pattern)}
                assert {file for file in source.rglob("*") if file.suffix in (".lua", ".py")} == installed

    @pytest.mark.parametrize(
        ("part", "host"), [(part, name) for name, host in HOSTS.items() for part in host.folders.values()]
    )
    def test_every_part_has_its_clicks_as_a_short_list(self, host, part):
        clicks = remaining_clicks(host, part)

        assert clicks.startswith("1. "), (
            f"{host}/README.md has no list between <!-- clicks: {part} --> and <!-- /clicks -->"
        )
        assert clicks.count("\n") < 15
        assert "*" not in clicks
        assert clicks in (ROOT / "daw_scripts" / host / "README.md").read_text(encoding="utf-8").replace("*", "")
