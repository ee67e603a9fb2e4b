"""Farm: real Ray nodes; one is killed in the middle, later the head and all with it, and every job is answered once."""

import random
import statistics
import time
from collections import Counter
from pathlib import Path

from bridge.wire.messages import Done
from tests.campaigns.callers import Call, Caller, Crowd
from tests.campaigns.house import House, house, write_clips
from tests.campaigns.mixture import draw_job
from tests.campaigns.ray_nodes import RayNodes
from tests.campaigns.report import Report, Say
from tests.campaigns.takes import fault_of_take
from tests.daemons import PATIENCE_S

NUM_CALLERS = 4
MOST_OPEN = 8
_PATIENCE_S = 4 * PATIENCE_S
"""For a cluster that has to come back."""


def run_farm(seed: int, num_jobs: int, say: Say, root: Path | None = None) -> Report:
    """Have `num_jobs` mixed jobs rendered on two nodes, with harm at a third and at two thirds, and report."""
    report = Report("farm", seed)
    with house(root=root) as home, RayNodes() as nodes:
        nodes.start_head()
        nodes.start_node()
        home.flags = ("--farm", nodes.address, "--farm-wait-s", "120", "--queue-capacity", "400")
        home.environment |= nodes.environment
        home.start()
        home.require_runtime()
        callers = [Caller(f"f{number}", home.runtime) for number in range(NUM_CALLERS)]
        with Crowd(callers) as crowd:
            farm = _Farm(home, nodes, crowd, num_jobs, seed)
            farm.run(say)
        _judge(report, farm)
    return report


class _Farm:
    def __init__(self, home: House, nodes: RayNodes, crowd: Crowd, num_jobs: int, seed: int) -> None:
        self.home, self.nodes, self.crowd = home, nodes, crowd
        self.harm: dict[str, int] = {}
        self._num_jobs, self._num_asked = num_jobs, 0
        self._dice = random.Random(seed)
        self._clips = write_clips(home.clips)

    def run(self, say: Say) -> None:
        started_at = time.monotonic()
        while self._num_asked < self._num_jobs:
            self._ask()
            self.crowd.turn()
            self._do_harm()
            say(f"{self._num_asked - self.crowd.num_open} of {self._num_jobs} jobs, harm: {', '.join(self.harm)}")
        self.crowd.finish(_PATIENCE_S, self._do_harm)
        self.seconds = time.monotonic() - started_at

    def _ask(self) -> None:
        for caller in self.crowd.callers:
            if len(caller.open) < MOST_OPEN and self._num_asked < self._num_jobs:
                self._num_asked += 1
                job = f"{caller.name}-{self._num_asked}"
                caller.ask(draw_job(self._dice, job, self._clips, self.home.takes))

    def _do_harm(self) -> None:
        """Kill a node at a third, and the head at two thirds; both come back."""
        num_ended = self._num_asked - self.crowd.num_open
        if "node killed" not in self.harm and num_ended >= self._num_jobs // 3:
            self.harm["node killed"] = num_ended
            self.nodes.kill("node")
        if "head killed" not in self.harm and num_ended >= 2 * self._num_jobs // 3:
            self.harm["head killed"] = num_ended
            self.nodes.kill("head")
            self.nodes.start_head()
            self.nodes.start_node()


def _judge(report: Report, farm: _Farm) -> None:
    calls = farm.crowd.calls()
    ends = [end for call in calls for end in call.ends]
    report.figures |= {
        "jobs": len(calls),
        "seconds": round(farm.seconds, 1),
        "jobs_per_second": round(len(calls) / farm.seconds, 2),
        "harm_after_jobs": farm.harm,
        "ends": dict(Counter("done" if isinstance(end, Done) else end.code for end in ends)),
        "median_wait_s": round(statistics.median(call.heard_at - call.first_sent for call in calls), 2),
    }
    report.none_of("jobs without acknowledgement", [call.request.job for call in calls if call.acked_at is None])
    report.none_of("jobs not answered", [call.request.job for call in calls if not call.ends])
    report.none_of("jobs with two different answers", [call.request.job for call in calls if len(set(call.ends)) > 1])
    report.none_of("jobs that the daemon forgot", [job for caller in farm.crowd.callers for job in caller.lost])
    report.none_of("broken takes", _faults(calls))
    report.none_of("files of two jobs", _shared_files(calls))
    report.holds("a node and the head were killed", found=len(farm.harm) == 2)


def _faults(calls: list[Call]) -> list[str]:
    paths = ((Path(path), call) for call in calls for end in call.ends for path in getattr(end, "paths", ()))
    return [fault for path, call in paths if (fault := fault_of_take(path, call.request))]


def _shared_files(calls: list[Call]) -> list[str]:
    owners = Counter(path for call in calls for end in set(call.ends) for path in getattr(end, "paths", ()))
    return [path for path, times in owners.items() if times > 1]
