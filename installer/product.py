"""What the product is called everywhere: its name, version, ids and programs; each is written down here only."""

import sys
from dataclasses import dataclass
from pathlib import Path

from bridge import __version__

ROOT = Path(__file__).parents[1]
"""The checkout that is packed."""
HERE = ROOT / "installer"

NAME = "retake"
TITLE = "Retake"
SUMMARY = "text-guided sound in your audio workstation"
VERSION = __version__
BUNDLE_ID = "org.retake.tray"
"""As in the LaunchAgent that the tray app writes."""
WINDOWS_APP_ID = "6C0E7A53-8B0F-4E56-9D2B-6C3A1E9A4F70"
"""By which Windows knows that a later version is the same product; never to be changed."""
MAINTAINER = "The Retake authors <retake@localhost>"


@dataclass(frozen=True)
class Program:
    """One of the programs in the folder: its name, the script it starts with, and whether it has a terminal."""

    name: str
    script: str
    has_terminal: bool

    @property
    def file(self) -> str:
        return f"{self.name}.exe" if sys.platform == "win32" else self.name


RETAKE = Program("retake", "entry/retake.py", has_terminal=True)
SEND = Program("retake-send", "entry/retake_send.py", has_terminal=True)
SENDW = Program("retake-sendw", "entry/retake_sendw.py", has_terminal=False)
"""The twin of `retake-send` that DAWs start on Windows, where a program with a terminal opens a window."""
TRAY = Program("retake-tray", "entry/retake_tray.py", has_terminal=False)


def has_tray(root: Path = ROOT) -> bool:
    """Whether this checkout has the tray app."""
    return (root / "bridge" / "desktop" / "__init__.py").is_file()


def programs(root: Path = ROOT, system: str = sys.platform) -> tuple[Program, ...]:
    """Return the programs that are built from this checkout on a system."""
    senders = (SEND, SENDW) if system == "win32" else (SEND,)
    return (RETAKE, *senders, TRAY) if has_tray(root) else (RETAKE, *senders)


def icon(system: str = sys.platform) -> str:
    """Return the icon's file, in the form that a system's programs have."""
    kinds = {"win32": "ico", "darwin": "icns"}
    return str(HERE / "icons" / f"{NAME}.{kinds.get(system, 'png')}")


def windows_version(folder: Path) -> str | None:
    """Write what Windows shows as a program's properties; None elsewhere."""
    if sys.platform != "win32":
        return None
    numbers = ", ".join([*[*VERSION.split("."), "0", "0"][:3], "0"])
    strings = {"ProductName": TITLE, "FileDescription": f"{TITLE}: {SUMMARY}", "ProductVersion": VERSION}
    entries = ", ".join(f"StringStruct('{name}', '{value}')" for name, value in strings.items())
    file = folder / "version.txt"
    file.write_text(
        f"VSVersionInfo(ffi=FixedFileInfo(filevers=({numbers}), prodvers=({numbers})), kids=[StringFileInfo(["
        f"StringTable('040904B0', [{entries}])]), VarFileInfo([VarStruct('Translation', [1033, 1200])])])",
        encoding="utf-8",
    )
    return str(file)
