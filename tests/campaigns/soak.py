"""Soak: very many very short jobs from eight clients at once; each is answered once, quickly, and nothing grows."""

import statistics
import time
from pathlib import Path

from bridge.wire.messages import Done, Generate
from tests.campaigns.callers import Call, Caller, Crowd
from tests.campaigns.house import House, house
from tests.campaigns.processes import Memory
from tests.campaigns.report import Report, Say
from tests.campaigns.takes import fault_of_take
from tests.daemons import PATIENCE_S

NUM_CALLERS = 8
MOST_OPEN = 8
"""Jobs of one client at a time: 64 of all, far from the queue's 200."""
ACK_P99_MS = 50.0
GROWTH_PERCENT = 5.0
_ENOUGH_JOBS = 1_000
"""Fewer say nothing about memory or about a percentile."""


def run_soak(seed: int, num_jobs: int, say: Say, root: Path | None = None) -> Report:
    """Have `num_jobs` rendered, and report."""
    report = Report("soak", seed)
    with house(root=root) as home:
        home.start()
        home.require_runtime()
        # A client that sends twice may be answered twice; here nothing is lost, so nobody needs to.
        callers = [Caller(f"s{number}", home.runtime, resend_s=PATIENCE_S) for number in range(NUM_CALLERS)]
        with Crowd(callers) as crowd:
            soak = _Soak(home, crowd, num_jobs, seed)
            soak.run(say)
            home.stop()
            _judge(report, soak)
    return report


class _Soak:
    """One run: who asked for how much, and what the processes weighed meanwhile."""

    def __init__(self, home: House, crowd: Crowd, num_jobs: int, seed: int) -> None:
        self.home, self.crowd = home, crowd
        self.daemon_memory, self.worker_memory = Memory(), Memory()
        self.faults: list[str] = []
        self.seconds = 0.0
        self._num_jobs, self._seed = num_jobs, seed
        self._num_asked = 0
        self._unchecked: list[Call] = []

    def run(self, say: Say) -> None:
        self._warm_up()
        started_at = time.monotonic()
        while self._num_asked < self._num_jobs:
            self._ask()
            self._turn()
            say(f"{self._num_asked - self.crowd.num_open} of {self._num_jobs} jobs ended")
        self.crowd.finish(PATIENCE_S, self._turn)
        self.seconds = time.monotonic() - started_at

    def _warm_up(self) -> None:
        """One job, so that the model is there when the clock starts."""
        self.crowd.callers[0].ask(self._job("warm-up", self._seed))
        self.crowd.finish(PATIENCE_S)
        self._forget_takes()

    def _ask(self) -> None:
        """Everybody asks for one more at a time, as scripts do."""
        for caller in self.crowd.callers:
            if len(caller.open) < MOST_OPEN and self._num_asked < self._num_jobs:
                self._num_asked += 1
                self._unchecked.append(caller.ask(self._job(f"{caller.name}-{self._num_asked}", self._num_asked)))

    def _job(self, job: str, seed: int) -> Generate:
        folder = str(self.home.takes)
        return Generate(job=job, prompt="rain", seconds=0.1, steps=1, seed=seed, output_dir=folder)

    def _turn(self) -> None:
        self.crowd.turn()
        self.daemon_memory.sample(self.home.pid)
        self.worker_memory.sample(self.home.worker)
        self._forget_takes()

    def _forget_takes(self) -> None:
        """Look at what is done, and make room on the disk."""
        for call in [call for call in self._unchecked if call.has_ended]:
            self._unchecked.remove(call)
            for path in getattr(call.ends[0], "paths", ()) if call.ends else ():
                fault = fault_of_take(Path(path), call.request)
                self.faults += [fault] if fault else []
                Path(path).unlink(missing_ok=True)
                Path(path).with_suffix(".json").unlink(missing_ok=True)


def _judge(report: Report, soak: _Soak) -> None:
    calls = soak.crowd.calls()
    acks = [1000 * (call.acked_at - call.first_sent) for call in sorted(calls, key=_when) if call.acked_at is not None]
    num_at_start = NUM_CALLERS * MOST_OPEN + 1
    report.figures |= {
        "jobs": len(calls),
        "jobs_per_second": round(len(calls) / soak.seconds, 1),
        "ack_ms": _spread(acks),
        "ack_ms_of_the_start": _spread(acks[:num_at_start]),
        "ack_ms_of_the_others": _spread(acks[num_at_start:]),
        "daemon_memory": soak.daemon_memory.figures(),
        "worker_memory": soak.worker_memory.figures(),
        "journal_mb": round((soak.home.state / "journal.sqlite3").stat().st_size / 1e6, 2),
    }
    report.none_of("jobs without acknowledgement", [call.request.job for call in calls if call.acked_at is None])
    report.none_of("jobs not answered exactly once", [call.request.job for call in calls if len(call.ends) != 1])
    report.none_of("jobs not done", [end for call in calls for end in call.ends if not isinstance(end, Done)])
    report.none_of("broken takes", soak.faults)
    if len(calls) >= _ENOUGH_JOBS:
        report.at_most("growth of the daemon, %", GROWTH_PERCENT, soak.daemon_memory.growth_percent())
        report.at_most("growth of the render process, %", GROWTH_PERCENT, soak.worker_memory.growth_percent())
        report.at_most("/retake/ack p99, ms", ACK_P99_MS, _spread(acks)["p99"])


def _when(call: Call) -> float:
    return call.first_sent


def _spread(milliseconds: list[float]) -> dict[str, float]:
    """Median, 99th percentile and worst; nothing of nothing."""
    if not milliseconds:
        return {}
    ranked = sorted(milliseconds)
    p99 = ranked[min(len(ranked) - 1, int(0.99 * len(ranked)))]
    found = {"median": statistics.median(ranked), "p99": p99, "worst": ranked[-1]}
    return {name: round(value, 2) for name, value in found.items()}
