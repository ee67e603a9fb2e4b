"""The daemon's reply files, written by one thread for each folder, so that a drive that hangs delays only its own.

Of each file only the newest content waits: a slow drive skips states of a job, and never falls behind for long.
"""

import threading
from collections.abc import Callable
from pathlib import Path

from bridge.jobs.job import Job
from bridge.jobs.reply_file import write_reply_file

_MOMENT_S = 0.25
"""How long the daemon waits for a file, so that it usually is written before clients get the same reply."""


class ReplyFiles:
    """Brings reply files up to date; one whose drive hangs is written when that answers again.

    `_changed` guards `_waiting` (per folder, the newest job of each path) and `_late` (folders that hang, for which the
    daemon no longer waits); it is not held while a file is written.
    """

    def __init__(self, write: Callable[[Job], None] = write_reply_file) -> None:
        self._write = write
        self._changed = threading.Condition()
        self._waiting: dict[Path, dict[str, Job]] = {}
        self._late: set[Path] = set()

    def write(self, job: Job) -> None:
        """Write the state of a job to its reply file, if it asked for one; return at the latest after _MOMENT_S."""
        if job.request.reply is None:
            return
        path, folder = job.request.reply, Path(job.request.reply).parent
        with self._changed:
            lane = self._waiting.get(folder)
            if lane is None:
                lane = self._waiting[folder] = {}
                threading.Thread(target=self._serve, args=(folder,), name="reply files", daemon=True).start()
            lane[path] = job
            if folder not in self._late and not self._changed.wait_for(lambda: lane.get(path) is not job, _MOMENT_S):
                self._late.add(folder)

    def _serve(self, folder: Path) -> None:
        """Write what waits for a folder, and end when nothing does."""
        lane = self._waiting[folder]
        while True:
            with self._changed:
                if not lane:
                    del self._waiting[folder]
                    self._late.discard(folder)
                    return
                path, job = next(iter(lane.items()))
            try:
                self._write(job)
            finally:
                with self._changed:
                    if lane.get(path) is job:  # else a newer state came while this one was written
                        del lane[path]
                    self._changed.notify_all()
