"""Changing the daemon's settings file, one line for each setting; comments and unknown lines are kept."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge.host.settings import Settings, load_settings, text_of

Changes = Mapping[str, str | float | bool | None]
"""Settings by name; None restores the built-in value."""


def read_settings(file: Path) -> Settings:
    """Read the settings as the daemon would without flags and environment. Raises SettingsError."""
    return load_settings({"RETAKE_CONFIG": str(file)} if file.exists() else {}, {})


def write_settings(file: Path, changes: Changes) -> None:
    """Set the given settings and keep all other lines. Raises SettingsError before anything is written, or OSError."""
    given = {name: value for name, value in changes.items() if value is not None}
    load_settings({}, given | {"config": str(file) if file.exists() else None})
    text = text_of(file) if file.exists() else ""
    for name, value in changes.items():
        text = _with_line(text, name, value)
    file = Path(os.path.realpath(file))  # a link, such as one into a folder of dotfiles, stays one
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, file)


def _with_line(text: str, name: str, value: Any) -> str:
    """Return the text with the line `name = value` replaced or appended; None removes the line."""
    line = re.compile(rf"^{re.escape(name)}[ \t]*=.*\n?", re.MULTILINE)
    line_text = "" if value is None else f"{name} = {_as_toml(value)}\n"
    if line.search(text):
        return line.sub(lambda _: line_text, text, count=1)
    return text + ("\n" if text and not text.endswith("\n") else "") + line_text


def _as_toml(value: Any) -> str:
    """Return a value as TOML; its basic strings escape as JSON's do."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else json.dumps(value)
