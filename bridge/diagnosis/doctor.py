"""`retake doctor`: checks everything that Retake needs, and says what is wrong and how to fix it.

Changes nothing. Every check is loaded and run separately, so that a broken part fails its own check and not the rest.
"""

import argparse
import importlib
import json
import platform
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from bridge import __version__
from bridge.diagnosis.checks.finding import Finding, FindingState, problem
from bridge.diagnosis.checks.surroundings import Surroundings, own_surroundings

CHECKS = {
    "versions": "versions:check_versions",
    "packages": "versions:check_packages",
    "CLAP": "versions:check_clap",
    "settings": "settings_file:check_settings",
    "state folder": "folders:check_state_folder",
    "daemon": "daemon:check_daemon",
    "port": "daemon:check_port",
    "journal": "journal:check_journal",
    "models": "models:check_models",
    "device": "device:check_device",
    "output folder": "folders:check_output_folder",
    "disk space": "folders:check_disk_space",
    "audio output": "outputs:check_outputs",
    "render farm": "farm:check_farm",
    "workstations": "workstations:check_workstations",
}
"""Groups of checks in the order of their output: a module of `diagnosis.checks`, and its function."""
SELF_TEST = {"self-test": "self_test:check_rendering"}
"""Takes long, so it runs only on request."""

_AT_ONCE = 6
"""Checks that run at the same time; most of them wait for a child process."""
_NAME_WIDTH = 22
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Print every finding; return 0 without problems, 1 with any, 130 when interrupted."""
    options = _options(argv)
    try:
        return _run(options)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    checks = CHECKS | SELF_TEST if options.self_test else CHECKS
    findings = []
    for finding in examine(own_surroundings(), checks):
        findings.append(finding)
        if not options.json:
            _show(_sentences(finding))
    if options.json:
        _show([json.dumps(report(findings), indent=1)])
    else:
        _show(["", _summary(findings)])
    return 1 if _count(findings, FindingState.PROBLEM) else 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="retake doctor",
        description="Check everything that Retake needs: what is wrong, and how to fix it. Changes nothing.",
        epilog="The exit code is 1 if there is a problem, otherwise 0; warnings do not count.",
    )
    parser.add_argument("--self-test", action="store_true", help="also render a short sound, and say how long it took")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    return parser.parse_args(argv)


def examine(surroundings: Surroundings, checks: Mapping[str, str] = CHECKS) -> Iterator[Finding]:
    """Run the checks at the same time, and yield their findings in the order of the table."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for findings in pool.map(lambda name: _run_check(name, checks[name], surroundings), checks):
            yield from findings


def _run_check(name: str, row: str, surroundings: Surroundings) -> list[Finding]:
    """Return a group's findings; a check that fails to run is a problem itself."""
    module, _, function = row.partition(":")
    findings: list[Finding] = []
    try:
        findings.extend(getattr(importlib.import_module(f"bridge.diagnosis.checks.{module}"), function)(surroundings))
    except Exception as error:  # noqa: BLE001 - whatever is broken becomes a finding
        findings.append(_impossible(name, error))
    return findings


def _impossible(name: str, error: Exception) -> Finding:
    if isinstance(error, ImportError):
        return problem(name, f"this could not be checked: {error}", "reinstall Retake, as its README says")
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return problem(
            name, f"this could not be checked: {where}{error.strerror or error}", "check that you may use it"
        )
    if isinstance(error, RuntimeError) and "home" in str(error):
        return problem(name, "this could not be checked: this user has no home folder", "set the variable HOME")
    text = f"this could not be checked: {type(error).__name__}: {error}"
    return problem(name, text, "run `retake support`, and send us the file that it makes")


def report(findings: Iterable[Finding]) -> dict[str, Any]:
    """Return the findings as JSON values."""
    listed = list(findings)
    return {
        "retake": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "problems": _count(listed, FindingState.PROBLEM),
        "warnings": _count(listed, FindingState.WARNING),
        "checks": [
            {"name": one.name, "state": str(one.state), "finding": one.text, "remedy": one.remedy} for one in listed
        ],
    }


def _count(findings: Iterable[Finding], state: FindingState) -> int:
    return sum(finding.state is state for finding in findings)


def _sentences(finding: Finding) -> Iterator[str]:
    width = max(60, min(shutil.get_terminal_size().columns, 120))
    head = f"{finding.state:<8} {finding.name:<{_NAME_WIDTH}} "
    yield from _wrapped(finding.text, head, len(head), width)
    if finding.remedy:
        yield from _wrapped(finding.remedy, f"{'':8} {'':{_NAME_WIDTH}} -> ", len(head) + 3, width)


def _wrapped(text: str, head: str, indent: int, width: int) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=head, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )


def _summary(findings: Sequence[Finding]) -> str:
    problems, warnings = _count(findings, FindingState.PROBLEM), _count(findings, FindingState.WARNING)
    if not problems and not warnings:
        return "All is well."
    counts = [_counted(count, word) for count, word in ((problems, "problem"), (warnings, "warning")) if count]
    return f"{' and '.join(counts)}; the lines that begin with -> say what to do"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _show(lines: Iterable[str]) -> None:
    """Print lines, also where the terminal's encoding lacks a character of some path."""
    for line in lines:
        encoding = sys.stdout.encoding or "utf-8"
        print(line.encode(encoding, "backslashreplace").decode(encoding), flush=True)
