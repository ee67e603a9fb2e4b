"""Where the hosts keep scripts: each system's rules, tried on real folders of a made-up home."""

from pathlib import Path

import pytest

from bridge.daw_install.hosts import (
    HostPlatform,
    find_ardour,
    find_live,
    find_reaper,
    is_portable_reaper,
    live_libraries,
)


def make(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def portable(folder: Path, program="reaper.exe") -> Path:
    make(folder)
    (folder / "reaper.ini").write_text("[REAPER]\n")
    (folder / program).touch()
    return folder


@pytest.fixture
def home(tmp_path):
    return make(tmp_path / "home")


@pytest.fixture
def windows(tmp_path, home):
    environment = {
        "APPDATA": str(home / "AppData" / "Roaming"),
        "LOCALAPPDATA": str(home / "AppData" / "Local"),
        "ProgramFiles": str(tmp_path / "Program Files"),
        "SystemDrive": str(tmp_path),
    }
    return HostPlatform("win32", environment, home, tmp_path)


@pytest.fixture
def mac(tmp_path, home):
    return HostPlatform("darwin", {}, home, tmp_path)


@pytest.fixture
def linux(tmp_path, home):
    return HostPlatform("linux", {}, home, tmp_path)


def folders(places):
    return [place.folder for place in places]


class TestNothingInstalled:
    @pytest.mark.parametrize("system", ["win32", "darwin", "linux"])
    def test_nothing_is_found_and_nothing_is_made(self, system, home, tmp_path):
        machine = HostPlatform(system, {}, home, tmp_path)

        assert [*find_reaper(machine), *find_ardour(machine), *find_live(machine)] == []
        assert list(home.iterdir()) == []


class TestReaper:
    def test_windows_keeps_it_in_the_roaming_profile(self, windows, home):
        make(home / "AppData" / "Roaming" / "REAPER")

        assert folders(find_reaper(windows)) == [home / "AppData" / "Roaming" / "REAPER" / "Scripts"]

    def test_windows_without_variables_has_the_usual_profile(self, home, tmp_path):
        make(home / "AppData" / "Roaming" / "REAPER")

        assert len(find_reaper(HostPlatform("win32", {}, home, tmp_path))) == 1

    def test_macos_keeps_it_in_application_support(self, mac, home):
        resources = make(home / "Library" / "Application Support" / "REAPER")

        assert folders(find_reaper(mac)) == [resources / "Scripts"]

    def test_linux_keeps_it_in_the_configuration_folder(self, linux, home):
        resources = make(home / ".config" / "REAPER")

        assert folders(find_reaper(linux)) == [resources / "Scripts"]

    def test_linux_honours_a_configuration_folder_elsewhere(self, home, tmp_path):
        resources = make(tmp_path / "config" / "REAPER")
        machine = HostPlatform("linux", {"XDG_CONFIG_HOME": str(tmp_path / "config")}, home, tmp_path)

        assert folders(find_reaper(machine)) == [resources / "Scripts"]

    def test_a_flatpak_is_found_beside_it_and_known_to_be_sandboxed(self, linux, home):
        make(home / ".config" / "REAPER")
        make(home / ".var" / "app" / "fm.reaper.Reaper" / "config" / "REAPER")

        assert [place.is_sandboxed for place in find_reaper(linux)] == [False, True]

    @pytest.mark.parametrize("where", ["Program Files/REAPER (x64)", "REAPER", "home/Desktop/reaper7"])
    def test_a_portable_one_is_found_on_windows(self, windows, tmp_path, where):
        folder = portable(tmp_path / where)

        assert folder / "Scripts" in folders(find_reaper(windows))

    def test_a_portable_one_is_found_on_a_mac(self, mac, tmp_path):
        folder = portable(tmp_path / "Applications" / "REAPER", "REAPER.app")

        assert folders(find_reaper(mac)) == [folder / "Scripts"]

    def test_a_portable_one_is_found_on_linux(self, linux, home):
        folder = portable(home / "opt" / "REAPER", "reaper")

        assert folders(find_reaper(linux)) == [folder / "Scripts"]

    @pytest.mark.parametrize("missing", ["reaper.ini", "reaper.exe"])
    def test_program_and_settings_together_make_it_portable(self, tmp_path, missing):
        folder = portable(tmp_path / "REAPER")
        (folder / missing).unlink()

        assert not is_portable_reaper(folder)


class TestArdour:
    def test_every_version_gets_its_own(self, linux, home):
        for name in ("ardour7", "ardour8", "ardour9", "ardour12"):
            make(home / ".config" / name)

        assert sorted(place.program for place in find_ardour(linux)) == [
            "Ardour 12",
            "Ardour 7",
            "Ardour 8",
            "Ardour 9",
        ]
        assert home / ".config" / "ardour8" / "scripts" in folders(find_ardour(linux))

    def test_versions_that_are_too_old_and_other_folders_are_left_alone(self, linux, home):
        for name in ("ardour3", "ardour6", "ardour", "ardour8-backup", "myardour8"):
            make(home / ".config" / name)

        assert find_ardour(linux) == []

    def test_windows_keeps_it_in_the_local_profile(self, windows, home):
        folder = make(home / "AppData" / "Local" / "Ardour8")

        assert folders(find_ardour(windows)) == [folder / "scripts"]

    def test_macos_keeps_it_in_the_preferences(self, mac, home):
        folder = make(home / "Library" / "Preferences" / "Ardour8")

        assert folders(find_ardour(mac)) == [folder / "scripts"]

    def test_a_flatpak_is_known_to_be_sandboxed(self, linux, home):
        make(home / ".var" / "app" / "org.ardour.Ardour" / "config" / "ardour9")

        assert [place.is_sandboxed for place in find_ardour(linux)] == [True]


class TestLive:
    def test_macos_keeps_the_user_library_in_music(self, mac, home):
        library = make(home / "Music" / "Ableton" / "User Library")

        assert folders(find_live(mac)) == [library / "Remote Scripts"]

    @pytest.mark.parametrize("documents", ["Documents", "OneDrive/Documents"])
    def test_windows_keeps_the_user_library_in_the_documents(self, windows, home, documents):
        library = make(home / documents / "Ableton" / "User Library")

        assert folders(find_live(windows)) == [library / "Remote Scripts"]

    def test_a_library_that_was_moved_is_found_by_lives_preferences(self, windows, home, tmp_path):
        library = make(tmp_path / "D & E" / "User Library")
        preferences = make(home / "AppData" / "Roaming" / "Ableton" / "Live 12.1" / "Preferences")
        path = str(library.parent).replace("&", "&amp;")
        (preferences / "Library.cfg").write_text(
            f'<UserLibrary><ProjectName Value="User Library" /><ProjectPath Value="{path}" /></UserLibrary>'
        )

        assert folders(find_live(windows)) == [library / "Remote Scripts"]

    def test_preferences_that_name_the_usual_library_do_not_double_it(self, mac, home):
        library = make(home / "Music" / "Ableton" / "User Library")
        preferences = make(home / "Library" / "Preferences" / "Ableton" / "Live 11.3.4")
        (preferences / "Library.cfg").write_text(f'<ProjectPath Value="{library.parent}" />')

        assert live_libraries(mac) == [library]

    @pytest.mark.parametrize("parent", ["Local", "Roaming"])
    def test_windows_keeps_extensions_in_the_profile(self, windows, home, parent):
        folder = make(home / "AppData" / parent / "Ableton" / "Extensions")

        assert [(place.part, place.folder) for place in find_live(windows)] == [("extension", folder)]

    def test_macos_keeps_extensions_in_application_support(self, mac, home):
        folder = make(home / "Library" / "Application Support" / "Ableton" / "Extensions")

        assert [(place.part, place.folder) for place in find_live(mac)] == [("extension", folder)]

    def test_it_does_not_run_on_linux(self, linux, home):
        make(home / "Music" / "Ableton" / "User Library")

        assert find_live(linux) == []
