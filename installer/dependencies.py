"""What the .deb needs of a Debian system: found in the bundle's libraries, and named by a table that must cover it."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from installer.orphans import needed_libraries

PACKAGES = {
    "ld-linux-x86-64.so.2": "libc6",
    "ld-linux-aarch64.so.1": "libc6",
    "libanl.so.1": "libc6",
    "libc.so.6": "libc6",
    "libdl.so.2": "libc6",
    "libm.so.6": "libc6",
    "libpthread.so.0": "libc6",
    "libresolv.so.2": "libc6",
    "librt.so.1": "libc6",
    "libutil.so.1": "libc6",
    "libgcc_s.so.1": "libgcc-s1",
    "libstdc++.so.6": "libstdc++6",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLX.so.0": "libglx0",
    "libOpenGL.so.0": "libopengl0",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb.so.1": "libxcb1",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libasound.so.2": "libasound2 | libasound2t64",
    "libdrm.so.2": "libdrm2",
    "libgbm.so.1": "libgbm1",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libz.so.1": "zlib1g",
}
"""Libraries that stay the system's, and Debian's package of each."""

OPENED_BY_NAME = ("fontconfig-config", "libportaudio2", "xkb-data")
"""What no library names as needed: settings of fonts, previews (with the system's own sound), the keyboard's keys."""
RECOMMENDED = ("fonts-dejavu-core | fonts-noto-core", "libasound2-plugins | pipewire-alsa")
"""Without a font the window would show boxes; without a bridge to the desktop's sound server previews are silent."""


class LibraryUnknownError(Exception):
    """A library of the system is needed that the table does not name."""

    def __init__(self, needed: dict[str, str]) -> None:
        listed = ", ".join(f"{library} (for {by})" for library, by in sorted(needed.items()))
        super().__init__(f"neither in the bundle nor in the table: {listed}\nhint: see installer/dependencies.py")


def depends(folder: Path) -> tuple[list[str], list[str]]:
    """Return Depends and Recommends for the folder of programs. Raises LibraryUnknownError."""
    needed = system_libraries(folder)
    unknown = {library: by for library, by in needed.items() if library not in PACKAGES}
    if unknown:
        raise LibraryUnknownError(unknown)
    packages = sorted({PACKAGES[library] for library in needed} | set(OPENED_BY_NAME))
    glibc = glibc_version(folder)
    return [f"libc6 (>= {glibc})" if name == "libc6" else name for name in packages], list(RECOMMENDED)


def system_libraries(folder: Path) -> dict[str, str]:
    """Return each library that is needed and not in the folder, with one file that needs it."""
    files = list(_binaries(folder))
    inside = {path.name for path in folder.rglob("*")}
    needed: dict[str, str] = {}
    for path in files:
        for library in needed_libraries(path):
            if library not in inside:
                needed.setdefault(library, path.relative_to(folder).as_posix())
    return needed


def glibc_version(folder: Path) -> str:
    """Return the oldest glibc that has every symbol which the bundle uses."""
    found: set[tuple[int, ...]] = {(2, 17)}
    for path in _binaries(folder):
        versions = re.findall(r"Name: GLIBC_(\d+(?:\.\d+)+)", _readelf("-V", path))
        found |= {tuple(map(int, version.split("."))) for version in versions}
    return ".".join(map(str, max(found)))


def _binaries(folder: Path) -> Iterable[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path


def _readelf(what: str, path: Path) -> str:
    done = subprocess.run(["readelf", "-W", what, str(path)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return done.stdout
