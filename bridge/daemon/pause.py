"""Holding the queue, and remembering that it is held when the daemon is killed meanwhile."""

import logging
from pathlib import Path

from bridge.jobs.job_queue import JobQueue

PAUSE_MARK = "paused"
"""An empty file in the state folder: while it is there, no job begins."""

log = logging.getLogger(__name__)


class PauseSwitch:
    """Holds a queue; the mark in `folder` outlives a daemon that is killed."""

    def __init__(self, queue: JobQueue, folder: Path) -> None:
        self._queue, self._mark = queue, folder / PAUSE_MARK

    def set(self, *, on: bool) -> None:
        """Begin no job from now on, or go on."""
        self._queue.hold(on=on)
        try:
            self._mark.touch(0o600) if on else self._mark.unlink(missing_ok=True)
        except OSError as error:
            log.warning("the mark of the pause could not be changed: %s", error)

    def restore(self) -> None:
        """Hold the queue if an earlier daemon was killed while it was held."""
        self._queue.hold(on=self._mark.exists())
