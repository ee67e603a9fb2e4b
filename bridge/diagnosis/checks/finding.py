"""One finding of a check: what was checked, its state, and what to do about it. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class FindingState(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """What a check found: `text` says it in one sentence, `remedy` what to do next; only what is ok needs none."""

    name: str
    state: FindingState
    text: str
    remedy: str = ""

    def __post_init__(self) -> None:
        assert bool(self.remedy) == (self.state is not FindingState.OK), f"{self.name}: a remedy is for what is not ok"


def ok(name: str, text: str) -> Finding:
    return Finding(name, FindingState.OK, text)


def warning(name: str, text: str, remedy: str) -> Finding:
    return Finding(name, FindingState.WARNING, text, remedy)


def problem(name: str, text: str, remedy: str) -> Finding:
    return Finding(name, FindingState.PROBLEM, text, remedy)
