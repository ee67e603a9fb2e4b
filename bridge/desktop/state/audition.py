"""Comparing a result with its source: one of them plays, and switching keeps the position. Pure: no socket, no sound.

The daemon plays (`/retake/preview`); this module tracks the position, so that the other side continues from there.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Playing:
    """What plays now; `position_s` was reported at `at`, in seconds of the monotonic clock."""

    path: str
    position_s: float
    duration_s: float
    at: float


Play = Callable[[str, float], None]
"""Play a path from a position in seconds."""


class Audition:
    """Plays, stops, and switches sides in sync."""

    def __init__(self, play: Play, stop: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._play = play
        self._stop = stop
        self._clock = clock
        self._playing: Playing | None = None
        self.is_confirmed = False
        """Whether the daemon has confirmed that it plays."""

    @property
    def path(self) -> str | None:
        return None if self._playing is None else self._playing.path

    @property
    def position_s(self) -> float:
        """The current position, extrapolated between two replies of the daemon."""
        if self._playing is None:
            return 0.0
        moved = self._clock() - self._playing.at if self.is_confirmed else 0.0
        end = self._playing.duration_s or float("inf")
        return min(self._playing.position_s + moved, end)

    def play(self, path: str | Path, start_s: float = 0.0) -> None:
        self._playing = Playing(str(path), start_s, 0.0, self._clock())
        self.is_confirmed = False
        self._play(str(path), start_s)

    def toggle(self, path: str | Path) -> None:
        """Stop this file if it plays, otherwise play it from the beginning."""
        if self.path == str(path):
            self.stop()
        else:
            self.play(path)

    def switch_to(self, path: str | Path) -> None:
        """Continue with another file at the same position; does nothing while nothing plays."""
        if self._playing is not None and self.path != str(path):
            self.play(path, self.position_s)

    def stop(self) -> None:
        if self._playing is not None:
            self._playing = None
            self._stop()

    def fail(self) -> None:
        """Note that nothing could be played."""
        self._playing = None

    def follow(self, state: str, path: str, position_s: float, duration_s: float) -> bool:
        """Follow the player's report; return True when the display has to change.

        Reports about another file than the latest one come late, and are ignored.
        """
        if self._playing is None or path != self._playing.path:
            return False
        if state == "playing":
            self._playing = Playing(path, position_s, duration_s, self._clock())
            self.is_confirmed = True
        elif self.is_confirmed or state == "failed":
            self._playing = None
        return True
