"""Long clips: what a second of a restyle costs at each length, and how much memory the process takes at most."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.audio import Audio
from engine.benchmark.clock import describe_machine
from engine.engine import Engine
from engine.requests import Restyle

PROMPT = "heavy rain on a tin roof"
LENGTHS = (10, 30, 60, 120)  # seconds
SAMPLE_RATE, CHANNELS = 48_000, 2
WARM_UP_S = 6  # of the clip that is restyled before anything is measured
_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")

OnRound = Callable[[float, str], None]  # share of the whole, and the current measurement


@dataclass(frozen=True)
class LongClips:
    """The settings: each length once for its memory, then `runs` rounds for its time."""

    lengths: tuple[int, ...] = LENGTHS
    steps: int | None = None  # the model's own
    runs: int = 3


@dataclass(frozen=True)
class _Took:
    wall_s: float
    processor_s: float  # of all threads together
    steps: int


def measure(
    engine: Engine,
    asked: LongClips,
    on_round: OnRound = lambda _share, _text: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Return the report: for each length wall and processor seconds per second of clip, and the process' peak memory.

    The shortest comes first, so that what an allocator keeps counts against the longer ones. The peak is of the whole
    process, None where the system does not report it; it includes clip and take, which are held in memory whole, and
    one of the ratios leaves them out.

    Raises CancelledError when `should_stop` returns True.
    """
    lengths = sorted(asked.lengths)
    peaks: dict[int, int | None] = {}
    wall: dict[int, list[float]] = {seconds: [] for seconds in lengths}
    processor: dict[int, list[float]] = {seconds: [] for seconds in lengths}
    total, done = (asked.runs + 1) * sum(lengths), 0
    steps = _restyle(engine, WARM_UP_S, asked, should_stop).steps
    for turn in range(asked.runs + 1):
        for seconds in lengths:
            on_round(done / total, f"{seconds} s, " + (f"run {turn} of {asked.runs}" if turn else "memory"))
            counts = _forget_peak()
            took = _restyle(engine, seconds, asked, should_stop)
            if turn:
                wall[seconds].append(took.wall_s / seconds)
                processor[seconds].append(took.processor_s / seconds)
            else:
                peaks[seconds] = _peak_bytes() if counts else None
            done += seconds
    return {
        "machine": describe_machine(),
        "settings": {
            "model": engine.model_name, "device": engine.device_name, "operation": "restyle", "prompt": PROMPT,
            "steps": steps, "sample_rate": SAMPLE_RATE, "channels": CHANNELS, "runs": asked.runs,
        },
        "lengths": [
            {
                "seconds": seconds,
                "wall_s_per_second": round(statistics.median(wall[seconds]), 4),
                "processor_s_per_second": round(statistics.median(processor[seconds]), 4),
                "peak_bytes": peaks[seconds],
            }
            for seconds in lengths
        ],
        "ratios": {
            "wall_largest_to_smallest": _spread([statistics.median(times) for times in wall.values()]),
            "processor_largest_to_smallest": _spread([statistics.median(times) for times in processor.values()]),
            "peak_longest_to_shortest": _growth(peaks, 0),
            "peak_without_clip_and_take": _growth(peaks, 2 * CHANNELS * SAMPLE_RATE * np.float32().nbytes),
        },
    }  # fmt: skip


def _restyle(engine: Engine, seconds: int, asked: LongClips, should_stop: Callable[[], bool]) -> _Took:
    noise = np.random.default_rng(0).standard_normal((CHANNELS, seconds * SAMPLE_RATE), dtype=np.float32)
    noise *= np.float32(0.1)
    request = Restyle(Audio(noise, SAMPLE_RATE), PROMPT, steps=asked.steps)
    wall, processor = time.perf_counter(), time.process_time()
    (take,) = engine.run(request, should_stop=should_stop)
    return _Took(time.perf_counter() - wall, time.process_time() - processor, take.story["steps"])


def _forget_peak() -> bool:
    """Reset the peak; False where that is not possible."""
    try:
        _FORGET.write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def _peak_bytes() -> int:
    """The most memory that this process had at once since `_forget_peak`."""
    line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _spread(values: list[float]) -> float:
    return round(max(values) / min(values), 3)


def _growth(peaks: Mapping[int, int | None], bytes_per_second: int) -> float | None:
    """Return the longest clip's peak over the shortest's, both less that many bytes for each second."""
    rest = [peak - bytes_per_second * seconds for seconds, peak in peaks.items() if peak is not None]
    return round(rest[-1] / rest[0], 3) if len(rest) == len(peaks) else None
