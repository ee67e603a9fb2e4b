"""Runs what might crash, hang or be missing in a child process, so that the doctor survives it."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.host.program import HOME, own_command, start_flags

TIMEOUT_S = 120.0
"""How long an answer may take: importing PyTorch from a slow disk takes long."""


@dataclass(frozen=True)
class ProbeAnswer:
    """What the process printed as JSON, or else `trouble`: a sentence about why there is no answer.

    `hint` is what the process itself suggests, if anything.
    """

    facts: dict[str, Any]
    trouble: str = ""
    hint: str = ""


def ask(*words: str, environment: Mapping[str, str] | None = None, timeout_s: float = TIMEOUT_S) -> ProbeAnswer:
    """Run `retake <words>` and read its JSON object; any failure becomes the answer's trouble."""
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            own_command(*words),
            cwd=HOME,
            env=dict(os.environ | (environment or {})),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            creationflags=start_flags(),
        )
    except subprocess.TimeoutExpired:
        return ProbeAnswer({}, f"`retake {' '.join(words)}` gave no answer within {timeout_s:g} s")
    except OSError as error:
        return ProbeAnswer({}, f"`retake {' '.join(words)}` does not start: {error.strerror or error}")
    return _understood(words, done)


def _understood(words: tuple[str, ...], done: subprocess.CompletedProcess[bytes]) -> ProbeAnswer:
    try:
        facts = json.loads(done.stdout)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        return ProbeAnswer({}, f"`retake {' '.join(words)}` {_ending(done.returncode)}{_last_line(done.stderr)}")
    if isinstance(error := facts.get("error"), dict):
        return ProbeAnswer({}, str(error.get("text")), str(error.get("hint", "")))
    return ProbeAnswer(facts)


def _ending(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"


def _last_line(stderr: bytes) -> str:
    """Return the last line of a process, which is where Python names the reason."""
    lines = stderr.decode(errors="replace").strip().splitlines()
    return f": {lines[-1].strip()[:300]}" if lines else ""
