"""`retake tray`: its options, and a sentence about why no window can open where Qt itself would only crash."""

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

_TIMEOUT_S = 20.0
_HINT = "start it in a desktop session; `retake daemon` works without one"


class WindowlessError(BridgeError):
    """No window can be opened here."""

    code = "no_window"


def main(argv: Sequence[str] | None = None) -> int:
    """Run `retake tray`: 0 when it ended, or brought a running one forward; 1 when no window can open."""
    parser = argparse.ArgumentParser(prog="retake tray", description="Show Retake's window and tray icon.")
    parser.add_argument("--page", choices=PAGES, default="", help="page to show first")
    parser.add_argument("--hidden", action="store_true", help="start without a window, as at login")
    parser.add_argument("--no-tray", action="store_true", help="window only; closing it quits")
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
    """Raise WindowlessError where there is no screen; Qt would end the process without a message."""
    if system in {"win32", "darwin"} or environment.get("QT_QPA_PLATFORM", "xcb") not in {"xcb", "wayland"}:
        return
    if not environment.get("DISPLAY") and not environment.get("WAYLAND_DISPLAY"):
        raise WindowlessError(
            "there is no screen: neither DISPLAY nor WAYLAND_DISPLAY is set",
            _HINT,
        )


def require_window(system: str) -> None:
    """Let a child process open Qt's screen first: where that fails, Qt ends the process that tries.

    Raises WindowlessError with what Qt reported, such as a display that is gone or a missing library.
    """
    if system in {"win32", "darwin"}:
        return
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _open_screen_and_exit(writer)
    os.close(writer)
    try:
        output = _output_of(child, reader)
    finally:
        os.close(reader)
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise WindowlessError(*_why_no_window(output))


def _open_screen_and_exit(writer: int) -> NoReturn:
    """Write what Qt says to the pipe, and exit with 0 if it has a screen; never returns."""
    try:
        for number in (1, 2):
            os.dup2(writer, number)
        gui = importlib.import_module("PySide6.QtGui")
        gui.QGuiApplication(["retake"])
        os._exit(0)
    finally:
        os._exit(1)


def _output_of(child: int, reader: int) -> str:
    """Read until the child has exited; kill one that waits too long for a screen."""
    output, deadline = b"", time.monotonic() + _TIMEOUT_S
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([reader], [], [], left)[0]:
            break
        chunk = os.read(reader, 4096)
        if not chunk:
            return output.decode(errors="replace")
        output += chunk
    os.kill(child, signal.SIGKILL)
    return "could not connect to display"


def _why_no_window(output: str) -> tuple[str, str]:
    """Return a sentence and a hint for what Qt says; it names a library even where that is not to blame."""
    gone = re.search(r"could not connect to display ?(\S*)|Failed to create wl_display", output)
    library = re.search(r"(\S+) or (\S+) is needed to load the Qt", output)
    if gone:
        where = gone[1] or os.environ.get("WAYLAND_DISPLAY", "")
        return f"no window can be opened: no screen answers{f' at {where}' if where else ''}", _HINT
    if library:
        text = f"no window can be opened: the library {library[1]} is missing"
        return text, f"install {library[1]} ({library[2]} on Debian and Ubuntu), and start it again"
    return "no window can be opened on this screen", _HINT


def load_app() -> Any:
    """Import the module that needs Qt. Raises WindowlessError when Qt or a library it needs is missing."""
    try:
        return importlib.import_module("bridge.desktop.app")
    except ImportError as error:
        if error.name is not None and error.name.split(".")[0] not in {"PySide6", "shiboken6"}:
            raise
        raise WindowlessError(
            f"the window needs Qt, which cannot be loaded: {error}",
            'install it with: pip install "retake[desktop]"',
        ) from error
