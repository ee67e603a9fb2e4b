"""What the command line says and hears: errors in words, a progress bar on terminals, Ctrl-C."""

import json
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

from tqdm import tqdm

from engine.errors import CancelledError, EngineError


def show_error(error: EngineError, *, as_json: bool = False) -> None:
    """The sentence and the hint on stderr; with `as_json` also {"error": {code, text, hint}} on stdout."""
    print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)
    if as_json:
        show_json({"error": {"code": error.code, "text": error.text, "hint": error.hint}})


def show_json(value: Mapping[str, Any]) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def show_warning(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


def confirmed(question: str) -> bool:
    """Whether somebody at the terminal answers yes; False where nobody can be asked."""
    if not sys.stdin.isatty():
        return False
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def exit_code_of(error: EngineError) -> int:
    return 130 if isinstance(error, CancelledError) else 1


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Yields `should_stop`: true after the first Ctrl-C. A second one stops at once (KeyboardInterrupt)."""
    wish = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of signal handlers
        signal.signal(signal.SIGINT, signal.default_int_handler)
        wish.set()

    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield wish.is_set
        return
    previous = signal.signal(signal.SIGINT, note)
    try:
        yield wish.is_set
    finally:
        signal.signal(signal.SIGINT, previous)


class ProgressBar:
    """One line on stderr that fills up; silent where stderr is no terminal.

    With `as_json` each piece of news is a line {"fraction", "text"} on stderr instead, for programs that follow it.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self._as_json, self._told = as_json, (-1.0, "")
        columns, rows = shutil.get_terminal_size()  # 80 by 24 where the terminal does not say; tqdm would show nothing
        bar = "{percentage:3.0f}% {bar:30} {desc}"
        self._bar = tqdm(total=1.0, disable=as_json or None, leave=False, ncols=columns, nrows=rows, bar_format=bar)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def show(self, fraction: float, text: str) -> None:
        """`fraction` of the whole, 0 to 1, and what is being done."""
        share = min(max(fraction, 0.0), 1.0)
        self._bar.n = share
        self._bar.set_description_str(text)
        if self._as_json:
            self._tell(share, text)

    def _tell(self, share: float, text: str) -> None:
        """Write a line, unless it would say next to nothing new."""
        share = round(share, 3)
        if (share, text) != self._told:
            self._told = (share, text)
            print(json.dumps({"fraction": share, "text": text}), file=sys.stderr, flush=True)
