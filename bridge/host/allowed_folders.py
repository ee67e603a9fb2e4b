"""Which folders of this computer may receive results: the user's own ones, and nothing hidden or of the system.

Every rule is a function of a `FolderPlatform` and of paths that are resolved already, so that each system's
rules can be tried on any other. Only reads; nothing is changed.
"""

import contextlib
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from bridge.host.discovery import state_folder

PROJECT_MARKS = (".rpp", ".ardour", ".als")
"""Endings of the projects of REAPER, Ardour and Live."""
REAPER_MARK = "reaper.ini"
"""A file of REAPER's resource folder, below which its scripts keep their files, wherever that is."""

_PROJECT_DEPTH = 3
"""How far below a project its folders are looked for: `song/retake/takes`."""
_ENTRIES_LOOKED_AT = 5_000

_SYSTEM_FOLDERS = {
    "linux": "bin boot dev etc lib lib32 lib64 libx32 nix opt proc run sbin snap sys usr var",
    "darwin": "Applications Library System Users bin cores dev etc opt private sbin usr var",
}
_VOLUMES = {"linux": "media mnt run/media", "darwin": "Volumes"}
_TEMPORARY = ("tmp", "var/tmp")


@dataclass(frozen=True)
class FolderPlatform:
    """What the rules depend on: `system` as in sys.platform, the environment, and where its user keeps things."""

    system: str
    environment: Mapping[str, str]
    home: Path
    music: Path
    temporary: Path
    root: Path = Path("/")
    user: int | None = None

    @classmethod
    def this_one(cls) -> "FolderPlatform":
        return cls(
            "linux" if sys.platform not in ("win32", "darwin") else sys.platform,
            os.environ,
            Path.home(),
            platformdirs.user_music_path(),
            Path(tempfile.gettempdir()),
            Path(Path.home().anchor),
            None if sys.platform == "win32" else os.geteuid(),
        )


@dataclass(frozen=True)
class AllowedFolders:
    """Folders with all that is below them; where one is inside another, the inner one decides."""

    machine: FolderPlatform
    open: frozenset[Path] = field(init=False)
    closed: frozenset[Path] = field(init=False)

    def __post_init__(self) -> None:
        closed = frozenset(map(real, _closed(self.machine)))
        opened = frozenset(map(real, _open(self.machine))) - closed
        object.__setattr__(self, "closed", closed)
        object.__setattr__(self, "open", frozenset(outer for outer in opened if outer != outer.parent))

    def allow(self, folder: Path) -> bool:
        """Whether results may be written to a folder, which is resolved already and need not exist yet."""
        return self._is_open(folder) or self._is_of_a_project(folder)

    def _is_open(self, folder: Path) -> bool:
        around = [outer for outer in self.open | self.closed if is_below(folder, outer, self.machine.system)]
        if not around:
            return self._is_the_users(folder)
        nearest = max(around, key=lambda outer: len(outer.parts))
        return nearest in self.open and not _is_hidden(folder.parts[len(nearest.parts) :])

    def _is_the_users(self, folder: Path) -> bool:
        """Outside all that is known here, a folder has to belong to the user; Windows guards its own ones itself."""
        if _is_hidden(folder.parts):
            return False
        if self.machine.system == "win32":
            return folder != Path(self.machine.root)
        for outer in (folder, *folder.parents[:-1]):
            with contextlib.suppress(OSError):
                return outer != outer.parent and os.stat(outer).st_uid == self.machine.user
        return False

    def _is_of_a_project(self, folder: Path) -> bool:
        """Whether a folder is inside a DAW's project, or among REAPER's own files, with nothing hidden in between."""
        around = (folder, *folder.parents)[: _PROJECT_DEPTH + 1]
        for number, outer in enumerate(around):
            if outer == outer.parent or outer == real(self.machine.home):
                return False
            if _holds_project(outer):
                return not _is_hidden(folder.parts[len(folder.parts) - number :])
        return False


def real(path: Path) -> Path:
    """Return where a path leads, all links followed; its last parts need not exist."""
    return Path(os.path.realpath(path))


def is_below(path: Path, folder: Path, system: str) -> bool:
    """Whether a resolved path is a folder or inside it; some systems do not tell upper from lower case."""
    if system == "linux":
        return path.is_relative_to(folder)
    return Path(str(path).casefold()).is_relative_to(str(folder).casefold())


def _open(machine: FolderPlatform) -> Iterator[Path]:
    yield from (machine.home, machine.music, machine.temporary)
    if machine.system == "win32":
        return
    for name in (*_TEMPORARY, *_VOLUMES[machine.system].split()):
        yield machine.root / name


def _closed(machine: FolderPlatform) -> Iterator[Path]:
    environment = machine.environment
    yield state_folder(environment)
    if machine.system == "win32":
        names = ("SystemRoot", "ProgramFiles", "ProgramFiles(x86)", "ProgramW6432", "ProgramData")
        yield from (Path(environment[name]) for name in names if environment.get(name))
        yield machine.home.parent  # of all users
        roaming = Path(environment.get("APPDATA") or machine.home / "AppData" / "Roaming")
        yield roaming / "Microsoft" / "Windows" / "Start Menu"
        return
    yield from (machine.root / name for name in _SYSTEM_FOLDERS[machine.system].split())
    if environment.get("XDG_CONFIG_HOME"):
        yield Path(environment["XDG_CONFIG_HOME"])
    if machine.system == "darwin":
        private = ("LaunchAgents", "LaunchDaemons", "Keychains", "Preferences")
        yield from (machine.home / "Library" / name for name in private)


def _is_hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") for part in parts)


def _holds_project(folder: Path) -> bool:
    """Whether a project that this user may change is in a folder; of very full folders only a part is read."""
    try:
        with os.scandir(folder) as entries:
            return any(map(_is_project, itertools.islice(entries, _ENTRIES_LOOKED_AT)))
    except OSError:
        return False


def _is_project(entry: os.DirEntry[str]) -> bool:
    name = entry.name.lower()
    has_mark = name == REAPER_MARK or name.endswith(PROJECT_MARKS)
    return has_mark and entry.is_file(follow_symlinks=False) and os.access(entry.path, os.W_OK)
