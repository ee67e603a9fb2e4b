"""Where the daemon listens, and where we do: two small files in Retake's state folder, for the user only."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Mapping, NamedTuple


class Runtime(NamedTuple):
    """Where the daemon listens, and what it wants to see."""

    host: str
    port: int
    token: str


def state_folder(environment: Mapping[str, str]) -> str:
    """Return the folder of the daemon's runtime file, as bridge/PROTOCOL.md says."""
    if environment.get("RETAKE_STATE_DIR"):
        return os.path.abspath(environment["RETAKE_STATE_DIR"])
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        return os.path.join(environment.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local"), "retake")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Application Support", "retake")
    return os.path.join(environment.get("XDG_STATE_HOME") or os.path.join(home, ".local", "state"), "retake")


def read_runtime(folder: str) -> Runtime | None:
    """Return where the daemon listens; None when no file says so."""
    try:
        with open(os.path.join(folder, "runtime.json"), encoding="utf-8") as file:
            content = json.load(file)
        return Runtime(str(content["host"]), int(content["port"]), str(content["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def endpoint_file(folder: str) -> str:
    return os.path.join(folder, "live.json")


def publish_endpoint(folder: str, port: int, token: str) -> None:
    """Say where we listen, whole and readable by the user only. Raises OSError, and leaves nothing behind then."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    fresh = f"{endpoint_file(folder)}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        os.remove(fresh)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"host": "127.0.0.1", "port": port, "pid": os.getpid(), "token": token}, file)
        os.replace(fresh, endpoint_file(folder))
    except OSError:
        with contextlib.suppress(OSError):
            os.remove(fresh)
        raise


def withdraw_endpoint(folder: str, token: str) -> None:
    """Take the file away that says where we listen; that of another Live, or of a surface chosen twice, stays."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        with open(endpoint_file(folder), encoding="utf-8") as file:
            is_ours = json.load(file)["token"] == token
        if is_ours:
            os.remove(endpoint_file(folder))
