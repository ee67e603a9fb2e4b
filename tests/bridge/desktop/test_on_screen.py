"""The real window on an X screen that nobody sees, its icon in a real tray, with the shipped model; pictures are kept.

The pictures lie in .ci/artifacts/desktop: every page, light and dark, and the tray.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from bridge.host.discovery import find_daemon

ROOT = Path(__file__).parents[3]
SHOTS = ROOT / ".ci" / "artifacts" / "desktop"
CLIP = ROOT / "tests" / "clips" / "footfalls.wav"
PAGES = (
    "create",
    "create-inpaint",
    "create-empty",
    "jobs",
    "history",
    "models",
    "settings",
    "first-run",
    "about",
    "menu",
)
WITHOUT_A_PICTURE = 12
"""Colours; a window that shows something has more."""
missing = [name for name in ("Xvfb", "openbox", "trayer", "import") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)} for a screen with a tray"),
    pytest.mark.slow,
    pytest.mark.timeout(1500),
]


@pytest.fixture(scope="module")
def screen(tmp_path_factory):
    """An X server on a display of its own choice, a window manager, and a tray."""
    folder = tmp_path_factory.mktemp("screen")
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    log = (folder / "log").open("wb")
    server = subprocess.Popen(command, pass_fds=[writer], stdout=log, stderr=log)
    os.close(writer)
    with os.fdopen(reader) as told:
        display = f":{told.readline().strip()}"
    assert display != ":", (folder / "log").read_text()
    environment = os.environ | {"DISPLAY": display, "HOME": str(folder)}
    tray = ["trayer", "--edge", "bottom", "--align", "right", "--widthtype", "request", "--height", "40"]
    others = [
        subprocess.Popen(words, env=environment, stdout=log, stderr=log, start_new_session=True)
        for words in (["openbox"], tray)
    ]
    yield display
    for process in [*others, server]:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    log.close()


@pytest.fixture(scope="module")
def walk(screen, tmp_path_factory):
    """What was seen on a walk through everything."""
    folder = tmp_path_factory.mktemp("walk")
    (folder / "state").mkdir()
    (folder / "retake.toml").write_text(f'port = 0\noutput_dir = "{folder / "takes"}"\n')
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir(parents=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("QT_", "DBUS_", "WAYLAND"))}
    environment = clean | {
        "DISPLAY": screen,
        "QT_QPA_PLATFORM": "xcb",
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "RETAKE_STATE_DIR": str(folder / "state"),
        "RETAKE_CONFIG": str(folder / "retake.toml"),
        "RETAKE_MODELS": str(folder / "models"),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    script = str(Path(__file__).with_name("walk_on_screen.py"))
    done = subprocess.run(
        [sys.executable, script, str(SHOTS), str(CLIP)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


class TestProgram:
    def test_starts_once_and_ends_in_order(self, screen, tmp_path, until):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("QT_", "DBUS_", "WAYLAND"))}
        places = {"RETAKE_STATE_DIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "RETAKE_PORT": "0"}
        environment = clean | places | {"DISPLAY": screen, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "bridge", "tray", "--hidden"]
        first = subprocess.Popen(command, cwd=ROOT, env=environment)
        until(lambda: find_daemon(tmp_path))
        second = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert (second.returncode, second.stdout) == (0, "Retake is running already\n")
        first.send_signal(signal.SIGTERM)

        assert first.wait(120) == 0
        until(lambda: find_daemon(tmp_path) is None)


class TestWalk:
    def test_is_on_the_x_screen(self, walk):
        assert walk["platform"] == "xcb"

    def test_finds_a_place_in_the_tray(self, walk):
        _, _, width, height = walk["tray"]

        assert width >= 16
        assert height >= 16

    def test_makes_sounds_with_the_shipped_model(self, walk):
        assert walk["first"] == "a large church bell rings in the distance"
        assert walk["results"] == 4

    def test_shows_work_and_errors_in_the_tray(self, walk):
        assert (walk["working"], walk["error"]) == ("working", "error")

    def test_stays_in_the_tray_when_the_window_is_closed(self, walk):
        assert walk["stays"]

    def test_tray_is_in_the_pictures(self, walk):
        left, top, width, height = walk["tray"]
        pictures = [
            QImage(str(SHOTS / f"tray-{status}.png")).copy(left, top, width, height) for status in ("idle", "error")
        ]

        assert all(not picture.isNull() for picture in pictures)
        assert pictures[0] != pictures[1]

    @pytest.mark.usefixtures("walk")
    @pytest.mark.parametrize("theme", ["light", "dark"])
    @pytest.mark.parametrize("page", PAGES)
    def test_every_page_is_pictured(self, page, theme):
        picture = QImage(str(SHOTS / f"{page}-{theme}.png"))
        colours = {picture.pixel(x, y) for x in range(0, picture.width(), 3) for y in range(0, picture.height(), 3)}

        assert len(colours) > WITHOUT_A_PICTURE
