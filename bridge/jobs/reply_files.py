"""The daemon's reply files, each folder's on a thread of its own: of what is told of a job, the newest counts."""

import threading
from collections.abc import Callable
from pathlib import Path

from bridge.jobs.job import Job
from bridge.jobs.reply_file import write_reply_file

_MOMENT_S = 0.25
"""How long the daemon waits for a file to be written, so that it usually is when others hear the same news."""


class ReplyFiles:
    """Brings reply files up to date; one whose drive hangs is written when that answers again."""

    def __init__(self, write: Callable[[Job], None] = write_reply_file) -> None:
        self._write = write
        self._changed = threading.Condition()
        self._waiting: dict[Path, dict[str, Job]] = {}
        self._late: set[Path] = set()

    def write(self, job: Job) -> None:
        """Have the reply file of a job, if it asked for one, say how it stands."""
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
        """Write what waits for a folder, until nothing does."""
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
                    if lane.get(path) is job:
                        del lane[path]
                    self._changed.notify_all()
