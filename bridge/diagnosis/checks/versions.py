"""Which Python and which Retake this is, and whether the packages that it needs are there and can be loaded."""

import platform
import sys
from collections.abc import Iterator

from bridge import __version__
from bridge.diagnosis.checks.asking import ask
from bridge.diagnosis.checks.finding import Finding, ok, problem
from bridge.diagnosis.checks.surroundings import Surroundings

_OLDEST, _BEYOND = (3, 11), (3, 15)


def check_versions(_: Surroundings) -> Iterator[Finding]:
    yield ok("retake", f"Retake {__version__} on {platform.system()} {platform.release()}, {platform.machine()}")
    text = f"Python {platform.python_version()} at {sys.executable}"
    if _OLDEST <= sys.version_info[:2] < _BEYOND:
        yield ok("python", text)
    else:
        yield problem("python", f"{text} is not one that Retake runs on", "install Retake with Python 3.11 to 3.14")


def check_packages(_: Surroundings) -> Iterator[Finding]:
    answer = ask("examine", "packages")
    broken = {name: why for name, why in answer.facts.items() if why}
    for name, why in broken.items():
        yield problem(
            f"package {name}", f"the package {name} cannot be loaded: {why}", "reinstall Retake, as its README says"
        )
    if answer.trouble:
        yield problem("packages", answer.trouble, "reinstall Retake, as its README says")
    elif not broken:
        yield ok("packages", f"all {len(answer.facts)} packages that Retake needs can be loaded")


def check_clap(_: Surroundings) -> Iterator[Finding]:
    """Say which of two libraries computes the audio tower of the published models' CLAP: the same vectors from both."""
    answer = ask("examine", "clap")
    if answer.trouble:
        yield problem("clap", answer.trouble, answer.hint or "install Retake again, as its README says")
    else:
        yield ok("clap", f"CLAP's audio tower is computed by {answer.facts['library']} {answer.facts['version']}")
