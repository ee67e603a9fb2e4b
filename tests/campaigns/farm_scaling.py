"""`python -m tests.campaigns.farm_scaling`: what a farm's actors add up to, and what a job costs on its way there.

Three daemons after one another, on one machine and in one run: with a render process of its own, with one actor on one
core, and with two. The same jobs go to each when its models are loaded.
"""

import argparse
import json
import os
import statistics
import time

from bridge.wire.messages import Done, Fail, Generate
from tests.campaigns.callers import Call, Caller, Crowd
from tests.campaigns.house import House, house
from tests.daemons import PATIENCE_S

WAYS = {
    "render process": (),
    "one actor": ("--farm", "local", "--farm-actors", "1"),
    "two actors": ("--farm", "local", "--farm-actors", "2"),
}
_WARM_UP = 6


def measure(num_jobs: int, model: str) -> dict[str, float]:
    """Seconds per job in each way, and the ratios; and the overhead of a job on the farm, alone in it."""
    figures: dict[str, float] = {}
    for name, flags in WAYS.items():
        with house("--model", model, *flags) as home:
            home.start()
            with Crowd([Caller("s", home.runtime)]) as crowd:
                home.require_runtime()
                _ask(crowd, home, _WARM_UP)
                alone = [_ask(crowd, home, 1) for _ in range(num_jobs // 4)]
                figures[f"{name}: s of a job alone"] = round(statistics.median(alone), 4)
                figures[f"{name}: s a job"] = round(_ask(crowd, home, num_jobs) / num_jobs, 4)
    one, two = (figures[f"{name} actor{'s' * (name == 'two')}: s a job"] for name in ("one", "two"))
    figures["two actors to one"] = round(one / two, 2)
    alone_there, alone_here = (figures[f"{name}: s of a job alone"] for name in ("one actor", "render process"))
    figures["overhead of a job, ms"] = round(1000 * (alone_there - alone_here), 1)
    figures["load of the machine"] = round(os.getloadavg()[0], 1)
    return figures


def _ask(crowd: Crowd, home: House, count: int) -> float:
    """Have jobs rendered; give the seconds from the first request to the last answer."""
    (caller,) = crowd.callers
    began, number = time.monotonic(), len(caller.calls)
    calls: list[Call] = [caller.ask(_job(number + index, home)) for index in range(count)]
    crowd.finish(4 * PATIENCE_S)
    ends = [end for call in calls for end in call.ends]
    assert len(ends) == count, f"{count - len(ends)} of {count} jobs were not answered"
    assert all(isinstance(end, Done) for end in ends), [end for end in ends if isinstance(end, Fail)]
    return time.monotonic() - began


def _job(number: int, home: House) -> Generate:
    return Generate(job=f"s-{number}", prompt="rain", seconds=2.0, seed=number, output_dir=str(home.takes))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure a farm of one and of two actors.")
    parser.add_argument("--jobs", type=int, default=40, metavar="N")
    parser.add_argument("--model", default="nano", metavar="NAME")
    options = parser.parse_args()
    print(json.dumps(measure(options.jobs, options.model), indent=1))
