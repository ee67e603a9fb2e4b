"""`retake batch`: renders a list of requests into a folder; an interrupted batch can be resumed."""

import argparse
import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from stat import S_ISREG
from types import FrameType

from bridge.batch.errors import BatchBusyError, BatchFolderError, BatchRowError
from bridge.batch.manifest import LOCK_FILE, BatchManifest
from bridge.batch.request_list import BatchItem, read_list
from bridge.batch.runner import BatchRun, Limits, Tally
from bridge.errors import BridgeError
from bridge.host.discovery import InstanceLock, state_folder

FAILED, WRONG_USE, FULL, CANCELLED = 1, 2, 3, 130
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_MAX_NAMED = 20
"""Rows that are named one by one; further ones are counted."""
_DRAW_S, _LINE_S = 0.5, 10.0
"""How often progress is printed: on a terminal, and into a file."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `retake batch`: 0 all done, 1 some failed, 2 wrong usage, 3 the folder is full, 130 cancelled."""
    options = _parser().parse_args(argv)
    folder = Path(os.path.abspath(options.output))
    lock = InstanceLock(folder, LOCK_FILE)
    bad_rows: list[BatchRowError] = []
    try:
        notes: list[str] = []
        items = read_list(options.list, folder, bad_rows.append, notes.append)
        if notes:
            print(f"columns that say nothing to Retake are passed over: {', '.join(notes)}", file=sys.stderr)
        _print_skipped(bad_rows)
        if items and not _acquire(lock, folder):
            raise BatchBusyError(folder)
        exit_code = _render(items, folder, Limits(options.in_flight, options.max_disk)) if items else FAILED
    except BridgeError as error:
        print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)
        return FAILED
    else:
        return exit_code or (FAILED if bad_rows else 0)
    finally:
        lock.release()


def _print_skipped(bad_rows: Sequence[BatchRowError]) -> None:
    """Print the rows that are skipped."""
    for error in bad_rows[:_MAX_NAMED]:
        print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)
    if len(bad_rows) > _MAX_NAMED:
        print(f"and {len(bad_rows) - _MAX_NAMED} rows more are passed over", file=sys.stderr)


def _acquire(lock: InstanceLock, folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(lock_file := folder / LOCK_FILE) and not S_ISREG(os.lstat(lock_file).st_mode):
            raise BatchFolderError(folder, f"{LOCK_FILE} in it is a link or no file at all")
        return lock.acquire()
    except (FileExistsError, NotADirectoryError) as error:
        raise BatchFolderError(folder, "it, or a part of its path, is a file") from error
    except OSError as error:
        raise BatchFolderError(folder, error.strerror or error) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="retake batch",
        description="Render a list of requests into a folder. Existing results are not rendered again, so that an "
        "interrupted batch resumes when it is started again.",
        epilog="A list is a .csv or .tsv whose header names arguments (prompt,seconds,seed,...; operation, clip), "
        "a .jsonl with one object a line, a .json, or a .txt with one prompt a line (lines with # are comments). "
        "example: retake batch prompts.csv -o rain",
    )
    parser.add_argument("list", type=Path, metavar="LIST", help="prompts.csv, .tsv, .jsonl, .json or .txt")
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="folder of the results")
    parser.add_argument("--in-flight", type=_count, default=32, metavar="N", help="jobs sent at a time (default 32)")
    parser.add_argument("--max-disk", type=_size, metavar="SIZE", help="maximum size of the folder: 500M, 20G")
    return parser


def _count(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r}; expected a number from 1")
    return int(word)


def _size(word: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", word.lower())
    if match is None:
        raise argparse.ArgumentTypeError(f"{word!r}; expected a size such as 500M or 20G")
    return int(float(match[1]) * _UNITS[match[2]])


def _render(items: Sequence[BatchItem], folder: Path, limits: Limits) -> int:
    try:
        with BatchManifest(folder) as manifest:
            run = _run(items, folder, limits, manifest)
    except OSError as error:
        raise BatchFolderError(folder, error.strerror or error) from error
    for item, entry in run.failures[:_MAX_NAMED]:
        print(f"row {item.row} failed: {entry.error_text}", file=sys.stderr)
    print(f"wrote {manifest.file}")
    return _exit_code(run, limits)


def _run(items: Sequence[BatchItem], folder: Path, limits: Limits, manifest: BatchManifest) -> BatchRun:
    screen = _Screen()
    run = BatchRun(folder, items, manifest, limits, screen.show)
    earlier = {number: signal.signal(number, _Stopper(run)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        run.go(state_folder(os.environ))
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
        screen.end(run.tally)
        manifest.put_in_order(item.key for item in items)
    return run


class _Stopper:
    """The first signal cancels the batch; the second ends the process at once."""

    def __init__(self, run: BatchRun) -> None:
        self._run = run

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        self._run.is_stopping = True
        signal.signal(number, signal.SIG_DFL)


def _exit_code(run: BatchRun, limits: Limits) -> int:
    if run.is_stopping:
        print("cancelled; the same command goes on from here", file=sys.stderr)
        return CANCELLED
    if run.is_full:
        print(f"the folder may hold {limits.num_bytes} bytes, and the next result would not fit", file=sys.stderr)
        print("hint: raise --max-disk, or move results away and give another -o", file=sys.stderr)
        return FULL
    if run.tally.num_failed:
        print("hint: the manifest says what failed and why; the same command tries those again", file=sys.stderr)
    return FAILED if run.tally.num_failed else 0


class _Screen:
    """Progress on stderr: one line that changes on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._next_at = 0.0

    def show(self, tally: Tally) -> None:
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + (_DRAW_S if self._is_terminal else _LINE_S)
            self._print(tally, end="" if self._is_terminal else "\n")

    def end(self, tally: Tally) -> None:
        self._print(tally, end="\n")

    def _print(self, tally: Tally, end: str) -> None:
        start = "\r\x1b[K" if self._is_terminal else ""
        print(f"{start}{progress_line(tally)}", end=end, file=sys.stderr, flush=True)


def progress_line(tally: Tally) -> str:
    """Return the progress of a batch: `120 of 500 done, 2 failed, 3.1 a second, 2:03 left, 180 MB`."""
    parts = [f"{tally.num_done} of {tally.num_items} done"]
    if tally.num_failed:
        parts.append(f"{tally.num_failed} failed")
    if tally.left_s is not None:
        minutes, seconds = divmod(round(tally.left_s), 60)
        hours, minutes = divmod(minutes, 60)
        clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
        parts += [f"{tally.per_s:.2g} a second", f"{clock} left"]
    return ", ".join([*parts, f"{tally.num_bytes / 1e6:.0f} MB"])
