"""Progress and cancellation: the only way that an operation reports, and the only way to stop one."""

from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import CancelledError

# How the time of a request divides; steps take the rest between the two.
ENCODED, SAMPLED = 0.02, 0.92


@dataclass(frozen=True)
class Progress:
    """The state of a request at one moment."""

    stage: str  # loading, encoding, "step 3/20", decoding, writing
    fraction: float  # 0..1 of the whole request, never less than before
    step: int = 0  # sampling steps done
    num_steps: int = 0  # in total


OnStep = Callable[[Progress], None]
ShouldStop = Callable[[], bool]


class ProgressReporter:
    """Carries `on_step` and `should_stop` through an operation; both are called on the thread that runs it.

    A request with several excerpts (regions far apart) has a reporter for each, which covers its share of the whole.
    """

    def __init__(self, on_step: OnStep | None = None, should_stop: ShouldStop | None = None) -> None:
        self._on_step = on_step
        self._should_stop = should_stop
        self._start, self._share, self._latest = 0.0, 1.0, 0.0

    def part(self, index: int, count: int, whole: float = 1.0) -> "ProgressReporter":
        """Return the reporter of part `index` of `count` equal parts of the first `whole` share of this one."""
        reporter = ProgressReporter(self._on_step, self._should_stop)
        reporter._share = self._share * whole / count
        reporter._start = reporter._latest = self._start + index * reporter._share
        return reporter

    def after(self) -> "ProgressReporter":
        """Return the reporter of what comes after this part, and takes as long."""
        reporter = ProgressReporter(self._on_step, self._should_stop)
        reporter._share = self._share
        reporter._start = reporter._latest = self._start + self._share
        return reporter

    def round(self, index: int, count: int) -> "ProgressReporter":
        """Return the reporter of round `index` of at most `count`, all of them before anything is decoded."""
        return self if count == 1 else self.part(index, count, SAMPLED)

    def check(self) -> None:
        """Raise CancelledError if the request should stop."""
        if self._should_stop is not None and self._should_stop():
            raise CancelledError

    def encoding(self) -> None:
        self._report("encoding", 0.0)

    def step(self, step: int, num_steps: int) -> None:
        """Sampling step `step` of `num_steps` is done."""
        fraction = ENCODED + (SAMPLED - ENCODED) * step / num_steps
        self._report(f"step {step}/{num_steps}", fraction, step, num_steps)

    def decoding(self, done: int, total: int) -> None:
        """`done` of `total` waveforms are made."""
        self._report("decoding", SAMPLED + (1 - SAMPLED) * done / total)

    def _report(self, stage: str, fraction: float, step: int = 0, num_steps: int = 0) -> None:
        self.check()
        self._latest = max(self._latest, self._start + self._share * fraction)
        if self._on_step is not None:
            self._on_step(Progress(stage, self._latest, step, num_steps))
