"""Where REAPER, Ardour and Ableton Live keep scripts, on Windows, macOS and Linux. Read-only.

Every rule is a function of a `HostPlatform`, never of the machine that runs it, so that each system's rules can be
tried on any other.
"""

import contextlib
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_REAPER_SETTINGS = "reaper.ini"
_REAPER_PROGRAMS = ("reaper.exe", "REAPER.app", "reaper")
REAPER_MARKS = (_REAPER_SETTINGS, *_REAPER_PROGRAMS)
_OLDEST_ARDOUR = 7
"""Older versions' Lua lacks functions that our scripts use."""


@dataclass(frozen=True)
class HostPlatform:
    """A user's computer: `system` as in sys.platform, the environment variables, the home folder, the root."""

    system: str
    environment: Mapping[str, str]
    home: Path
    root: Path = Path("/")

    def folder(self, variable: str, otherwise: Path) -> Path:
        """Return the folder that an environment variable names, or else its default."""
        named = self.environment.get(variable)
        return Path(named) if named else otherwise

    @property
    def roaming(self) -> Path:
        return self.folder("APPDATA", self.home / "AppData" / "Roaming")

    @property
    def local(self) -> Path:
        return self.folder("LOCALAPPDATA", self.home / "AppData" / "Local")

    @property
    def config(self) -> Path:
        return self.folder("XDG_CONFIG_HOME", self.home / ".config")


@dataclass(frozen=True)
class ScriptFolder:
    """A folder where a host looks for scripts of one kind: `part` is a key of `parts.PARTS`."""

    part: str
    program: str
    folder: Path
    is_sandboxed: bool = False


# -------------------------------------------------------------------------------------------------- REAPER


def reaper_resources(machine: HostPlatform) -> list[Path]:
    """Return where REAPER's resource path may be, except in portable installations."""
    if machine.system == "win32":
        return [machine.roaming / "REAPER"]
    if machine.system == "darwin":
        return [machine.home / "Library" / "Application Support" / "REAPER"]
    return [
        machine.config / "REAPER",
        machine.home / ".var" / "app" / "fm.reaper.Reaper" / "config" / "REAPER",
    ]


def find_reaper(machine: HostPlatform) -> list[ScriptFolder]:
    installed = [
        ScriptFolder("reaper", "REAPER", found / "Scripts", is_sandboxed=".var" in found.parts)
        for found in reaper_resources(machine)
        if found.is_dir()
    ]
    portable = [
        ScriptFolder("reaper", f"REAPER, portable in {it}", it / "Scripts") for it in _portable_reapers(machine)
    ]
    return [*installed, *portable]


def is_portable_reaper(folder: Path) -> bool:
    """Whether a folder holds REAPER together with its settings, as a portable installation does."""
    return (folder / _REAPER_SETTINGS).is_file() and any((folder / program).exists() for program in _REAPER_PROGRAMS)


def _portable_reapers(machine: HostPlatform) -> Iterator[Path]:
    """Search where people extract programs; elsewhere `--path` names a portable REAPER."""
    for parent in _program_folders(machine):
        for folder in [parent, *_children(parent, r"reaper.*")]:
            if is_portable_reaper(folder):
                yield folder


def _program_folders(machine: HostPlatform) -> list[Path]:
    home = machine.home
    own = [home, home / "Desktop", home / "Documents", home / "Downloads"]
    if machine.system == "win32":
        variables = ("ProgramFiles", "ProgramFiles(x86)", "ProgramW6432", "SystemDrive")
        named = [machine.environment[name] for name in variables if machine.environment.get(name)]
        return [*dict.fromkeys(Path(f"{name}/") for name in named), *own]
    if machine.system == "darwin":
        return [machine.root / "Applications", home / "Applications", *own]
    return [machine.root / "opt", home / "opt", home / "Apps", home / "Applications", *own]


# -------------------------------------------------------------------------------------------------- Ardour


def ardour_parents(machine: HostPlatform) -> list[Path]:
    """Return the folders in which each version of Ardour has its configuration folder."""
    if machine.system == "win32":
        return [machine.local]
    if machine.system == "darwin":
        return [machine.home / "Library" / "Preferences"]
    return [machine.config, machine.home / ".var" / "app" / "org.ardour.Ardour" / "config"]


def find_ardour(machine: HostPlatform) -> list[ScriptFolder]:
    return [
        ScriptFolder("ardour", f"Ardour {version}", folder / "scripts", is_sandboxed=".var" in folder.parts)
        for parent in ardour_parents(machine)
        for folder in _children(parent, r"ardour\d+")
        if (version := int(folder.name[len("ardour") :])) >= _OLDEST_ARDOUR
    ]


# -------------------------------------------------------------------------------------------- Ableton Live


def live_libraries(machine: HostPlatform) -> list[Path]:
    """Return where Live's User Library may be: as Live's preferences say, then the defaults."""
    if machine.system not in ("win32", "darwin"):
        return []
    return [*dict.fromkeys([*_configured_libraries(machine), *_default_libraries(machine)])]


def find_live(machine: HostPlatform) -> list[ScriptFolder]:
    surfaces = [
        ScriptFolder("remote_script", "Ableton Live, control surface", library / "Remote Scripts")
        for library in live_libraries(machine)
        if library.is_dir()
    ]
    extensions = [
        ScriptFolder("extension", "Ableton Live, extension", folder)
        for folder in live_extensions(machine)
        if folder.is_dir()
    ]
    return [*surfaces, *extensions]


def live_extensions(machine: HostPlatform) -> list[Path]:
    """Return where Live 12.4.5 and later may keep extensions; its betas used different folders."""
    if machine.system == "win32":
        return [folder / "Ableton" / "Extensions" for folder in (machine.local, machine.roaming)]
    if machine.system == "darwin":
        return [machine.home / "Library" / "Application Support" / "Ableton" / "Extensions"]
    return []


def _default_libraries(machine: HostPlatform) -> list[Path]:
    if machine.system == "darwin":
        return [machine.home / "Music" / "Ableton" / "User Library"]
    cloud = machine.folder("OneDrive", machine.home / "OneDrive")
    return [folder / "Documents" / "Ableton" / "User Library" for folder in (machine.home, cloud)]


def _configured_libraries(machine: HostPlatform) -> Iterator[Path]:
    """Yield each Live version's User Library, which the musician may have moved to another drive."""
    if machine.system == "darwin":
        parent, inside = machine.home / "Library" / "Preferences" / "Ableton", Path()
    else:
        parent, inside = machine.roaming / "Ableton", Path("Preferences")
    for version in reversed(_children(parent, r"live .*")):
        with contextlib.suppress(OSError):
            text = (version / inside / "Library.cfg").read_text(encoding="utf-8", errors="replace")
            for path in re.findall(r'<ProjectPath\s+Value="([^"]+)"', text):
                library = Path(html.unescape(path)) / "User Library"
                if library.is_dir():
                    yield library


def _children(parent: Path, pattern: str) -> list[Path]:
    """Return the matching folders inside a folder, sorted; none if it cannot be read."""
    try:
        inside = sorted(parent.iterdir())
        return [folder for folder in inside if re.fullmatch(pattern, folder.name, re.IGNORECASE) and folder.is_dir()]
    except OSError:
        return []
