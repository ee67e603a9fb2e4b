"""What code asks of the system, seen and refused by Python's own audit events: nothing has to be put in its place.

The events are listed at https://docs.python.org/3/library/audit_events.html; what a hook raises, the call raises.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Act = Callable[..., None]  # gets what the event tells, such as the path that is opened; may raise or wait

_acts: list[tuple[str, Act]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for watched, act in tuple(_acts):
        if event == watched:
            act(*arguments)


sys.addaudithook(_hook)  # stays for good; while nothing is watched it does nothing


@contextmanager
def before(event: str, act: Act) -> Iterator[None]:
    """Let `act` come before every call of a kind in this block, in any thread of this process.

    Args:
        event: as in `os.rename`, `os.link`, `os.remove`, `open`, `socket.connect`.
        act: what to do then; what it raises, the call raises.
    """
    row = (event, act)
    _acts.append(row)
    try:
        yield
    finally:
        _acts.remove(row)


@contextmanager
def addresses_called() -> Iterator[list[str]]:
    """Yield a list that fills with the addresses that are called in this block."""
    called: list[str] = []
    with (
        before("socket.getaddrinfo", lambda host, *_: called.append(f"socket.getaddrinfo {host}")),
        before("socket.connect", lambda _, address: called.append(f"socket.connect {address}")),
    ):
        yield called
