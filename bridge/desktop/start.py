"""`retake tray`: reads its words, and says in a sentence why no window can open before Qt would only crash."""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bridge.daws import Machine
from bridge.desktop.preferences import preferences_file
from bridge.discovery import state_folder
from bridge.errors import BridgeError
from bridge.settings import user_config_file

PAGES = ("create", "jobs", "history", "models", "settings", "first-run")


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
    except BridgeError as error:
        print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)
        return 1
    setting = app.Setting(
        folder=state_folder(os.environ),
        settings_file=Path(os.environ.get("RETAKE_CONFIG") or user_config_file()),
        preferences_file=preferences_file(),
        machine=Machine(sys.platform, os.environ, Path.home()),
        page=options.page,
        is_hidden=options.hidden,
        wants_tray=not options.no_tray,
    )
    return int(app.run(setting))


def require_screen(system: str, environment: Mapping[str, str]) -> None:
    """Raise WindowlessError where there is no screen to draw on; Qt would end the process without a word."""
    if system in {"win32", "darwin"} or environment.get("QT_QPA_PLATFORM", "xcb") not in {"xcb", "wayland"}:
        return
    if not environment.get("DISPLAY") and not environment.get("WAYLAND_DISPLAY"):
        raise WindowlessError(
            "there is no screen: neither DISPLAY nor WAYLAND_DISPLAY is set",
            "start it in a desktop session; `retake daemon` works without one",
        )


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
