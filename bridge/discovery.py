"""Where the daemon is: a lock that only one daemon per user can hold, and a runtime file (0600) that clients read."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_LOCK_FILE = "daemon.lock"
_RUNTIME_FILE = "runtime.json"
_PATIENCE_S = 1.0
"""How long a daemon that has the lock may take to write its runtime file."""


@dataclass(frozen=True)
class Runtime:
    """Where a running daemon listens, and the token that lets a client give it commands."""

    host: str
    port: int
    pid: int
    version: str
    token: str


def state_folder(environment: Mapping[str, str]) -> Path:
    """Give the folder of runtime file, lock, journal and log: RETAKE_STATE_DIR, or where the system keeps such things.

    No setting can move it, since every client has to find it. platformdirs says the same, but would cost each call of
    `retake-send` a tenth of its time.
    """
    if environment.get("RETAKE_STATE_DIR"):
        return Path(environment["RETAKE_STATE_DIR"]).absolute()
    home = Path.home()
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / "retake"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "retake"
    return Path(environment.get("XDG_STATE_HOME") or home / ".local" / "state") / "retake"


def runtime_file(folder: Path) -> Path:
    return folder / _RUNTIME_FILE


def lock_file(folder: Path) -> Path:
    return folder / _LOCK_FILE


class InstanceLock:
    """Held by the one daemon (or render process) of a user, for its whole life; when it dies the system lets go."""

    def __init__(self, folder: Path, name: str = _LOCK_FILE) -> None:
        self._path = folder / name
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Take the lock; False when another process holds it."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
        if not _try_lock(file):
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _try_lock(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def write_runtime(folder: Path, runtime: Runtime) -> None:
    """Publish where the daemon is, whole and readable by its user only."""
    fresh = folder / f"{_RUNTIME_FILE}.{runtime.pid}"
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(runtime), file)
    os.replace(fresh, runtime_file(folder))


def remove_runtime(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        runtime_file(folder).unlink()


def read_runtime(folder: Path) -> Runtime | None:
    """Read the runtime file, whether or not its daemon still lives."""
    try:
        return Runtime(**json.loads(runtime_file(folder).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def find_daemon(folder: Path) -> Runtime | None:
    """Tell where the running daemon is; None when none runs, also if a dead one left its runtime file behind."""
    runtime = read_runtime(folder)
    if runtime is None or not _is_alive(runtime.pid):
        return None
    probe = InstanceLock(folder)
    if probe.acquire():
        probe.release()
        return None
    return runtime


def wait_for_daemon(folder: Path, seconds: float = _PATIENCE_S) -> Runtime | None:
    """Tell where the daemon is, giving one that is just starting a moment to publish it."""
    deadline = time.monotonic() + seconds
    while True:
        runtime = find_daemon(folder)
        if runtime is not None or time.monotonic() > deadline:
            return runtime
        time.sleep(0.02)


def wait_for_end(folder: Path, seconds: float) -> None:
    """Wait until the daemon that was told to stop has let go of everything."""
    deadline = time.monotonic() + seconds
    while find_daemon(folder) is not None and time.monotonic() < deadline:
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    """Whether a process of that number exists; on Windows, where asking would harm it, the lock alone decides."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
