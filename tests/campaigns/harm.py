"""Ways to hurt a daemon without hurting the machine: small disks, read-only folders, jumping clocks, stopped processes.

Each raises `CannotBeDoneError` with its reason where the system does not let us.
"""

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHIM = Path(__file__).with_name("clock_shim.c")


class CannotBeDoneError(Exception):
    """This harm is not possible here."""


def _mount(*words: str) -> None:
    try:
        done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    except OSError as error:
        raise CannotBeDoneError(f"mount: {error}") from error
    if done.returncode:
        raise CannotBeDoneError(f"mount: {done.stderr.strip()}")


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of so many kB at `folder` (tmpfs; only root may)."""
    folder.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """A folder that nobody may write to: by its mode for users, by a mount for root, whom modes do not bind."""
    folder.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        _mount("-t", "tmpfs", "-o", "ro,size=32m", "tmpfs", str(folder))
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        return
    folder.chmod(0o555)
    try:
        yield folder
    finally:
        folder.chmod(0o755)


@contextmanager
def no_more_bytes(pid: int, most_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes, as on a disk that is full (RLIMIT_FSIZE, Linux)."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


class JumpingClock:
    """The environment of a process whose time of day can be moved, and the lever."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise CannotBeDoneError("there is no C compiler")
        library = folder / "clock_shim.so"
        command = [compiler, "-shared", "-fPIC", "-o", str(library), str(SHIM), "-ldl"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotBeDoneError(f"the clock could not be built: {done.stderr.strip()[:200]}")
        self._file = folder / "clock_offset"
        self.jump(0)
        self.environment = {"LD_PRELOAD": str(library), "RETAKE_CLOCK_OFFSET_FILE": str(self._file)}

    def jump(self, seconds: int) -> None:
        """From now on it is so much later than it is."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds}\n")
        os.replace(fresh, self._file)


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    """A process that stands still, as by SIGSTOP, or in a laptop whose lid was closed."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:  # somebody put an end to it
            return
