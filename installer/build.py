"""`python -m installer.build`: makes the folder of programs and this system's packages, in `dist/`, with their sums."""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from installer import linux_packages, stripping
from installer.dependencies import LibraryUnknownError
from installer.product import HERE, NAME, ROOT, VERSION

SUMS = "SHA256SUMS"
_NEEDED = ("PyInstaller", "torch", "transformers", "soundfile", "PySide6", "sounddevice")
_FOREIGN = ("pytest", "diffusers", "mypy")
"""Packages of the tests: a venv that has them would not show that the bundle works without."""


def main(argv: Sequence[str] | None = None) -> int:
    """Build; 0 done, 1 a tool failed or something is missing."""
    parser = argparse.ArgumentParser(prog="python -m installer.build", description=__doc__)
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="folder of the results (default dist)")
    parser.add_argument("--work", type=Path, default=ROOT / "build", help="folder of what is made on the way")
    parser.add_argument("--folder-only", action="store_true", help="stop when the programs are there, make no packages")
    parser.add_argument("--packages-only", action="store_true", help="make packages of the programs that are there")
    parser.add_argument("--quick", action="store_true", help="press the .deb less hard, to try it")
    options = parser.parse_args(argv)
    complaint = missing()
    if complaint:
        print(complaint, file=sys.stderr)
        return 1
    folder = options.dist / NAME
    try:
        if not options.packages_only:
            _timed("programs", lambda: build_folder(options.dist, options.work))
        made = [] if options.folder_only else build_packages(folder, options)
    except LibraryUnknownError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"{error.cmd[0]} ended with {error.returncode}; what it said is above", file=sys.stderr)
        return 1
    write_sums(made, options.dist / SUMS)
    print(f"{folder}: {folder_size(folder) / 1e6:.1f} MB")
    for path in made:
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return 0


def missing() -> str:
    """Say what this Python lacks, or has too much of; empty when it can build."""
    absent = [name for name in _NEEDED if find_spec(name) is None]
    if absent:
        return (
            f"this Python has no {', '.join(absent)}\n"
            'hint: python3 -m venv .venv-build && .venv-build/bin/pip install -c constraints.txt ".[desktop,installer]"'
        )
    present = [name for name in _FOREIGN if find_spec(name) is not None]
    if present:
        return f"this Python has {', '.join(present)}, which are for tests\nhint: build with a venv of its own"
    return ""


def build_folder(dist: Path, work: Path) -> None:
    """Run PyInstaller on the spec, and take out of the libraries what only a debugger reads."""
    environment = os.environ | {"PYTHONHASHSEED": "1", "SOURCE_DATE_EPOCH": str(epoch_s())}
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", str(dist), "--workpath", str(work / "pyinstaller"), str(HERE / "retake.spec")]
    subprocess.run(command, check=True, cwd=ROOT, env=environment)  # noqa: S603
    if sys.platform.startswith("linux"):
        stripping.strip_folder(dist / NAME)


def build_packages(folder: Path, options: argparse.Namespace) -> list[Path]:
    """Make this system's packages of the folder of programs."""
    dist: Path = options.dist
    if sys.platform == "win32":
        return [_windows_installer(folder, dist)]
    if sys.platform == "darwin":
        image = dist / f"{NAME}-{VERSION}-macos-{os.uname().machine}.dmg"
        subprocess.run([str(HERE / "macos" / "make_dmg.sh"), str(dist / "Retake.app"), str(image)], check=True)  # noqa: S603
        return [image]
    level = linux_packages.QUICK_LEVEL if options.quick else linux_packages.XZ_LEVEL
    archive, package = dist / linux_packages.archive_name(), dist / linux_packages.package_name()
    _timed(archive.name, lambda: linux_packages.write_archive(folder, archive, epoch_s()))
    _timed(package.name, lambda: linux_packages.write_package(folder, package, options.work / "deb", epoch_s(), level))
    return [archive, package]


def _windows_installer(folder: Path, dist: Path) -> Path:
    compiler = shutil.which("ISCC") or r"C:\Program Files (x86)\Inno Setup 6\ISCC.exe"
    defines = [f"/DVersion={VERSION}", f"/DFolder={folder}", f"/O{dist}"]
    subprocess.run([compiler, *defines, str(HERE / "windows" / "retake.iss")], check=True)  # noqa: S603
    return dist / f"{NAME}-{VERSION}-windows-setup.exe"


def epoch_s() -> int:
    """Return the timestamp written into the packages: SOURCE_DATE_EPOCH, or that of the last commit."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    asked = ["git", "log", "-1", "--format=%ct"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    return int(done.stdout) if done.stdout.strip() else 0


def write_sums(files: Sequence[Path], target: Path) -> None:
    """Write what `sha256sum --check` reads."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(files)]
    if lines:
        target.write_text("".join(lines), encoding="utf-8")


def folder_size(folder: Path) -> int:
    """Add up the bytes of the files in a folder; links count nothing."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _timed(what: str, work: object) -> None:
    assert callable(work)
    began = time.monotonic()
    work()
    print(f"{what}: {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
