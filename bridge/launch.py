"""Starting the daemon from a client, so that it outlives the client."""

import os
import subprocess
from pathlib import Path

from bridge.discovery import Runtime, wait_for_daemon
from bridge.errors import DaemonMissingError
from bridge.program import HOME, own_command

START_S = 20.0
"""How long a daemon may take to appear; it needs half a second on a machine with nothing else to do."""


def start_daemon(folder: Path) -> Runtime:
    """Start a daemon with its files in `folder`, and wait until it is there. Raises DaemonMissingError."""
    nothing = subprocess.DEVNULL
    subprocess.Popen(  # noqa: S603 - our own program
        own_command("daemon"),
        cwd=HOME,
        env=os.environ | {"RETAKE_STATE_DIR": str(folder)},
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        start_new_session=True,
        creationflags=getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    runtime = wait_for_daemon(folder, START_S)
    if runtime is None:
        raise DaemonMissingError(f"the daemon was started but did not appear within {START_S:g} s")
    return runtime
