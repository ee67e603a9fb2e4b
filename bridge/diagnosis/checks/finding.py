"""One finding of a check: what was checked, its state, and what to do about it. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """What a check found: `text` says it in one sentence, `remedy` what to do next; only what is ok needs none."""

    name: str
    state: State
    text: str
    remedy: str = ""

    def __post_init__(self) -> None:
        assert bool(self.remedy) == (self.state is not State.OK), f"{self.name}: only what is not ok has a remedy"


def ok(name: str, text: str) -> Finding:
    return Finding(name, State.OK, text)


def warning(name: str, text: str, remedy: str) -> Finding:
    return Finding(name, State.WARNING, text, remedy)


def problem(name: str, text: str, remedy: str) -> Finding:
    return Finding(name, State.PROBLEM, text, remedy)
