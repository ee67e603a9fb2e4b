"""Finds libraries of the build machine that came along for a plugin which was then left out: nothing asks for them."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

Row = tuple[str, str, str]

OPENED_BY_NAME = ("libpython",)
"""The bootloader opens it; no library names it as needed. PortAudio is the system's, as its sound is (see the .deb)."""


def without_orphans(rows: Iterable[Row]) -> list[Row]:
    """Remove libraries at the top of the bundle that nothing needs, then those that only they needed."""
    left = {row: needed_libraries(Path(row[1])) for row in rows}
    while orphans := _orphans(left):
        for row in orphans:
            del left[row]
    return list(left)


def _orphans(rows: dict[Row, set[str]]) -> list[Row]:
    wanted = set().union(*rows.values())
    return [row for row in rows if row[2] == "BINARY" and _may_go(row[0]) and row[0] not in wanted]


def _may_go(place: str) -> bool:
    return "/" not in place and ".so" in place and not place.startswith(OPENED_BY_NAME)


def needed_libraries(path: Path) -> set[str]:
    """Return the names of the libraries that a library or program says it needs."""
    done = subprocess.run(["readelf", "-W", "-d", str(path)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return set(re.findall(r"\(NEEDED\).*\[(.+)\]", done.stdout))
