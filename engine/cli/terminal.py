"""The terminal: errors as sentences, a progress bar, questions, Ctrl-C."""

import json
import re
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

from tqdm import tqdm

from engine.errors import CancelledError, EngineError
from engine.operation_table import read_table, rows_of

_OPTIONS = {
    row.get("x-engine", name): row["x-option"]
    for operation in read_table()["operations"]
    for name, row in rows_of(operation).items()
    if "x-option" in row
} | {"output": "-o", "name": "--name", "model": "--model"}
"""What the command line calls what the engine is asked for."""


def show_error(error: EngineError, *, as_json: bool = False) -> None:
    """The sentence and the hint on stderr; with `as_json` also {"error": {code, text, hint}} on stdout."""
    text, hint = in_options(error.text), in_options(error.hint)
    print(f"{text}\nhint: {hint}", file=sys.stderr)
    if as_json:
        show_json({"error": {"code": error.code, "text": text, "hint": hint}})


def show_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def show_warning(text: str) -> None:
    print(f"warning: {in_options(text)}", file=sys.stderr)


def show_note(text: str) -> None:
    """Print a note on stderr that is not an error."""
    print(text, file=sys.stderr)


def in_options(text: str) -> str:
    """Return a sentence with the engine's names of fields replaced by those of the options."""
    names = "|".join(sorted(_OPTIONS, key=len, reverse=True))
    text = re.sub(rf"^({names}) is ", lambda found: f"{_OPTIONS[found[1]]} is ", text)
    text = re.sub(rf"\b(send|give|with|raise) ({names})\b", lambda found: f"{found[1]} {_OPTIONS[found[2]]}", text)
    text = re.sub(r"\bsend (-\S+) as (a |an |)", r"give \1 \2", text).replace("send ", "give ")
    return re.sub(r"(?<![\w/-])[a-z]+(?:_[a-z0-9]+)+(?![\w/.])", lambda found: _OPTIONS.get(found[0], found[0]), text)


def confirmed(question: str) -> bool:
    """Return whether the user answers yes; False without a terminal."""
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


class TerminalProgressBar:
    """One line on stderr that fills up; silent where stderr is no terminal.

    With `as_json` each report is a line {"fraction", "text"} on stderr instead, for programs that follow it.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self._as_json, self._told = as_json, (-1.0, "")
        columns, rows = shutil.get_terminal_size()  # 80 by 24 if it reports no size; tqdm would show nothing
        bar = "{percentage:3.0f}% {bar:30} {desc}"
        self._bar = tqdm(total=1.0, disable=as_json or None, leave=False, ncols=columns, nrows=rows, bar_format=bar)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def show(self, fraction: float, text: str) -> None:
        """Show `fraction` of the whole, 0 to 1, and the current activity."""
        share = min(max(fraction, 0.0), 1.0)
        self._bar.n = share
        self._bar.set_description_str(text)
        if self._as_json:
            self._write_json(share, text)

    def _write_json(self, share: float, text: str) -> None:
        """Write a line, unless it would hardly differ from the last one."""
        share = round(share, 3)
        if (share, text) != self._told:
            self._told = (share, text)
            print(json.dumps({"fraction": share, "text": text}), file=sys.stderr, flush=True)
