"""What a campaign found: its figures, the criteria that they have to meet, and how it says where it is."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Say = Callable[[str], None]


def silent(_: str) -> None:
    """Say nothing; for tests."""


class Progress:
    """Prints how far a campaign is: the same line again on a terminal, a line every ten seconds elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started_at = time.monotonic()
        self._last_at = 0.0

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        is_terminal = sys.stderr.isatty()
        if now - self._last_at < (0.2 if is_terminal else 10.0):
            return
        self._last_at = now
        line = f"{self._name} {now - self._started_at:5.0f} s  {text}"
        print(
            f"\r{line:<110.110}" if is_terminal else line, end="" if is_terminal else "\n", file=sys.stderr, flush=True
        )

    def end(self) -> None:
        if sys.stderr.isatty():
            print(file=sys.stderr)


@dataclass(frozen=True)
class Criterion:
    """Something that has to be so: what was wanted, what was found, and whether that is good."""

    name: str
    wanted: str
    found: Any
    holds: bool


@dataclass
class Report:
    """The figures of one run, and its criteria."""

    campaign: str
    seed: int
    figures: dict[str, Any] = field(default_factory=dict)
    criteria: list[Criterion] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    started_at: float = field(default_factory=time.monotonic)

    def none_of(self, name: str, found: list[Any]) -> None:
        """Nothing may be in `found`; the first few are shown if there is something."""
        self.criteria.append(Criterion(name, "0", [str(item) for item in found[:5]] if found else 0, not found))

    def at_most(self, name: str, limit: float, found: float) -> None:
        self.criteria.append(Criterion(name, f"<= {limit:g}", found, found <= limit))

    def at_least(self, name: str, limit: float, found: float) -> None:
        self.criteria.append(Criterion(name, f">= {limit:g}", found, found >= limit))

    def holds(self, name: str, *, found: bool) -> None:
        self.criteria.append(Criterion(name, "yes", "yes" if found else "no", found))

    def failures(self) -> list[Criterion]:
        return [criterion for criterion in self.criteria if not criterion.holds]

    @property
    def verdict(self) -> str:
        return "failed" if self.failures() else "passed"

    def to_json(self) -> str:
        values = {
            "campaign": self.campaign,
            "seed": self.seed,
            "seconds": round(time.monotonic() - self.started_at, 1),
            "verdict": self.verdict,
            "figures": self.figures,
            "criteria": [vars(criterion) for criterion in self.criteria],
            "skipped": self.skipped,
        }
        return json.dumps(values, indent=1)
