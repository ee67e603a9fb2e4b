"""What is installed where: a row for each kind of script, and a row for each host. New scripts are added here."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bridge.daw_install.ardour_scripts import assembled_scripts
from bridge.daw_install.errors import ScriptsMissingError
from bridge.daw_install.hosts import (
    REAPER_MARKS,
    HostPlatform,
    ScriptFolder,
    ardour_parents,
    find_ardour,
    find_live,
    find_reaper,
    live_libraries,
    reaper_resources,
)
from bridge.daw_install.reapack import reapack_folder
from bridge.host.program import own_folder

SHIPPED = "daw_scripts"
TABLE = "operations.json"
"""The table of operations, which scripts read for their labels, limits and defaults."""


@dataclass(frozen=True)
class ScriptSet:
    """Scripts of one kind: which files of `daw_scripts/<source>`, and the folder of their own that they get, if any.

    `shared` names files of `daw_scripts/shared` that are copied beside them. Where `build` is given, it makes the files
    from `daw_scripts` instead, by their names.
    """

    source: str
    patterns: tuple[str, ...]
    own_folder: str = ""
    work_folder: str = ""
    """Where the scripts keep temporary files, relative to their folder."""
    shared: tuple[str, ...] = ()
    build: Callable[[Path], dict[str, bytes]] | None = None


PARTS = {
    "reaper": ScriptSet("reaper/Retake", ("*.lua", "modules/*.lua"), "Retake", "../../Data/Retake", (TABLE,)),
    "ardour": ScriptSet("ardour", (), build=assembled_scripts),
    "remote_script": ScriptSet("ableton/remote_script/Retake", ("*.py",), "Retake", shared=(TABLE,)),
    "extension": ScriptSet("ableton/extension", (), "retake.retake"),
}
"""Live's extension has no files here: Ableton's SDK may not be passed on, so musicians build it with their own."""


@dataclass(frozen=True)
class Host:
    """A DAW: its name, how it is found, where that searches, and what `--path` means for it."""

    name: str
    find: Callable[[HostPlatform], list[ScriptFolder]]
    looks_in: Callable[[HostPlatform], list[Path]]
    folders: dict[str, str]
    """Its folders for scripts by name, and the part that goes there; a folder of another name gets the first one."""
    marks: tuple[str, ...]
    """What is in the folder around them: any of these shows that it is the host's."""


HOSTS = {
    "reaper": Host("REAPER", find_reaper, reaper_resources, {"Scripts": "reaper"}, REAPER_MARKS),
    "ardour": Host("Ardour", find_ardour, ardour_parents, {"scripts": "ardour"}, ("config", "ui_config")),
    "ableton": Host(
        "Ableton Live",
        find_live,
        live_libraries,
        {"Remote Scripts": "remote_script", "Extensions": "extension"},
        ("Ableton Folder Info", "Presets", "Defaults", "Remote Scripts", "Extensions"),
    ),
}


def named_place(host: Host, path: Path) -> ScriptFolder:
    """Return the place that `--path` names: a folder for scripts, the folder around it, or the program in that one."""
    folder = path.parent if path.is_file() or path.suffix == ".app" else path
    if folder.name in host.folders:
        return ScriptFolder(host.folders[folder.name], host.name, folder)
    name, part = next(iter(host.folders.items()))
    return ScriptFolder(part, host.name, folder / name)


def is_familiar(host: Host, place: ScriptFolder) -> bool:
    """Whether a place looks like the host's; a typing error in `--path` would put scripts where no host finds them."""
    return any((place.folder.parent / mark).exists() for mark in host.marks)


def target_folder(place: ScriptFolder) -> Path:
    return place.folder / PARTS[place.part].own_folder


def _shipped_folder() -> Path | None:
    """Return the folder of all scripts; RETAKE_DAW_SCRIPTS overrides it, such as for changed scripts."""
    named = os.environ.get("RETAKE_DAW_SCRIPTS")
    return own_folder(SHIPPED) if not named else Path(named) if Path(named).is_dir() else None


def source_folder(place: ScriptFolder) -> Path:
    """Return the folder that a part is copied from. Raises ScriptsMissingError."""
    shipped = _shipped_folder()
    if shipped is None:
        raise ScriptsMissingError(SHIPPED)
    return shipped / PARTS[place.part].source


def shipped_files(place: ScriptFolder) -> dict[str, bytes]:
    """Return what goes into a place, by names with slashes on every system. Raises ScriptsMissingError."""
    part, source = PARTS[place.part], source_folder(place)
    shipped = source.parents[len(Path(part.source).parts) - 1]
    try:
        found = _copied_files(part, source, shipped) if part.build is None else part.build(shipped)
    except OSError as error:
        raise ScriptsMissingError(str(error.filename), kind="file") from error
    if not found:
        raise ScriptsMissingError(f"{SHIPPED}/{part.source}")
    return found


def _copied_files(part: ScriptSet, source: Path, shipped: Path) -> dict[str, bytes]:
    files = {file for pattern in part.patterns for file in source.glob(pattern) if file.is_file()}
    scripts = sorted(
        file for file in files if not file.name.startswith("._")
    )  # macOS writes such files to other file systems
    shared = [shipped / "shared" / name for name in part.shared] if scripts else []
    return {file.relative_to(source).as_posix(): file.read_bytes() for file in scripts} | {
        file.name: file.read_bytes() for file in shared
    }


def others_folder(place: ScriptFolder) -> Path | None:
    """Return the folder of a part's scripts that another program, so far ReaPack, keeps up to date here."""
    return reapack_folder(place.folder) if place.part == "reaper" else None


def extension_storage(place: ScriptFolder) -> Path:
    """Return the folder that Live lets our extension read."""
    return place.folder.with_name("Extensions Data") / PARTS["extension"].own_folder


def remaining_clicks(host: str, part: str) -> str:
    """Return the remaining steps in a host, from between two comments of its README, as plain text."""
    shipped = _shipped_folder()
    page = None if shipped is None else shipped / host / "README.md"
    if page is None or not page.is_file():
        return ""
    text = page.read_text(encoding="utf-8")
    found = re.search(rf"<!-- clicks: {part} -->\n(.*?)<!-- /clicks -->", text, re.DOTALL)
    return found[1].replace("*", "").strip("\n") if found else ""
