"""Starting the daemon from a client, so that it outlives the client."""

import os
import subprocess
import threading
import time
from pathlib import Path

from bridge.errors import DaemonMissingError
from bridge.host.discovery import Runtime, is_daemon_locked, wait_for_daemon
from bridge.host.program import HOME, own_command, start_flags

START_S = 60.0
"""How long a daemon may take to start; on an idle machine it takes half a second."""

_LOOK_S = 0.2


def start_daemon(folder: Path) -> Runtime:
    """Start a daemon with its files in `folder`, and wait until it answers. Raises DaemonMissingError."""
    deadline = time.monotonic() + START_S
    process = _launch(folder)
    while time.monotonic() < deadline:
        runtime = wait_for_daemon(folder, _LOOK_S)
        if runtime is not None:
            return runtime
        if process.poll():
            raise DaemonMissingError("the daemon was started, and ended at once; `retake daemon` says why")
        if process.returncode == 0 and not is_daemon_locked(folder):  # it left to another daemon that has ended since
            process = _launch(folder)
    raise DaemonMissingError(f"the daemon was started, but did not appear within {START_S:g} s")


def _launch(folder: Path) -> subprocess.Popen[bytes]:
    """Start the process; a thread waits for its end, so that it does not stay a zombie."""
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
    threading.Thread(target=process.wait, name=f"daemon {process.pid}", daemon=True).start()
    return process
