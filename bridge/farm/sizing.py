"""`retake farm-size`: how many GPUs a number of artists need, by simulating their days with measured service times.

Every artist asks at random moments, as often as the others; drafts go before normal jobs, and among equals who came
first. A GPU renders one job at a time: what it gains by rendering several together is a reserve that is not counted.
"""

import argparse
import heapq
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bridge.clients.client import Client
from bridge.errors import BridgeError, DaemonMissingError
from bridge.host.discovery import find_daemon, state_folder
from bridge.host.option_parser import OptionParser
from bridge.wire.messages import Done, Fail, Generate

KINDS = ("draft", "normal")
"""The more urgent first."""
_PATIENCE_S = 600.0
_MAX_GPUS = 1 << 14


@dataclass(frozen=True)
class Load:
    """Who asks for how much: jobs of an artist in an hour, and the share of drafts among them, 0..1."""

    artists: int
    jobs_per_hour: float = 30.0
    drafts: float = 0.5


@dataclass(frozen=True)
class Waits:
    """How long jobs waited for a GPU, seconds, and which share of the time the GPUs worked."""

    p50_s: float
    p95_s: float
    p99_s: float
    busy: float


def simulate(load: Load, times: dict[str, list[float]], gpus: int, num_jobs: int, seed: int) -> Waits:
    """Let `num_jobs` jobs come and go; the first tenth, while the farm fills, is not counted.

    `times` are measured service times of each kind, seconds; each job draws one of them.
    """
    dice = random.Random(seed)
    rate = load.artists * load.jobs_per_hour / 3600
    free_at = [0.0] * gpus  # a heap
    waiting: list[tuple[int, float, float]] = []  # urgency, arrival, service time; a heap, too
    waits, work, now = [], 0.0, 0.0
    arrival = dice.expovariate(rate)
    left = num_jobs
    while left or waiting:
        while left and (not waiting or arrival <= max(now, free_at[0])):
            kind = 0 if dice.random() < load.drafts else 1
            heapq.heappush(waiting, (kind, arrival, dice.choice(times[KINDS[kind]])))
            now = max(now, arrival)
            arrival += dice.expovariate(rate)
            left -= 1
        now = max(now, free_at[0])
        _, came_at, service_s = heapq.heappop(waiting)
        begins_at = max(free_at[0], came_at)
        heapq.heapreplace(free_at, begins_at + service_s)
        waits.append((came_at, begins_at - came_at))
        work += service_s
    return _summary(sorted(waits)[num_jobs // 10 :], work / (gpus * max(free_at)))


def _summary(waits: Sequence[tuple[float, float]], busy: float) -> Waits:
    percentiles = statistics.quantiles((wait for _, wait in waits), n=100, method="inclusive")
    return Waits(percentiles[49], percentiles[94], percentiles[98], busy)


def gpus_needed(load: Load, times: dict[str, list[float]], p95_s: float, num_jobs: int, seed: int) -> tuple[int, Waits]:
    """Return the smallest number of GPUs at which 95 of 100 jobs wait no longer than `p95_s`, and their waits."""
    low = _too_few(load, times)
    high = max(low, 1)
    while simulate(load, times, high, num_jobs, seed).p95_s > p95_s and high < _MAX_GPUS:
        low, high = high, high + max(1, high // 4)
    while high - low > 1:
        middle = (low + high) // 2
        if simulate(load, times, middle, num_jobs, seed).p95_s > p95_s:
            low = middle
        else:
            high = middle
    return high, simulate(load, times, high, num_jobs, seed)


def _too_few(load: Load, times: dict[str, list[float]]) -> int:
    """The largest number of GPUs with which the queue grows for ever."""
    mean_s = load.drafts * statistics.mean(times["draft"]) + (1 - load.drafts) * statistics.mean(times["normal"])
    return int(load.artists * load.jobs_per_hour / 3600 * mean_s)


def sizes_around(load: Load, times: dict[str, list[float]], gpus: int, num_jobs: int, seed: int) -> dict[int, Waits]:
    """Waits in farms from somewhat too small to one and a half times as large as `gpus`."""
    fewest = _too_few(load, times) + 1
    most = max(gpus + 2, round(1.5 * gpus))
    step = max(1, (most - fewest) // 10)
    chosen = sorted({*range(fewest, most + 1, step), gpus})
    return {number: simulate(load, times, number, num_jobs, seed) for number in chosen}


def measure(count: int, folder: Path, model: str | None) -> dict[str, list[float]]:
    """Have the running daemon render `count` jobs of each kind, one after the other; return the seconds that each took.

    Raises DaemonMissingError, and what the daemon says when it refuses.
    """
    runtime = find_daemon(state_folder(os.environ))
    if runtime is None:
        raise DaemonMissingError("no daemon runs")
    times: dict[str, list[float]] = {}
    with Client(runtime) as client:
        for kind in KINDS:
            took = [_timed(client, folder, model, number, draft=kind == "draft") for number in range(count + 1)]
            times[kind] = took[1:]  # the first one may have had to wait for the model
    return times


def _timed(client: Client, folder: Path, model: str | None, seed: int, *, draft: bool) -> float:
    job = f"size-{os.urandom(6).hex()}"
    began = time.monotonic()
    client.send(Generate(job=job, prompt="rain", model=model, draft=draft, seed=seed, output_dir=str(folder)))
    while time.monotonic() - began < _PATIENCE_S:
        reply = client.receive(1.0)
        if isinstance(reply, Fail) and reply.job == job:
            raise BridgeError(reply.text, reply.hint)
        if isinstance(reply, Done) and reply.job == job:
            return time.monotonic() - began
    raise DaemonMissingError("the daemon does not answer")


def main(argv: Sequence[str] | None = None) -> int:
    """Run `retake farm-size`."""
    options = _parser().parse_args(argv)
    try:
        if options.measure:
            times = measure(options.measure, options.output.absolute(), options.model)
            options.times.write_text(json.dumps(times, indent=1) + "\n", encoding="utf-8")
            print(f"the takes that were timed are in {options.output}", file=sys.stderr)
        times = _read_times(options.times)
    except BridgeError as error:
        print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)
        return 1
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"{options.times} holds no service times: {error}", file=sys.stderr)
        print('hint: measure them with --measure 20, or write {"draft": [0.5], "normal": [2.0]}', file=sys.stderr)
        return 1
    if options.picture and find_spec("matplotlib") is None:
        print('a picture needs the package Matplotlib\nhint: pip install "retake[train]"', file=sys.stderr)
        return 1
    sizes: dict[int, list[tuple[int, float, float]]] = {}
    for kind in KINDS:
        print(f"{kind}: {len(times[kind])} service times, median {statistics.median(times[kind]):.2f} s")
    print(f"{'artists':>8} {'GPUs':>6} {'p50 s':>7} {'p95 s':>7} {'p99 s':>7} {'busy':>6}")
    for artists in options.artists:
        load = Load(artists, options.jobs_per_hour, options.drafts)
        gpus, waits = gpus_needed(load, times, options.p95, options.jobs, options.seed)
        row = f"{waits.p50_s:7.2f} {waits.p95_s:7.2f} {waits.p99_s:7.2f} {100 * waits.busy:5.0f}%"
        print(f"{artists:>8} {gpus:>6} {row}", flush=True)
        if options.picture:
            around = sizes_around(load, times, gpus, options.jobs, options.seed)
            sizes[artists] = [(number, one.p95_s, one.busy) for number, one in around.items()]
    if options.picture:
        from bridge.farm.picture import draw_sizes  # noqa: PLC0415 - Matplotlib is slow to load, and an extra

        options.picture.write_bytes(draw_sizes(sizes, options.p95))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = OptionParser(
        prog="retake farm-size", description="Find out how many GPUs a number of artists need, by simulation."
    )
    parser.add_argument("times", type=Path, metavar="TIMES", help="JSON file of service times, which --measure writes")
    parser.add_argument(
        "--artists", type=int, nargs="+", default=[50, 500, 5000], metavar="N", help="default 50 500 5000"
    )
    parser.add_argument("--jobs-per-hour", type=float, default=30.0, metavar="N", help="per artist (default 30)")
    parser.add_argument(
        "--drafts", type=float, default=0.5, metavar="SHARE", help="share of them that are drafts, 0 to 1 (default 0.5)"
    )
    parser.add_argument(
        "--p95", type=float, default=5.0, metavar="S", help="wait that 95 of 100 jobs must not exceed (default 5)"
    )
    parser.add_argument(
        "--jobs", type=int, default=40_000, metavar="N", help="number of simulated jobs (default 40000)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the simulation (default 1)")
    parser.add_argument("--picture", type=Path, metavar="PNG", help="draw larger and smaller farms (needs Matplotlib)")
    parser.add_argument(
        "--measure",
        type=int,
        default=0,
        metavar="N",
        help="first measure N jobs of each kind on the daemon, and write TIMES",
    )
    parser.add_argument("--model", metavar="NAME", help="with --measure: a model other than the daemon's")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("farm-size"),
        metavar="FOLDER",
        help="with --measure: folder for the takes (default %(default)s)",
    )
    return parser


def _read_times(file: Path) -> dict[str, list[float]]:
    content = json.loads(file.read_bytes())
    times = {kind: [float(second) for second in content[kind]] for kind in KINDS}
    if not all(times.values()) or min(map(min, times.values())) <= 0:
        raise ValueError("a service time is missing, or not above 0")
    return times
