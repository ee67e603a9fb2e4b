"""`retake daemon`: settings, one daemon for each user, log, signals, and an orderly end."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from bridge import __version__
from bridge.daemon.assembly import build
from bridge.errors import BridgeError, FolderError
from bridge.host.discovery import become_daemon, state_folder, wait_for_daemon
from bridge.host.entry import require_files
from bridge.host.job_log import start_log
from bridge.host.private_folder import make_private, make_private_file
from bridge.host.settings import Settings, add_flags, load_settings
from bridge.jobs.journal import JOURNAL_FILE

log = logging.getLogger(__name__)


async def _run(settings: Settings, folder: Path) -> None:
    daemon = await build(settings, folder)
    loop = asyncio.get_running_loop()
    # signal.signal instead of the loop's own add_signal_handler, which Windows lacks; a handler may run between any two
    # steps of the main thread, so it only leaves a note for the loop.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(daemon.closing.set))
    log.info("Retake %s, pid %d, port %d", __version__, daemon.runtime.pid, daemon.runtime.port)
    print(f"Retake {__version__} listens on {daemon.runtime.host}:{daemon.runtime.port}", flush=True)
    await daemon.serve()
    log.info("ended")


def _start(settings: Settings, folder: Path) -> int:
    """Run the daemon, or print where this user's daemon is if one runs already."""
    require_files()
    try:
        make_private(folder)
        lock = become_daemon(folder)
        if lock is None:
            other = wait_for_daemon(folder)
            where = "" if other is None else f" at {other.host}:{other.port} (pid {other.pid})"
            print(f"Retake is running already{where}")
            return 0
        start_log(folder, settings.log_level)
        make_private_file(folder / JOURNAL_FILE)
    except OSError as error:
        raise FolderError(folder, error.strerror or error) from error
    asyncio.run(_run(settings, folder))
    lock.release()
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run `retake daemon`."""
    parser = argparse.ArgumentParser(prog="retake daemon", description="Listen for OSC requests and render them.")
    add_flags(parser)
    flags = vars(parser.parse_args(argv))
    try:
        return _start(load_settings(os.environ, flags), state_folder(os.environ))
    except BridgeError as error:
        print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)
        return 1
