"""Copies of the runtime file in folders of programs that a sandbox keeps from reading ours, such as Live's extensions.

A file of the state folder lists those folders; every daemon writes its copies there, and removes them at its end.
"""

import contextlib
import json
import logging
import os
from pathlib import Path

from bridge.host.discovery import Runtime, find_daemon, remove_runtime, write_runtime

_LIST_FILE = "runtime-copies.json"

log = logging.getLogger(__name__)


def copy_folders(state: Path) -> list[Path]:
    """Return the folders that get a copy."""
    try:
        return [Path(folder) for folder in json.loads((state / _LIST_FILE).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def add_copy_folder(state: Path, folder: Path) -> None:
    """Keep a copy in `folder` from now on: at once if a daemon runs, and whenever one starts."""
    _write_list(state, [*(known for known in copy_folders(state) if known != folder), folder])
    runtime = find_daemon(state)
    if runtime is not None:
        _write_copy(folder, runtime)


def remove_copy_folder(state: Path, folder: Path) -> None:
    """Keep no copy in `folder` any more."""
    _write_list(state, [known for known in copy_folders(state) if known != folder])
    with contextlib.suppress(OSError):
        remove_runtime(folder)


def write_copies(state: Path, runtime: Runtime) -> None:
    """Write a copy to every folder; one that cannot be written to is logged and skipped."""
    for folder in copy_folders(state):
        _write_copy(folder, runtime)


def remove_copies(state: Path) -> None:
    for folder in copy_folders(state):
        with contextlib.suppress(OSError):
            remove_runtime(folder)


def _write_copy(folder: Path, runtime: Runtime) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_runtime(folder, runtime)
    except OSError as error:
        log.warning("no copy of the runtime file in %s: %s", folder, error)


def _write_list(state: Path, folders: list[Path]) -> None:
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = state / f"{_LIST_FILE}.{os.getpid()}"
    fresh.write_text(json.dumps([str(folder) for folder in folders]), encoding="utf-8")
    os.replace(fresh, state / _LIST_FILE)
