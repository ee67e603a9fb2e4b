"""Takes symbol tables and debug notes out of the bundle's libraries; the loader needs neither."""

import os
import shutil
import subprocess
from pathlib import Path

_ELF = b"\x7fELF"
_WORTH_BYTES = 100_000
"""Smaller files hold next to nothing to take out."""
LEFT_WHOLE = ("libscipy_openblas", "libopenblas", "libgfortran", "libquadmath")
"""Wheels' own tool has rewritten these, in a way that `strip` of some versions breaks."""


def strip_folder(folder: Path) -> int:
    """Strip every library and program in a folder; gives the bytes that were won."""
    if shutil.which("strip") is None:
        return 0
    return sum(strip(path) for path in folder.rglob("*") if is_worth_it(path))


def is_worth_it(path: Path) -> bool:
    """Whether a file is one that `strip` can make smaller: a library of some size, not one of our programs."""
    is_library = path.suffix == ".so" or ".so." in path.name
    if not is_library or path.is_symlink() or path.name.startswith(LEFT_WHOLE) or path.stat().st_size < _WORTH_BYTES:
        return False
    with path.open("rb") as file:
        return file.read(4) == _ELF


def strip(path: Path) -> int:
    """Strip one file, in place and whole or not at all; gives the bytes that were won."""
    before, fresh = path.stat().st_size, path.with_name(f"{path.name}.stripped")
    command = ["strip", "--strip-unneeded", "-o", str(fresh), str(path)]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    if done.returncode == 0 and fresh.stat().st_size < before:
        fresh.chmod(path.stat().st_mode)
        os.replace(fresh, path)
    fresh.unlink(missing_ok=True)
    return before - path.stat().st_size
