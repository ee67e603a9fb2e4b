"""`retake tray`: reads its words, and says in a sentence why no window can open before Qt would only crash."""

import argparse
import importlib
import os
import re
import select
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from bridge.daw_install.hosts import HostPlatform
from bridge.desktop.state.options import AppOptions
from bridge.desktop.state.preferences import preferences_file
from bridge.errors import BridgeError
from bridge.host.discovery import state_folder
from bridge.host.settings import user_config_file

PAGES = ("create", "jobs", "history", "models", "settings", "first-run")

_PATIENCE_S = 20.0
_HINT = "start it in a desktop session; `retake daemon` works without one"


class WindowlessError(BridgeError):
    """No window can be opened here."""

    code = "no_window"


def main(argv: Sequence[str] | None = None) -> int:
    """Run `retake tray`: 0 when it ended, or when another one was brought forward; 1 when no window can open."""
    parser = argparse.ArgumentParser(prog="retake tray", description="Show Retake in the tray, with its window.")
    parser.add_argument("--page", choices=PAGES, default="", help="page to begin with")
    parser.add_argument("--hidden", action="store_true", help="begin without a window, as at login")
    parser.add_argument("--no-tray", action="store_true", help="only the window; closing it quits")
    options = parser.parse_args(argv)
    try:
        require_screen(sys.platform, os.environ)
        app = load_app()
        require_window(sys.platform)
    except BridgeError as error:
        print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)
        return 1
    chosen = AppOptions(
        folder=state_folder(os.environ),
        settings_file=Path(os.environ.get("RETAKE_CONFIG") or user_config_file()),
        preferences_file=preferences_file(),
        machine=HostPlatform(sys.platform, os.environ, Path.home()),
        page=options.page,
        is_hidden=options.hidden,
        wants_tray=not options.no_tray,
    )
    return int(app.run(chosen))


def require_screen(system: str, environment: Mapping[str, str]) -> None:
    """Raise WindowlessError where there is no screen to draw on; Qt would end the process without a word."""
    if system in {"win32", "darwin"} or environment.get("QT_QPA_PLATFORM", "xcb") not in {"xcb", "wayland"}:
        return
    if not environment.get("DISPLAY") and not environment.get("WAYLAND_DISPLAY"):
        raise WindowlessError(
            "there is no screen: neither DISPLAY nor WAYLAND_DISPLAY is set",
            _HINT,
        )


def require_window(system: str) -> None:
    """Open Qt's screen in a process of its own first: where that cannot be done, Qt ends the process that tries.

    Raises WindowlessError with what Qt said, such as of a display that is gone or a library that is missing.
    """
    if system in {"win32", "darwin"}:
        return
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        _open_screen_and_leave(mouth)
    os.close(mouth)
    try:
        told = _hear(ear, child)
    finally:
        os.close(ear)
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise WindowlessError(*_why_no_window(told))


def _open_screen_and_leave(mouth: int) -> NoReturn:
    """Say what Qt says, and end with 0 when it has a screen; never comes back."""
    try:
        for number in (1, 2):
            os.dup2(mouth, number)
        gui = importlib.import_module("PySide6.QtGui")
        gui.QGuiApplication(["retake"])
        os._exit(0)
    finally:
        os._exit(1)


def _hear(ear: int, child: int) -> str:
    """Listen until the child is gone; one that waits for a screen for too long is ended."""
    heard, deadline = b"", time.monotonic() + _PATIENCE_S
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([ear], [], [], left)[0]:
            break
        piece = os.read(ear, 4096)
        if not piece:
            return heard.decode(errors="replace")
        heard += piece
    os.kill(child, signal.SIGKILL)
    return "could not connect to display"


def _why_no_window(told: str) -> tuple[str, str]:
    """Make a sentence and a hint of what Qt says; it names a library also where that is not to blame."""
    gone = re.search(r"could not connect to display ?(\S*)|Failed to create wl_display", told)
    library = re.search(r"(\S+) or (\S+) is needed to load the Qt", told)
    if gone:
        where = gone[1] or os.environ.get("WAYLAND_DISPLAY", "")
        return f"no window can be opened: no screen answers{f' at {where}' if where else ''}", _HINT
    if library:
        text = f"no window can be opened: the library {library[1]} is missing"
        return text, f"install {library[1]} ({library[2]} on Debian and Ubuntu), and start it again"
    return "no window can be opened on this screen", _HINT


def load_app() -> Any:
    """Import the part that needs Qt. Raises WindowlessError when Qt, or a library that it needs, is not installed."""
    try:
        return importlib.import_module("bridge.desktop.app")
    except ImportError as error:
        if error.name is not None and error.name.split(".")[0] not in {"PySide6", "shiboken6"}:
            raise
        raise WindowlessError(
            f"the window needs Qt, which cannot be loaded: {error}",
            'install it with: pip install "retake[desktop]"',
        ) from error
