"""`python -m tests.campaigns crash|fuzz|files|soak|farm|faults [--long] [--seed N] [--out FILE]`.

Each runs small unless `--long` is given; `--size N` chooses another number of kills, datagrams, files or jobs.
Prints the report as JSON; exits with 1 when a criterion is not met, with 130 after Ctrl-C.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.campaigns.report import Progress

SIZES = {
    "crash": (20, 200),
    "fuzz": (100_000, 1_000_000),
    "files": (200, 2_000),
    "soak": (1_000, 10_000),
    "farm": (500, 2_000),
}
"""Kills, datagrams, files, jobs: in a usual run, and in a long one."""
NAMES = (*SIZES, "faults")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one campaign and print what it found."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns", description="Long trials of the daemon.")
    parser.add_argument("campaign", choices=NAMES)
    parser.add_argument("--long", action="store_true", help="the size that bridge/README.md speaks of")
    parser.add_argument("--size", type=int, metavar="N", help="any other size; faults have none")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the report there, too")
    options = parser.parse_args(argv)
    progress = Progress(options.campaign)
    run = getattr(importlib.import_module(f"tests.campaigns.{options.campaign}"), f"run_{options.campaign}")
    sizes = [] if options.campaign == "faults" else [options.size or SIZES[options.campaign][options.long]]
    try:
        report = run(options.seed, *sizes, progress)
    except KeyboardInterrupt:
        progress.end()
        print("stopped", file=sys.stderr)
        return 130
    progress.end()
    text = report.to_json()
    print(text)
    if options.out is not None:
        options.out.write_text(text + "\n", encoding="utf-8")
    for criterion in report.failures():
        print(f"NOT MET: {criterion.name}: {criterion.found}; expected {criterion.wanted}", file=sys.stderr)
    print(f"{options.campaign}: {report.verdict}", file=sys.stderr)
    return 1 if report.failures() else 0


if __name__ == "__main__":
    raise SystemExit(main())
