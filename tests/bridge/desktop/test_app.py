"""The tray app's life: one instance, a daemon that is started and kept alive, its icon, its start at login."""

import os
import plistlib
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from bridge.clients.client import Client
from bridge.clients.launch import start_daemon
from bridge.daw_install.hosts import HostPlatform
from bridge.desktop.app import login_command
from bridge.desktop.start import WindowlessError, require_screen
from bridge.desktop.state.autostart import Autostart, desktop_entry, entry_file, launch_agent, run_value
from bridge.desktop.state.single_instance import SingleInstance, socket_name
from bridge.desktop.widgets import icons
from bridge.desktop.widgets.theme import DARK, LIGHT
from bridge.host.discovery import find_daemon, wait_for_end
from bridge.host.program import Installation
from bridge.jobs.job import JobState
from bridge.wire.messages import Quit
from tests.daemons import PATIENCE_S
from tests.menu import FOLDERS, GIO, launch

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the same, when it is collected late
class TestDaemon:
    @pytest.fixture
    def alone(self, open_app, until, monkeypatch, tmp_path):
        monkeypatch.setenv("RETAKE_MODEL", "tiny")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # each daemon of a test takes the same port
            probe.bind(("127.0.0.1", 0))
            monkeypatch.setenv("RETAKE_PORT", str(probe.getsockname()[1]))
        monkeypatch.setenv("RETAKE_OUTPUT_DIR", str(tmp_path / "takes"))
        app = open_app()
        until(lambda: app.controller.is_connected)
        return app

    def test_is_started_and_started_again_when_it_dies(self, alone, state_dir, until):
        first = find_daemon(state_dir)
        os.kill(first.pid, signal.SIGKILL)
        until(lambda: not alone.controller.is_connected)
        assert alone.window.status_bar.state.text() == "Reconnecting…"
        until(lambda: alone.controller.is_connected)
        assert find_daemon(state_dir).port == first.port
        page = alone.window.create_page
        page.prompt.setText("rain")
        page.parameters.fields["draft"].show_value(True)
        page.go()
        until(lambda: not page.is_busy)

        assert next(iter(alone.controller.jobs)).state is JobState.DONE

    def test_is_back_soon_however_often_it_is_killed(self, alone, state_dir, until):
        said, took_s = [], []
        alone.controller.complained.connect(said.append)
        alone.controller.connection_changed.connect(lambda _, trouble: said.append(trouble) if trouble else None)
        for _ in range(4):
            first, began_at = find_daemon(state_dir), time.monotonic()
            os.kill(first.pid, signal.SIGKILL)
            until(lambda: not alone.controller.is_connected)
            until(lambda: alone.controller.is_connected)
            took_s.append(time.monotonic() - began_at)

        assert said == []
        assert min(took_s) < 3.0

    def test_that_was_replaced_by_another_program_is_followed(self, alone, state_dir, until):
        """As a script of a DAW does it: quit, and start anew, within the time between two looks."""
        first, complaints = find_daemon(state_dir), []
        alone.controller.complained.connect(complaints.append)
        with Client(first) as client:
            client.send(Quit())
        wait_for_end(state_dir, 20)
        second = start_daemon(state_dir)
        until(lambda: alone.controller.is_connected and alone.controller.status is not None)
        page = alone.window.create_page
        page.prompt.setText("rain")
        page.parameters.fields["draft"].show_value(True)
        page.go()
        until(lambda: not page.is_busy)

        assert next(iter(alone.controller.jobs)).state is JobState.DONE
        assert (complaints, find_daemon(state_dir)) == ([], second)

    def test_that_was_started_here_ends_with_the_app(self, alone, state_dir, until):
        alone.close()

        until(lambda: find_daemon(state_dir) is None)

    def test_restarts_with_new_settings(self, alone, state_dir, until):
        first = find_daemon(state_dir)
        alone.controller.restart_daemon()
        until(lambda: find_daemon(state_dir) not in (None, first))

        until(lambda: alone.controller.is_connected)

    def test_that_was_just_being_started_ends_with_the_app_too(self, alone, state_dir, until):
        first = find_daemon(state_dir)
        alone.controller.restart_daemon()
        until(lambda: find_daemon(state_dir) != first)
        alone.close()

        until(lambda: find_daemon(state_dir) is None)


@pytest.mark.usefixtures("qt")
class TestSecondStart:
    def test_raises_the_window_of_the_first(self, tmp_path, until):
        asked = []
        first, second = SingleInstance(tmp_path), SingleInstance(tmp_path)
        first.asked.connect(asked.append)
        assert first.claim()
        assert not second.claim()
        assert second.ask_other("history")
        until(lambda: asked == ["history"])
        first.release()

        assert second.claim()
        second.release()

    @pytest.fixture
    def short(self):
        """A folder whose path is short, as those of tests are not."""
        with tempfile.TemporaryDirectory(prefix="r") as folder:
            yield Path(folder)

    def test_is_asked_for_where_other_users_cannot_be_first(self, short, tmp_path, monkeypatch):
        """Not in the folder of temporary files, where anybody may take a name that can be computed."""
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        assert socket_name(short) == str(short / "tray.socket")
        deep = tmp_path / ("d" * 100)
        deep.mkdir()
        script = (
            "import pathlib, sys; from bridge.desktop.state.single_instance import socket_name;"
            "print(socket_name(pathlib.Path(sys.argv[1])))"
        )
        named = subprocess.run(  # Python settles on a folder of temporary files once a process
            [sys.executable, "-c", script, str(deep)], cwd=ROOT, env=os.environ | {"TMPDIR": str(short)},
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip

        assert Path(named).parent == short / f"retake-{os.getuid()}"
        assert stat.S_IMODE((short / f"retake-{os.getuid()}").stat().st_mode) == 0o700
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
        assert Path(socket_name(deep)).parent == short

    @pytest.mark.parametrize("depth", [0, 120], ids=["short", "long"])
    def test_works_in_folders_of_any_depth(self, depth, until, short):
        folder = short / ("d" * depth)
        asked, first = [], SingleInstance(folder)
        first.asked.connect(asked.append)
        assert first.claim()
        assert SingleInstance(folder).ask_other("jobs")
        until(lambda: asked == ["jobs"])
        first.release()

    def test_as_a_program_says_so_and_exits_with_0(self, state_dir, until):
        instance = SingleInstance(state_dir)
        assert instance.claim()
        pages = []
        instance.asked.connect(pages.append)
        command = [sys.executable, "-m", "bridge", "tray", "--page", "jobs"]
        second = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        until(lambda: second.poll() is not None)

        assert (second.returncode, second.communicate()[0]) == (0, "Retake is running already\n")
        until(lambda: pages == ["jobs"])
        instance.release()


class TestWithoutAScreen:
    def test_a_sentence_says_so(self):
        with pytest.raises(WindowlessError, match="there is no screen"):
            require_screen("linux", {})

    @pytest.mark.parametrize("environment", [{"DISPLAY": ":0"}, {"WAYLAND_DISPLAY": "w"}, {"QT_QPA_PLATFORM": "vnc"}])
    def test_a_screen_will_do(self, environment):
        require_screen("linux", environment)

    @pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="the screens of these systems do not go away")
    @pytest.mark.parametrize(
        "screen",
        [{"DISPLAY": ":9797"}, {"DISPLAY": "nowhere.invalid:0"}, {"WAYLAND_DISPLAY": "gone"}],
        ids=["dead", "elsewhere", "wayland"],
    )
    def test_a_screen_that_is_gone_is_told_before_qt_aborts(self, screen, tmp_path):
        environment = {name: value for name, value in os.environ.items() if "DISPLAY" not in name and "QT_" not in name}
        environment |= {"RETAKE_STATE_DIR": str(tmp_path), **screen}
        command = [sys.executable, "-m", "bridge", "tray"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

        assert done.returncode == 1
        assert done.stderr.startswith("no window can be opened: no screen answers")
        assert len(done.stderr.splitlines()) == 2

    def test_the_program_exits_with_1(self):
        environment = {name: value for name, value in os.environ.items() if "DISPLAY" not in name and "QT_" not in name}
        done = subprocess.run(
            [sys.executable, "-m", "bridge", "tray"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 1
        assert done.stderr.startswith("there is no screen")


class TestClosing:
    def test_without_a_tray_says_so_and_quits(self, app, window):
        assert window.notice.text.text().startswith("Retake was started without a tray")
        window.close()

        assert app._is_quitting

    def test_with_unfinished_jobs_asks_first(self, app, window, until):
        window.create_page.prompt.setText("slow")
        window.create_page.go()
        until(window.create_page.percent.text)
        app.quit()
        from PySide6.QtWidgets import QMessageBox

        question = until(lambda: window.findChild(QMessageBox))
        assert question.text() == "A job is not finished."
        next(button for button in question.buttons() if button.text() == "Keep running").click()

        assert not app._is_quitting


def wait_for(file):
    deadline = time.monotonic() + PATIENCE_S
    while not file.exists():
        assert time.monotonic() < deadline, file
        time.sleep(0.02)
    return file.read_text(encoding="utf-8")


LOGIN = ["/opt/Retake App/retake", "tray", "--hidden"]


class TestStartAtLogin:
    def test_on_linux_is_an_xdg_entry(self):
        text = desktop_entry(LOGIN, Path("/opt/Retake App"))

        assert text.startswith("[Desktop Entry]\nType=Application\n")
        assert 'Exec="/opt/Retake App/retake" tray --hidden\n' in text
        assert "Path=/opt/Retake App\n" in text
        assert "Icon=retake\n" in text
        assert "Terminal=false\n" in text

    @pytest.mark.parametrize(
        ("word", "quoted"),
        [
            ("100%", "100%%"),
            ("a\\b", r'"a\\\\b"'),
            ("a\nb", r'"a\nb"'),
            ('a"b', '"a\\\\"b"'),
            ("a$b", '"a\\\\$b"'),
            ("plain", "plain"),
            ("", '""'),
        ],
    )
    def test_on_linux_quotes_as_the_standard_says(self, word, quoted):
        assert f"Exec={quoted} x\n" in desktop_entry([word, "x"], Path("/"))

    @pytest.mark.skipif(GIO is None, reason="GLib is not installed")
    @pytest.mark.parametrize("name", [*FOLDERS, "line\nbreak", "tab\tstop"])
    def test_on_linux_starts_in_a_folder_of_any_name(self, tmp_path, name):
        folder, entry = tmp_path / name, tmp_path / "retake.desktop"
        folder.mkdir()
        program = folder / "retake"
        program.write_text('#!/bin/sh\npwd > "$0.draft"; echo "$@" >> "$0.draft"; mv "$0.draft" "$0.ran"\n')
        program.chmod(0o755)
        entry.write_text(desktop_entry([str(program), "tray", "a b", "100%"], folder), encoding="utf-8")

        assert launch(entry)
        ran = wait_for(folder / "retake.ran")
        assert ran == f"{folder}\ntray a b 100%\n"

    def test_runs_the_program_without_a_console_where_pip_made_one(self, tmp_path):
        here = Installation(tmp_path / "python")
        (tmp_path / "retake").touch()
        assert login_command(here) == [str(tmp_path / "retake"), "tray", "--hidden"]

        (tmp_path / "retake-tray").touch()
        assert login_command(here) == [str(tmp_path / "retake-tray"), "--hidden"]

    def test_on_macos_is_a_launch_agent(self):
        agent = plistlib.loads(launch_agent(LOGIN, Path("/opt")))

        assert agent["ProgramArguments"] == LOGIN
        assert agent["RunAtLoad"] is True
        assert agent["Label"] == "org.retake.tray"

    def test_on_windows_is_a_value_of_the_run_key(self):
        assert (
            run_value([r"C:\Program Files\Retake\retake.exe", "tray"]) == r'"C:\Program Files\Retake\retake.exe" tray'
        )

    @pytest.mark.parametrize(
        ("system", "file"),
        [
            ("linux", ".config/autostart/retake.desktop"),
            ("darwin", "Library/LaunchAgents/org.retake.tray.plist"),
        ],
    )
    def test_is_a_switch(self, tmp_path, system, file):
        machine = HostPlatform(system, {}, tmp_path)
        switch = Autostart(machine, LOGIN, Path("/opt"))
        assert not switch.is_on
        switch.switch(on=True)
        assert switch.is_on
        assert entry_file(machine) == tmp_path / file
        switch.switch(on=False)

        assert not (tmp_path / file).exists()


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    """As WCAG 2 defines it, 1 to 21."""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


class TestColours:
    @pytest.mark.parametrize("chosen", [LIGHT, DARK], ids=["light", "dark"])
    @pytest.mark.parametrize("ground", ["ground", "surface", "raised", "sunken"])
    def test_words_can_be_read(self, chosen, ground):
        for text in ("text", "muted", "accent", "bad"):
            assert contrast(getattr(chosen, text), getattr(chosen, ground)) >= 4.5, (text, ground)

    @pytest.mark.parametrize("chosen", [LIGHT, DARK], ids=["light", "dark"])
    @pytest.mark.parametrize(
        ("text", "ground"),
        [("on_accent", "accent"), ("accent", "accent_soft"), ("warning", "warning_soft"), ("bad", "bad_soft")],
    )
    def test_words_in_colour_can_be_read(self, chosen, text, ground):
        assert contrast(getattr(chosen, text), getattr(chosen, ground)) >= 4.5

    @pytest.mark.parametrize("panel", ["#ffffff", "#202020"])
    @pytest.mark.parametrize("colour", [icons.BRAND, icons.QUIET, icons.ERROR])
    def test_the_tray_icon_stands_out_of_any_panel(self, colour, panel):
        assert contrast(colour, panel) >= 3


@pytest.mark.usefixtures("qt")
class TestIcons:
    @pytest.mark.parametrize("size", icons.TRAY_SIZES)
    def test_moods_look_different_at_every_size(self, size):
        drawn = [
            icons.mark(size, icons.BRAND, status, fraction).toImage()
            for status, fraction in [("idle", 0.0), ("working", 0.2), ("working", 0.8), ("error", 0.0)]
        ]

        assert all(image.width() == size for image in drawn)
        assert all(one != other for at, one in enumerate(drawn) for other in drawn[at + 1 :])

    def test_bars_are_sharp_in_the_smallest(self):
        image = icons.mark(16, "#000000").toImage().convertToFormat(QImage.Format.Format_ARGB32)
        middle = [image.pixelColor(x, 8).alpha() for x in range(16)]

        assert sorted(set(middle)) in ([0, 255], [0, 254, 255])

    @pytest.mark.parametrize("name", icons.DRAWINGS)
    def test_every_drawing_is_crisp_on_dense_screens(self, name):
        pixmap = icons.draw(name, "#000000", 18, 2.0)

        assert (pixmap.width(), pixmap.devicePixelRatio()) == (36, 2.0)
        assert not pixmap.toImage().allGray() or pixmap.hasAlpha()
