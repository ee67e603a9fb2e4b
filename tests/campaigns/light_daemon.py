"""A whole daemon whose render process answers at once and computes nothing: `python -m tests.campaigns.light_daemon`.

For trials of everything that stands in front of the model.
"""

import asyncio
import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from bridge.daemon.assembly import build
from bridge.host.discovery import InstanceLock, state_folder
from bridge.host.settings import Settings
from bridge.rendering.pipe import requests_from_line, to_line
from bridge.wire.messages import Done, Models, ModelsReply, RenderRequest, Reply

COMMAND = (sys.executable, "-m", "tests.campaigns.light_daemon")
ERRORS = "errors.log"


def _tell(reply: Reply) -> None:
    sys.stdout.buffer.write(to_line(reply))
    sys.stdout.buffer.flush()


def _render() -> None:
    """The render process: every job is done as soon as it is heard of."""
    for line in sys.stdin.buffer:
        request, *_ = requests_from_line(line)
        if isinstance(request, Models):
            _tell(ModelsReply(("light",)))
        elif isinstance(request, RenderRequest):
            _tell(Done(request.address, request.job, (f"/takes/{request.seed}.wav",)))


def _start_logs(folder: Path) -> None:
    """All that the daemon says, as much as a real one keeps; and the errors for as long as it runs."""
    everything = RotatingFileHandler(folder / "daemon.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8")
    errors = logging.FileHandler(folder / ERRORS, encoding="utf-8", delay=True)
    errors.setLevel(logging.ERROR)
    logging.basicConfig(level=logging.INFO, handlers=[everything, errors])


async def _serve(folder: Path) -> None:
    daemon = await build(Settings(port=0), folder, [*COMMAND, "render"])
    await daemon.serve()


def main() -> None:
    if sys.argv[1:] == ["render"]:
        _render()
        return
    folder = state_folder(os.environ)
    lock = InstanceLock(folder)
    assert lock.acquire()
    _start_logs(folder)
    asyncio.run(_serve(folder))


if __name__ == "__main__":
    main()
