"""How the tray app was asked to start, and where it finds its files. Without Qt, so that `start` can fill it in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bridge.daw_install.hosts import HostPlatform
from bridge.host.program import own_command


@dataclass(frozen=True)
class AppOptions:
    """`page` is the page to show first, "" for the usual one; `is_hidden` starts without a window, as at login."""

    folder: Path
    settings_file: Path
    preferences_file: Path
    machine: HostPlatform
    page: str = ""
    is_hidden: bool = False
    wants_tray: bool = True
    own_command: Callable[..., list[str]] = own_command
    """Words -> the command line of `retake <words>`."""
