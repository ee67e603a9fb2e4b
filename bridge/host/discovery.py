"""Where the daemon is: a lock that only one daemon per user can hold, and a runtime file (0600) that clients read.

A client that checks whether the lock is held shares it for that moment, so that checks disturb neither each other nor a
daemon that starts. Three rules ensure that the runtime file belongs to the daemon which holds the lock:
1. A daemon removes what an earlier one left before it takes the lock, while no process holds it.
2. It writes its own file while it holds the lock, and removes it before it releases the lock.
3. A client checks the lock first, and reads the file then.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from bridge.host.plain_file import AT_ONCE, open_plain

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_LOCK_FILE = "daemon.lock"
_RUNTIME_FILE = "runtime.json"
_PATIENCE_S = 1.0
"""How long to wait for a daemon that has the lock to write its runtime file."""
_START_PATIENCE_S = 0.5
"""How long a daemon that starts waits for the lock."""
_RETRY_S = 0.002
_MAX_BYTES = 65_536
_FACTS = ("host", "port", "pid", "version", "token")


@dataclass(frozen=True)
class Runtime:
    """Where a running daemon listens, and the token that lets a client give it commands.

    `found_in` is the folder in which it was found, to check later whether it is still there.
    """

    host: str
    port: int
    pid: int
    version: str
    token: str
    found_in: Path | None = field(default=None, repr=False, compare=False)

    def facts(self) -> dict[str, Any]:
        """Return what the runtime file holds."""
        return {name: getattr(self, name) for name in _FACTS}


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of runtime file, lock, journal and log: RETAKE_STATE_DIR, or the system's place for such.

    No setting can move it, since every client has to find it. platformdirs knows the same folders, but importing it
    would take a tenth of the time of each call of `retake-send`.
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
    """Held by the one daemon (or render process) of a user, for its whole life; when it dies the system releases it."""

    def __init__(self, folder: Path, name: str = _LOCK_FILE) -> None:
        self._path = folder / name
        self._file: IO[bytes] | None = None

    def acquire(self, patience_s: float = 0.0) -> bool:
        """Take the lock; False when another process holds it, or others kept checking it for `patience_s`."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        deadline = time.monotonic() + patience_s
        while not _try_lock(file):
            if time.monotonic() > deadline:
                file.close()
                return False
            time.sleep(_RETRY_S)
        self._file = file
        return True

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def become_daemon(folder: Path, patience_s: float = _START_PATIENCE_S) -> InstanceLock | None:
    """Take the daemon's lock, with nothing left of a runtime file before; None when there is a daemon already.

    Waits for a daemon that is just ending, and for clients that check whether there is one. Raises OSError.
    """
    lock = InstanceLock(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _shared_lock(lock_file(folder)) as is_free:
        if is_free:
            remove_runtime(folder)
    if not lock.acquire(patience_s):
        return None
    remove_runtime(folder)  # of a daemon that came and was killed in between
    return lock


def is_daemon_locked(folder: Path) -> bool:
    """Whether a daemon holds the lock of a folder; makes no file."""
    path = lock_file(folder)
    if not path.exists():
        return False
    with _shared_lock(path) as is_free:
        return not is_free


if sys.platform == "win32":

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            if os.fstat(file.fileno()).st_size == 0:
                file.write(b"1")  # what is locked has to exist: a client that checks tries to read it
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    @contextlib.contextmanager
    def _shared_lock(path: Path) -> Iterator[bool]:
        """Yield whether no process holds a lock. Windows does not let others read what is locked, so reading tells."""
        try:
            with path.open("rb", buffering=0) as file:
                file.read(1)
        except FileNotFoundError:
            yield True
        except OSError:
            yield False
        else:
            yield True

else:

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    @contextlib.contextmanager
    def _shared_lock(path: Path) -> Iterator[bool]:
        """Yield whether no process holds a lock; none can take it as long as this lasts."""
        try:
            descriptor = os.open(path, os.O_RDONLY | AT_ONCE)
        except FileNotFoundError:
            yield True
            return
        try:
            is_free = True
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                is_free = False
            yield is_free
        finally:
            os.close(descriptor)


def write_runtime(folder: Path, runtime: Runtime) -> None:
    """Publish where the daemon is, whole and readable by its user only."""
    fresh = folder / f"{_RUNTIME_FILE}.{runtime.pid}"
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(runtime.facts(), file)
    os.replace(fresh, runtime_file(folder))


def remove_runtime(folder: Path) -> None:
    """Remove a runtime file; a folder of that name is not ours, and is renamed."""
    file = runtime_file(folder)
    with contextlib.suppress(FileNotFoundError):
        if file.is_dir() and not file.is_symlink():
            file.rename(file.with_name(f"{file.name}.{time.time_ns()}"))
        else:
            file.unlink()


def read_runtime(folder: Path) -> Runtime | None:
    """Read the runtime file, whether or not its daemon still lives; None when there is none that can be used."""
    try:
        with open_plain(runtime_file(folder)) as file:
            return _understood(json.loads(file.read(_MAX_BYTES).decode()))
    except (OSError, ValueError, RecursionError):
        return None


def _understood(content: Any) -> Runtime | None:
    """Return the values of a runtime file; None when one is missing, or none that a daemon would write."""
    if not isinstance(content, dict):
        return None
    match [content.get(name) for name in _FACTS]:
        case [str(host), int(port), int(pid), str(version), str(token)]:
            is_sound = host and 0 < port < 2**16 and 0 < pid < 2**31 and bool not in (type(port), type(pid))
            return Runtime(host, port, pid, version, token) if is_sound else None
    return None


def find_daemon(folder: Path) -> Runtime | None:
    """Return where the running daemon is; None when none runs, also if a dead one left its runtime file behind."""
    if not is_daemon_locked(folder):
        return None
    runtime = read_runtime(folder)
    return replace(runtime, found_in=folder) if runtime is not None and is_alive(runtime.pid) else None


def wait_for_daemon(folder: Path, seconds: float = _PATIENCE_S) -> Runtime | None:
    """Return where the daemon is; one that is just starting gets a moment to publish it."""
    deadline = time.monotonic() + seconds
    while True:
        runtime = find_daemon(folder)
        if runtime is not None or time.monotonic() > deadline:
            return runtime
        time.sleep(0.02)


def wait_for_end(folder: Path, seconds: float) -> None:
    """Wait until a daemon that was asked to stop has released its lock."""
    deadline = time.monotonic() + seconds
    while is_daemon_locked(folder) and time.monotonic() < deadline:
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process of that number runs; where asking would end it, or is no use, the lock alone decides."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except (OSError, IndexError):  # another system than Linux, or just gone
        return True
    return state not in (b"Z", b"X")  # one that has ended, and that its parent has not looked after yet
