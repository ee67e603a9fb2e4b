"""What Linux says of processes, by /proc: memory, children, who is left over."""

import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.daemons import is_alive


def rss_kb(pid: int) -> int:
    """The memory that a process has in RAM, kB; 0 when it has gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def children_of(pid: int) -> list[int]:
    try:
        files = list(Path(f"/proc/{pid}/task").glob("*/children"))
        return [int(child) for file in files for child in file.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def processes_of(state_dir: Path) -> list[int]:
    """Every living process that was started for the daemon of this state folder."""
    mark = f"RETAKE_STATE_DIR={state_dir}\0".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            is_ours = mark in (entry / "environ").read_bytes() + b"\0"
        except OSError:
            continue
        if is_ours and is_alive(int(entry.name)):
            found.append(int(entry.name))
    return found


def dropped_datagrams(port: int) -> int:
    """How many datagrams the system has dropped because the program at this UDP port did not fetch them in time."""
    for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
        columns = line.split()
        if int(columns[1].rpartition(":")[2], 16) == port:
            return int(columns[-1])
    return 0


@dataclass
class Memory:
    """The memory of one process over a campaign, sampled at most every `interval_s`."""

    interval_s: float = 0.25
    samples: list[int] = field(default_factory=list)  # kB
    _last_at: float = 0.0

    def sample(self, pid: int | None) -> None:
        now = time.monotonic()
        if pid is None or now - self._last_at < self.interval_s:
            return
        self._last_at = now
        if size := rss_kb(pid):
            self.samples.append(size)

    def growth_percent(self) -> float:
        """From after the warm-up (the first fifth) to the end: medians of a tenth of all samples each."""
        if len(self.samples) < 20:
            return 0.0
        tenth = len(self.samples) // 10
        early, late = self.samples[2 * tenth : 3 * tenth], self.samples[-tenth:]
        return round(100 * (statistics.median(late) / statistics.median(early) - 1), 2)

    def figures(self) -> dict[str, float | list[float]]:
        peak = max(self.samples, default=0) / 1024
        last = (self.samples or [0])[-1] / 1024
        return {
            "growth_percent": self.growth_percent(),
            "end_mb": round(last, 1),
            "peak_mb": round(peak, 1),
            "tenths_mb": self._tenths_mb(),
        }

    def _tenths_mb(self) -> list[float]:
        """The curve: the median of each tenth of the time."""
        size = len(self.samples) // 10
        if not size:
            return []
        parts = [self.samples[start : start + size] for start in range(0, 10 * size, size)]
        return [round(statistics.median(part) / 1024, 1) for part in parts]
