"""How Retake starts itself again, and finds what came with it: from source, installed, or frozen."""

import shutil
import sys
import sysconfig
from pathlib import Path

HOME = Path(__file__).parents[1]
"""The folder to start in: `-m` finds the package there, and nothing in the user's working folder can take its place."""


def own_command(*words: str) -> list[str]:
    """Give the command line of `retake <words>`; frozen, `retake tray` is a program of its own, without a terminal."""
    if getattr(sys, "frozen", False):
        suffix = ".exe" if sys.platform == "win32" else ""
        name, rest = ("retake-tray", words[1:]) if words[:1] == ("tray",) else ("retake", words)
        return [str(Path(sys.executable).with_name(f"{name}{suffix}")), *rest]
    return [sys.executable, "-m", "bridge", *words]


def own_program(name: str) -> Path | None:
    """Find one of our programs, `retake` or `retake-send`, as a file that others can start; None if it is nowhere."""
    file = f"{name}.exe" if sys.platform == "win32" else name
    folders = [Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))]
    folders.append(Path(sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))))
    for folder in folders:
        if (folder / file).is_file():
            return (folder / file).absolute()
    found = shutil.which(name)
    return None if found is None else Path(found).absolute()


def own_folder(name: str) -> Path | None:
    """Find a folder that comes with Retake: in a checkout, in site-packages, or beside the frozen program."""
    if getattr(sys, "frozen", False):
        beside = Path(sys.executable).parent
        parents = [Path(getattr(sys, "_MEIPASS", beside)), beside]
    else:
        parents = [HOME]
    return next((parent / name for parent in parents if (parent / name).is_dir()), None)
