"""How Retake starts itself again, and finds what came with it: from source, installed, or frozen."""

import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

HOME = Path(__file__).parents[2]
"""The folder that holds our packages, and that our processes start in."""

_START = HOME / "_retake_programs.py"
"""What our processes run: it finds our packages also where a user's files have their names."""

_CREATE_NEW_PROCESS_GROUP, _CREATE_NO_WINDOW = 0x0000_0200, 0x0800_0000
"""As in Windows' winbase.h; Python names them on Windows only."""


@dataclass(frozen=True)
class Installation:
    """Where one Retake is: what runs it, and if it is frozen, the folder that its files are unpacked in."""

    executable: Path
    """Python; frozen, the program itself."""
    unpacked: Path | None = None
    """Frozen only."""

    @classmethod
    def running(cls) -> "Installation":
        """Return the one that runs this code."""
        executable = Path(sys.executable)
        if not getattr(sys, "frozen", False):
            return cls(executable)
        return cls(executable, Path(getattr(sys, "_MEIPASS", executable.parent)))


def start_flags(system: str = sys.platform) -> int:
    """Return the `creationflags` of everything that we start on a system: on Windows, a console without a window.

    A program without any console (`DETACHED_PROCESS`) would not do: each console program that it starts gets a new one,
    in a window that a musician may close, and the program with it. The group of its own keeps Ctrl+C from others.
    """
    return _CREATE_NO_WINDOW | _CREATE_NEW_PROCESS_GROUP if system == "win32" else 0


def own_command(*words: str, of: Installation | None = None) -> list[str]:
    """Return the command line of `retake <words>`; frozen, `retake tray` is a program without a terminal."""
    one = of or Installation.running()
    if one.unpacked is not None:
        suffix = ".exe" if sys.platform == "win32" else ""
        name, rest = ("retake-tray", words[1:]) if words[:1] == ("tray",) else ("retake", words)
        return [str(one.executable.with_name(f"{name}{suffix}")), *rest]
    # -P: the script's own folder, site-packages where Retake is installed, shall not come before the standard library
    return [with_console(str(one.executable), sys.platform), "-P", str(_START), *words]


def with_console(python: str, system: str) -> str:
    """Return the Python with a console in place of the one without: what it starts can share that console."""
    path = PureWindowsPath(python)
    return str(path.with_name("python.exe")) if system == "win32" and path.name.lower() == "pythonw.exe" else python


def own_sender(system: str = sys.platform, of: Installation | None = None) -> Path | None:
    """Find the `retake-send` that a DAW's scripts start: on Windows its twin without a window, where that is there."""
    twin = own_program("retake-sendw", system, of) if system == "win32" else None
    return twin or own_program("retake-send", system, of)


def own_program(name: str, system: str = sys.platform, of: Installation | None = None) -> Path | None:
    """Find one of our programs, such as `retake-send`, as a file that others can start; None if it is nowhere."""
    file = f"{name}.exe" if system == "win32" else name
    folders = [(of or Installation.running()).executable.parent, Path(sysconfig.get_path("scripts"))]
    folders.append(Path(sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))))
    for folder in folders:
        if (folder / file).is_file():
            return (folder / file).absolute()
    found = shutil.which(name)
    return None if found is None else Path(found).absolute()


def own_folder(name: str, of: Installation | None = None) -> Path | None:
    """Find a folder that comes with Retake: in a checkout, in site-packages, or beside the frozen program."""
    one = of or Installation.running()
    parents = [HOME] if one.unpacked is None else [one.unpacked, one.executable.parent]
    return next((parent / name for parent in parents if (parent / name).is_dir()), None)
