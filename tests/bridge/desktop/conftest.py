"""The real window for the tests, on a screen that nobody sees, with a real daemon on the other end of the line."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.*=false")

try:
    from PySide6.QtCore import QCoreApplication, QEvent
    from PySide6.QtWidgets import QApplication

    from bridge.daw_install.hosts import HostPlatform
    from bridge.desktop.app import DesktopApp
    from bridge.desktop.state.options import AppOptions
    from bridge.desktop.state.preferences import Preferences, write_preferences
    from bridge.host.program import own_command
except ImportError as error:  # a library of the system that Qt needs; .ci/run installs them
    print(f"the tray app is not tested: {error}", file=sys.stderr)
    collect_ignore_glob = ["*test_*.py"]

PATIENCE_S = 120.0
CLIPS = Path(__file__).parents[2] / "clips"


@pytest.fixture(scope="session")
def qt() -> Any:
    """The one QApplication of this process."""
    app = QApplication.instance() or QApplication(["retake"])
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)
    return app


@pytest.fixture
def until(qt: QApplication) -> Callable[..., Any]:
    """Let the window work until something is true."""

    def wait(condition: Callable[[], Any], what: Any = "it did not come true in time") -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while not (result := condition()):
            assert time.monotonic() < deadline, what
            qt.processEvents()
            time.sleep(0.002)
        return result

    return wait


@pytest.fixture
def machine(tmp_path: Path) -> Any:
    home = tmp_path / "home"
    home.mkdir()
    return HostPlatform("linux", {"XDG_CONFIG_HOME": str(home / ".config")}, home)


@pytest.fixture
def command() -> Any:
    """Words -> the command line of `retake <words>`; a module may have one of its own."""
    return own_command


@pytest.fixture
def open_app(
    qt: QApplication,
    state_dir: Path,
    tmp_path: Path,
    machine: Any,
    command: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:
    """Open the app on the state folder of this test; keywords are preferences."""
    monkeypatch.setenv("RETAKE_CONFIG", str(tmp_path / "retake.toml"))
    (tmp_path / "retake.toml").touch()
    opened = []

    def start(**preferences: Any) -> Any:
        file = tmp_path / "desktop.json"
        write_preferences(file, Preferences(**({"is_set_up": True} | preferences)))
        setting = AppOptions(state_dir, tmp_path / "retake.toml", file, machine, wants_tray=False, own_command=command)
        app = DesktopApp(qt, setting)
        opened.append(app)
        app.start()
        return app

    yield start
    for app in opened:
        app.close()
        app.window.deleteLater()
        app.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qt.processEvents()


@pytest.fixture
def app(daemon: Any, open_app: Any, until: Any) -> Any:  # noqa: ARG001 - the daemon has to be there first
    """The app beside a daemon whose render process is a stand-in: the first word of a prompt says what it does."""
    started = open_app()
    until(lambda: started.controller.is_connected and started.controller.status, "the daemon was not found")
    return started


@pytest.fixture
def window(app: Any) -> Any:
    return app.window


@pytest.fixture
def clip(tmp_path: Path) -> str:
    """A clip of three seconds, stereo."""
    path = tmp_path / "steps.wav"
    wave = np.random.default_rng(1).standard_normal((3 * 44_100, 2)) * 0.1
    soundfile.write(path, wave, 44_100, subtype="PCM_24")
    return str(path)


@pytest.fixture
def ask(window: Any, until: Any) -> Callable[..., Any]:
    """Type a prompt, press Enter, and wait for the end; give how the job stands then."""

    def type_and_wait(prompt: str, **parameters: Any) -> Any:
        page = window.create_page
        page.prompt.setText(prompt)
        if "candidates" in parameters:
            page.parameters.fields["candidates"].show_value(parameters["candidates"])
        page.go()
        until(lambda: not page.is_busy)
        return list(window._controller.jobs)[-1]

    return type_and_wait
