"""Starting the daemon from a client, so that it outlives the client."""

import os
import subprocess
import time
from pathlib import Path

from bridge.discovery import Runtime, wait_for_daemon
from bridge.errors import DaemonMissingError
from bridge.program import HOME, own_command, start_flags

START_S = 60.0
"""How long a daemon may take to appear; it needs half a second on a machine with nothing else to do."""

_LOOK_S = 0.2


def start_daemon(folder: Path) -> Runtime:
    """Start a daemon with its files in `folder`, and wait until it is there. Raises DaemonMissingError."""
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(  # noqa: S603 - our own program
        own_command("daemon"),
        cwd=HOME,
        env=os.environ | {"RETAKE_STATE_DIR": str(folder)},
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        start_new_session=True,
        creationflags=start_flags(),
    )
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        runtime = wait_for_daemon(folder, _LOOK_S)
        if runtime is not None:
            process.returncode = 0  # it is meant to outlive us: nobody waits for it, and nobody is to be warned of that
            return runtime
        if process.poll():
            raise DaemonMissingError("the daemon was started, and ended at once; `retake daemon` says why")
    raise DaemonMissingError(f"the daemon was started, but did not appear within {START_S:g} s")
