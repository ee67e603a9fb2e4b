"""Starting Retake when its user logs in: an XDG desktop entry, a LaunchAgent, or a value of Windows' Run key."""

import contextlib
import plistlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bridge.daw_install.hosts import HostPlatform

if sys.platform == "win32":
    import winreg

NAME = "retake"
LABEL = "org.retake.tray"
RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"


def entry_file(machine: HostPlatform) -> Path | None:
    """Return the file that starts Retake at login; None on Windows, which has a registry value instead."""
    if machine.system == "darwin":
        return machine.home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    if machine.system == "win32":
        return None
    return machine.config / "autostart" / f"{NAME}.desktop"


def desktop_entry(command: Sequence[str], folder: Path) -> str:
    """Return the XDG desktop entry that runs `command` in `folder`."""
    lines = {
        "Type": "Application",
        "Version": "1.5",
        "Name": "Retake",
        "Comment": "Text-guided sound in your audio workstation",
        "Exec": _as_value(" ".join(map(_quoted, _nameable(command)))),
        "Path": _as_value(str(folder)),
        "Icon": NAME,
        "Terminal": "false",
        "Categories": "AudioVideo;Audio;",
        "StartupNotify": "false",
        "X-GNOME-Autostart-enabled": "true",
    }
    return "[Desktop Entry]\n" + "".join(f"{key}={value}\n" for key, value in lines.items())


def _as_value(text: str) -> str:
    """Return a text as the value of a key, escaped so that it stays on one line."""
    for sign, escape in (("\\", r"\\"), ("\n", r"\n"), ("\r", r"\r"), ("\t", r"\t")):
        text = text.replace(sign, escape)
    return r"\s" + text[1:] if text.startswith(" ") else text


def _nameable(command: Sequence[str]) -> Sequence[str]:
    """Return a command whose program an entry can name: `=` is not allowed there, and GLib finds no path with `%`."""
    is_nameable = not Path(command[0]).is_absolute() or set(command[0]).isdisjoint("=%")
    return command if is_nameable else ["/bin/sh", "-c", 'exec "$0" "$@"', *command]


def _quoted(word: str) -> str:
    """Quote a word of an Exec line, where percent signs are doubled."""
    text = word.replace("%", "%%")
    if text and not set(text) & set(" \t\n\r\"'\\><~|&;$*?#()`"):
        return text
    for sign in ("\\", '"', "`", "$"):
        text = text.replace(sign, f"\\{sign}")
    return f'"{text}"'


def launch_agent(command: Sequence[str], folder: Path) -> bytes:
    """Return the LaunchAgent that runs `command` in `folder` once at login."""
    content = {
        "Label": LABEL,
        "ProgramArguments": list(command),
        "WorkingDirectory": str(folder),
        "RunAtLoad": True,
        "ProcessType": "Interactive",
    }
    return plistlib.dumps(content)


def run_value(command: Sequence[str]) -> str:
    """Return the value of Windows' Run key."""
    return subprocess.list2cmdline(command)


class Autostart:
    """Turns starting at login on and off; runs `command` in `folder`."""

    def __init__(self, machine: HostPlatform, command: Sequence[str], folder: Path) -> None:
        self._machine = machine
        self._command = command
        self._folder = folder

    @property
    def is_on(self) -> bool:
        file = entry_file(self._machine)
        return _has_run_value() if file is None else file.exists()

    def switch(self, *, on: bool) -> None:
        """Write or remove the entry. Raises OSError."""
        file = entry_file(self._machine)
        if file is None:
            _set_run_value(run_value(self._command) if on else None)
        elif not on:
            file.unlink(missing_ok=True)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self._content())

    def _content(self) -> bytes:
        if self._machine.system == "darwin":
            return launch_agent(self._command, self._folder)
        return desktop_entry(self._command, self._folder).encode(errors="surrogateescape")


def _has_run_value() -> bool:
    if sys.platform == "win32":
        with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_CURRENT_USER, RUN_KEY) as key:
            winreg.QueryValueEx(key, NAME)
            return True
    return False


def _set_run_value(value: str | None) -> None:
    if sys.platform == "win32":
        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, RUN_KEY) as key:
            if value is not None:
                winreg.SetValueEx(key, NAME, 0, winreg.REG_SZ, value)
            else:
                with contextlib.suppress(FileNotFoundError):
                    winreg.DeleteValue(key, NAME)
