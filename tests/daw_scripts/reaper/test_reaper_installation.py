"""Where the scripts find `retake-send`: what `install-scripts` wrote down, then where installers put it."""

import json

import pytest

from tests.daw_scripts.reaper.reaper_project import Source

WORDS = {"Prompt": "rain", "Seed": "3"}
WINDOWS = {
    "LOCALAPPDATA": r"C:\Users\Ada\AppData\Local",
    "USERPROFILE": r"C:\Users\Ada",
    "ProgramFiles": r"C:\Programs",
}
HOME = {"HOME": "/home/ada"}
PLACES = [
    ("Win64", WINDOWS, r"C:\Users\Ada\AppData\Local\Programs\Retake\retake-sendw.exe"),
    ("Win64", WINDOWS, r"C:\Users\Ada\AppData\Local\Programs\Retake\retake-send.exe"),
    ("Win64", WINDOWS, r"C:\Programs\Retake\retake-sendw.exe"),
    ("Win32", WINDOWS, r"C:\Users\Ada\.local\bin\retake-sendw.exe"),
    ("Win64", {"PATH": r"C:\Windows;D:\tools"}, r"D:\tools\retake-sendw.exe"),
    ("OSX64", HOME, "/Applications/Retake.app/Contents/MacOS/retake-send"),
    ("macOS-arm64", HOME, "/home/ada/Applications/Retake.app/Contents/MacOS/retake-send"),
    ("macOS-arm64", HOME, "/home/ada/.local/bin/retake-send"),
    ("macOS-arm64", {}, "/opt/homebrew/bin/retake-send"),
    ("Other", HOME, "/home/ada/.local/bin/retake-send"),
    ("Other", {}, "/opt/retake/retake-send"),
    ("Other", {}, "/usr/bin/retake-send"),
    ("Other", {"PATH": "/usr/games:/home/ada/a venv/bin"}, "/home/ada/a venv/bin/retake-send"),
]


@pytest.fixture
def restyle(make_host, daemon, clips, script, send_program):
    """Restyle an item in a REAPER of some system whose only senders are those named; the path that was started."""

    def restyle(system, environment, *programs, written_down=None, resources=None):
        bare = {name: value for name, value in daemon.items() if name not in ("HOME", "PATH")}
        host = make_host(bare | environment, None)
        host.resources = resources or host.resources
        host.system, host.programs = system, dict.fromkeys(programs, str(send_program))
        if written_down:
            place = host.resources / "Scripts" / "Retake" / "retake.json"
            place.write_text(json.dumps({"send": written_down}), encoding="utf-8")
        item = host.current.add_item(host.current.add_track(), Source.of_file(clips["mono"]))
        host.answers.append(WORDS)
        host.run(script("Restyle"))
        host.run_to_end()
        assert (host.messages, len(item.takes)) == ([], 2)
        return host.command_lines[0].split('"')[1]

    return restyle


@pytest.mark.parametrize(("system", "environment", "place"), PLACES, ids=[place for _, _, place in PLACES])
def test_looks_where_installers_put_it(restyle, system, environment, place):
    assert restyle(system, environment, place) == place


def test_takes_the_one_without_a_window_on_windows(restyle):
    folder = r"C:\Users\Ada\AppData\Local\Programs\Retake"

    assert restyle("Win64", WINDOWS, rf"{folder}\retake-send.exe", rf"{folder}\retake-sendw.exe").endswith("sendw.exe")


def test_takes_what_was_written_down_first(restyle):
    assert restyle("Other", {}, "/a/retake-send", "/usr/bin/retake-send", written_down="/a/retake-send").startswith(
        "/a/"
    )


def test_looks_further_when_that_is_gone(restyle):
    assert (
        restyle("Other", {}, "/opt/retake/retake-send", written_down="/gone/retake-send") == "/opt/retake/retake-send"
    )


def test_a_users_name_that_windows_garbles_is_read_from_reapers_own_folder(restyle, tmp_path):
    """The environment reaches Lua in a code page of old; REAPER's resource path is UTF-8."""
    resources = tmp_path / "Jörg" / "AppData" / "Roaming" / "REAPER resources"
    program = rf"{tmp_path}/Jörg\AppData\Local\Programs\Retake\retake-sendw.exe"

    assert restyle("Win64", {"LOCALAPPDATA": r"C:\Users\J?rg\AppData\Local"}, program, resources=resources) == program
