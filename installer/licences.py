"""Collects the licences of everything bundled that is not ours, from what the packages say; fails where one is silent.

The rows of the analyses name every file that goes in; each belongs to us, to an installed distribution, to Python, or
to a package of the system.
"""

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Protocol

from installer.product import HERE, NAME, ROOT, TITLE

FILE = "THIRD-PARTY-LICENCES.txt"
_NAMES = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS|LGPL|GPL|Apache|MIT|BSD)[\w.+-]*", re.IGNORECASE)
_RULE = "=" * 100

NATIVE_PARTS = {
    "soundfile": "Contains libsndfile, LAME, mpg123 (LGPL-2.1-or-later), libFLAC, libogg, libvorbis, libopus (BSD):"
    " https://github.com/bastibe/libsndfile-binaries",
    "soxr": "Contains libsoxr (LGPL-2.1-or-later): https://github.com/dofuuz/soxr",
    "pyside6-essentials": "Qt for Python and Qt 6, used under LGPL-3.0-only as shared libraries that can be replaced:"
    " https://code.qt.io/cgit/pyside/pyside-setup.git, https://code.qt.io/cgit/qt/",
    "shiboken6": "Used under LGPL-3.0-only: https://code.qt.io/cgit/pyside/pyside-setup.git",
    "pyinstaller": "Its bootloader is in each program, which its licence allows for programs under any licence.",
}
"""What a distribution's own metadata leaves out: libraries inside it, and which of its licences we use it under."""


class LicenceMissingError(Exception):
    """Something that is bundled does not say under which licence."""

    def __init__(self, names: Iterable[str]) -> None:
        listed = ", ".join(sorted(names))
        super().__init__(f"no licence is known for {listed}\nhint: leave it out, or see installer/licences.py")


class Analysis(Protocol):
    """PyInstaller's: rows of place, source and type."""

    pure: Iterable[tuple[str, str, str]]
    binaries: Iterable[tuple[str, str, str]]
    datas: Iterable[tuple[str, str, str]]


@dataclass(frozen=True)
class Licence:
    """One entry of the collected file."""

    name: str
    version: str
    terms: str
    """The licence's name, as the package gives it."""
    source: str
    texts: tuple[str, ...]

    @property
    def is_known(self) -> bool:
        return bool(self.terms or self.texts)

    def __str__(self) -> str:
        head = [f"{self.name} {self.version}".rstrip(), f"Licence: {self.terms or 'see below'}"]
        head += [f"Source: {self.source}"] if self.source else []
        return "\n".join([_RULE, *head, _RULE, *self.texts, ""])


def collect(analyses: Iterable[Analysis], target: Path) -> Path:
    """Write the licences of everything in these analyses but what the build has made beside `target` itself.

    Raises LicenceMissingError.
    """
    rows = [row for found in analyses for part in (found.pure, found.binaries, found.datas) for row in part]
    sources = {Path(row[1]) for row in rows if row[1] and row[1] != "-"}
    return write(licences_of({path for path in sources if not path.is_relative_to(target.parent)}), target)


def write(licences: Iterable[Licence], target: Path) -> Path:
    """Write a file of all licences, sorted by name. Raises LicenceMissingError."""
    licences = sorted(licences, key=lambda licence: licence.name.lower())
    silent = [licence.name for licence in licences if not licence.is_known]
    if silent:
        raise LicenceMissingError(silent)
    opening = f"{TITLE} itself is under the Apache License 2.0, see LICENSE. These parts of it are others':\n\n"
    index = "".join(f"  {licence.name} {licence.version}: {licence.terms or 'see below'}\n" for licence in licences)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(opening + index + "\n" + "\n".join(map(str, licences)), encoding="utf-8")
    return target


def licences_of(sources: Iterable[Path]) -> list[Licence]:
    """Find the owners of these files, and return one licence for each; files without an owner get an unknown one."""
    owners, found = _Owners(), {}
    for source in sources:
        licence = owners.licence(source)
        if licence is not None:
            found[licence.name] = licence
    return list(found.values())


def distribution_licence(distribution: metadata.Distribution) -> Licence:
    """Return the licence of an installed distribution, with all texts that it brings."""
    fields, name = distribution.metadata, distribution.metadata["Name"]
    terms = (
        _first_line(fields, "License-Expression") or _first_line(fields, "License") or ", ".join(_classified(fields))
    )
    links = [link.split(",", 1)[1].strip() for link in fields.get_all("Project-URL") or () if "," in link]
    note = NATIVE_PARTS.get(name.lower().replace("_", "-"))
    texts = [note] if note else []
    for file in distribution.files or ():
        path = Path(str(distribution.locate_file(file)))
        if _NAMES.fullmatch(file.name) and file.suffix not in (".py", ".pyc") and path.is_file():
            texts.append(path.read_text(encoding="utf-8", errors="replace").strip())
    source = _first_line(fields, "Home-page") or (links[0] if links else "")
    return Licence(name, distribution.version, terms, source, tuple(dict.fromkeys(texts)))


def python_licence() -> Licence:
    """Return Python's own licence."""
    file = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    text = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    return Licence("Python", sys.version.split()[0], "PSF-2.0", "https://www.python.org", (text,) if text else ())


class _Owners:
    """Who owns which file of this machine."""

    def __init__(self) -> None:
        self._distributions = _distributions_by_file()
        self._python = [Path(sysconfig.get_path("stdlib")).resolve(), Path(sys.base_prefix).resolve()]
        self._known: dict[str, Licence] = {}

    def licence(self, source: Path) -> Licence | None:
        """Return the licence of a file; None for our own."""
        path = source.resolve()
        if str(path) in self._distributions:
            distribution = self._distributions[str(path)]
            return None if distribution.metadata["Name"] == NAME else self._of(distribution)
        if path.is_relative_to(ROOT) or path.is_relative_to(HERE):
            return None
        package = _debian_package(path)
        if package is not None:
            return _system_licence(package)
        if any(path.is_relative_to(folder) for folder in self._python):
            return python_licence()
        return Licence(str(path), "", "", "", ())

    def _of(self, distribution: metadata.Distribution) -> Licence:
        name = distribution.metadata["Name"]
        if name not in self._known:
            self._known[name] = distribution_licence(distribution)
        return self._known[name]


@cache
def _distributions_by_file() -> dict[str, metadata.Distribution]:
    """Return every installed file's distribution; only folders are resolved, for the files are a hundred thousand."""
    found = {}
    for distribution in metadata.distributions():
        folder = os.path.realpath(str(distribution.locate_file("")))
        for file in distribution.files or ():
            found[os.path.normpath(os.path.join(folder, str(file)))] = distribution
    return found


def _system_licence(package: str) -> Licence:
    """Return the licence of a library of the build machine's Debian, by the package that owns it."""
    text = Path("/usr/share/doc") / package / "copyright"
    if not text.is_file():
        return Licence(package, "", "", "", ())
    content = text.read_text(encoding="utf-8", errors="replace").strip()
    terms = ", ".join(dict.fromkeys(re.findall(r"^License: (\S.*)$", content, re.MULTILINE)))
    return Licence(package, "(library of Debian)", terms, f"https://packages.debian.org/{package}", (content,))


def _debian_package(path: Path) -> str | None:
    """Ask dpkg who owns a file, under the name that it has now or had before /lib became a link."""
    names = [str(path), str(path).removeprefix("/usr")]
    try:
        done = subprocess.run(["dpkg-query", "-S", *names], capture_output=True, text=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        return None
    return done.stdout.split(":", 1)[0] if done.stdout else None


def _first_line(fields: metadata.PackageMetadata, key: str) -> str:
    """Return the first line of a field; some packages put a whole licence there."""
    lines = str(fields[key]).strip().splitlines() if key in fields else []
    if not lines or lines[0].upper() == "UNKNOWN" or lines[0].startswith("Copyright"):
        return ""
    return lines[0]


def _classified(fields: metadata.PackageMetadata) -> Iterator[str]:
    for line in fields.get_all("Classifier") or ():
        if line.startswith("License ::"):
            yield line.rsplit(" :: ", 1)[-1]
