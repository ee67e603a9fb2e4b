"""The tray app's own preferences, apart from the daemon's settings: a small JSON file, replaced as a whole."""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import platformdirs

from bridge.host.plain_file import open_plain

THEMES = ("system", "light", "dark")
CLOSINGS = ("tray", "quit")


@dataclass(frozen=True)
class Preferences:
    """`theme` is one of THEMES, `closing` what the window's close button does: one of CLOSINGS."""

    theme: str = "system"
    closing: str = "tray"
    was_told_of_tray: bool = False
    is_set_up: bool = False
    keeps_daemon: bool = False
    update_url: str = ""
    audition_device: str = ""
    audition_level_db: float = -12.0
    last_folder: str = ""
    geometry: str = ""


def preferences_file() -> Path:
    return platformdirs.user_config_path("retake", appauthor=False) / "desktop.json"


def read_preferences(file: Path) -> Preferences:
    """Return the preferences; what is missing, unknown or damaged has its default."""
    try:
        with open_plain(file, follow_links=True) as opened:  # a pipe in its place would block the window
            content = json.loads(opened.read().decode("utf-8"))
        return Preferences(**{name: value for name, value in content.items() if _fits(name, value)})
    except (OSError, ValueError, AttributeError, RecursionError):
        return Preferences()


def _fits(name: str, value: Any) -> bool:
    choices = {"theme": THEMES, "closing": CLOSINGS}
    kinds = {entry.name: type(entry.default) for entry in fields(Preferences)}
    if name not in kinds or (name in choices and value not in choices[name]):
        return False
    return isinstance(value, kinds[name]) and not (kinds[name] is float and isinstance(value, bool))


def write_preferences(file: Path, preferences: Preferences) -> None:
    """Replace the file atomically. Raises OSError."""
    file = Path(os.path.realpath(file))  # a link stays one
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text(json.dumps(asdict(preferences), indent=1), encoding="utf-8")
    os.replace(fresh, file)
