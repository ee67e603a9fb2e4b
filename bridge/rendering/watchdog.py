"""Noticing that a render process hangs, from what it writes and how long ago that was."""

import time
from dataclasses import dataclass

from bridge.rendering.pipe import HEARTBEAT

_ASLEEP_S = 5.0
"""If the gap between two checks exceeds this, this process itself was suspended: the silence means nothing."""


@dataclass(frozen=True)
class Timeouts:
    """Limits in seconds: for ending after a cancel, without any sign of life, and without progress in a job."""

    cancel_s: float = 10.0
    silence_s: float = 60.0
    stuck_s: float = 1200.0


class Watchdog:
    """Tells a process that is silent (suspended, swapped out) or stuck (alive without progress) from a slow one.

    Two clocks, because heartbeats come from a thread of their own: they go on while the working thread hangs in a
    driver, and they stop when the whole process does.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._checked_at = self._line_at = self._progress_at = time.monotonic()

    def restart(self) -> None:
        """Start both clocks again, as when a job is handed over."""
        self._checked_at = self._line_at = self._progress_at = time.monotonic()

    def note(self, line: bytes) -> None:
        """Take note of a line; every line but a heartbeat is progress."""
        self._line_at = time.monotonic()
        if line != HEARTBEAT:
            self._progress_at = self._line_at

    def overdue_s(self) -> float | None:
        """Return the length of a silence that is too long, in seconds; None while all is well."""
        now = time.monotonic()
        if now - self._checked_at > _ASLEEP_S:
            self.restart()
        self._checked_at = now
        if now - self._line_at > self._timeouts.silence_s:
            return now - self._line_at
        return now - self._progress_at if now - self._progress_at > self._timeouts.stuck_s else None
