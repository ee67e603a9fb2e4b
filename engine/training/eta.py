"""The estimated time left of a run: from its recent steps, and the time that saving and samples add."""

from collections import deque
from collections.abc import Callable
from statistics import fmean, median

Clock = Callable[[], float]  # seconds, never going back

_RECENT = 5  # reports that count; one slow stretch among them, or a slow first step, does not


class EtaEstimator:
    """Estimates the time left from the duration of steps; time between them (saving, samples) counts as pauses."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._begun = clock, clock()
        self._step_begun = self._begun
        self._worked = 0.0  # seconds in steps, in all
        self._new: list[float] = []  # seconds of each step since the last report
        self._recent: deque[float] = deque(maxlen=_RECENT)  # mean seconds a step, of the last reports

    def begin_step(self) -> None:
        self._step_begun = self._clock()

    def end_step(self) -> None:
        self._new.append(self._clock() - self._step_begun)
        self._worked += self._new[-1]

    def seconds_left(self, num_steps: int) -> float:
        """Return the estimate for `num_steps` further steps; called once a report, after a step."""
        self._recent.append(fmean(self._new))
        self._new.clear()
        passed = self._clock() - self._begun
        with_pauses = passed / self._worked if self._worked else 1.0
        return median(self._recent) * num_steps * with_pauses


def in_words(seconds: float) -> str:
    """42 s, 12 min, 3 h 05 min, 2 d 03 h: as exact as such a forecast can be."""
    minutes = round(seconds / 60)
    if round(seconds) < 60:
        return f"{round(seconds)} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02} h"
