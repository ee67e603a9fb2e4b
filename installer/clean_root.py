"""`python -m installer.clean_root DEB`: installs the package into a fresh Debian, runs the smoke test there, purges it.

It needs root and debootstrap. What the package leaves behind when it is purged counts as a failure; the musician's own
files must stay.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from installer.product import NAME, ROOT, programs
from installer.stage import HOME

MIRROR = "http://deb.debian.org/debian"
_OURS = ("opt", "usr/bin", "usr/share/applications", "usr/share/icons", "usr/share/doc/retake", "etc/xdg")
_FRESH = {"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


class CleanRootError(Exception):
    """The package did not install, run or leave as it should."""


def main(argv: Sequence[str] | None = None) -> int:
    """Install, run and purge: 0 all is well, 1 something is not."""
    parser = argparse.ArgumentParser(prog="python -m installer.clean_root", description=__doc__)
    parser.add_argument("package", type=Path, metavar="DEB")
    parser.add_argument("--root", type=Path, metavar="FOLDER", help="a system made by debootstrap before; it is kept")
    parser.add_argument("--suite", default="bookworm", help="Debian's release (default bookworm)")
    parser.add_argument("--mirror", default=MIRROR, help=f"where Debian comes from (default {MIRROR})")
    options, smoke_words = parser.parse_known_args(argv)
    if os.geteuid() != 0 or (options.root is None and shutil.which("debootstrap") is None):
        print("a clean root needs root's rights and debootstrap\nhint: apt-get install debootstrap", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        root = options.root or Path(scratch, "root")
        try:
            if options.root is None:
                _call("debootstrap", "--variant=minbase", options.suite, str(root), options.mirror)
            visit(root.absolute(), options.package, smoke_words)
        except CleanRootError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def visit(root: Path, package: Path, smoke_words: Sequence[str] = ()) -> None:
    """Install the package in the system under `root`, use it there, and take it away. Raises CleanRootError."""
    if (found := shutil.which("python3", path=str(root / "usr" / "bin"))) is not None:
        raise CleanRootError(f"{found} is there: this root is not clean")
    shutil.rmtree(root / HOME, ignore_errors=True)
    before = _files(root)
    _call("mount", "-t", "proc", "proc", str(root / "proc"))
    try:
        _install(root, package)
        _call(sys.executable, "-m", "installer.smoke", "--chroot", str(root), *smoke_words)
        _call("chroot", str(root), "dpkg", "--purge", NAME)
    finally:
        _call("umount", str(root / "proc"))
    left = sorted(_files(root) - before)
    if left:
        raise CleanRootError(f"purged, and still there: {', '.join(left[:5])}")
    if not (root / HOME / "rain.wav").is_file():
        raise CleanRootError("purging the package took the musician's takes away")
    print("installed, ran, purged; nothing is left but the musician's files")


def _install(root: Path, package: Path) -> None:
    shutil.copyfile(package, root / "tmp" / package.name)
    shutil.copyfile("/etc/resolv.conf", root / "etc" / "resolv.conf")
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", f"/tmp/{package.name}"]  # noqa: S108
    _call("chroot", str(root), *install)
    (root / "tmp" / package.name).unlink()
    for program in programs():
        if not (root / "usr" / "bin" / program.name).is_symlink():
            raise CleanRootError(f"{program.name} is not on the path")


def _files(root: Path) -> set[str]:
    """List what is found where the package puts files, except what its dependencies have there."""
    found = {path.relative_to(root).as_posix() for name in _OURS for path in (root / name).rglob("*")}
    return {name for name in found if NAME in name}


def _call(*words: str) -> None:
    print("+", *words, flush=True)
    done = subprocess.run(words, env=os.environ | _FRESH, cwd=ROOT, check=False)  # noqa: S603
    if done.returncode != 0:
        raise CleanRootError(f"{words[0]} ended with {done.returncode}")


if __name__ == "__main__":
    raise SystemExit(main())
