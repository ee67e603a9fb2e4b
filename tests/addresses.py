"""Which addresses a stretch of code calls, told by Python's own audit events; nothing is stood in for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_called: list[list[str]] = []  # of the stretches that are being watched, the innermost last


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _called and event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        _called[-1].append(f"{event} {arguments[-1] if event == 'socket.connect' else arguments[0]}")


sys.addaudithook(_note)  # stays for good; outside of a watched stretch it does nothing


@contextmanager
def addresses_called() -> Iterator[list[str]]:
    """Yield a list that fills with the addresses that are called in this block, by any thread of this process."""
    _called.append([])
    try:
        yield _called[-1]
    finally:
        _called.pop()
