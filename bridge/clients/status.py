"""`retake status`: whether a daemon runs, where, and what it is doing."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bridge.clients.client import Client
from bridge.errors import BridgeError, DaemonMissingError
from bridge.host.discovery import Runtime, find_daemon, state_folder
from bridge.wire.messages import Status, StatusReply

_TRIES = 10
_TRY_S = 0.3


def main(argv: Sequence[str] | None = None) -> int:
    """Print the runtime file's content and the daemon's state; exit 1 when none runs."""
    parser = argparse.ArgumentParser(
        prog="retake status", description="Show whether the daemon is running, and what it is doing."
    )
    parser.add_argument("--json", action="store_true", help="machine-readable, with the token")
    options = parser.parse_args(argv)
    try:
        facts = _ask()
    except BridgeError as error:
        if options.json:
            print(json.dumps({"error": {"code": error.code, "text": error.text, "hint": error.hint}}))
        else:
            print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)
        return 1
    print(json.dumps(facts) if options.json else _sentence(facts))
    return 0


def _ask() -> dict[str, Any]:
    runtime = find_daemon(state_folder(os.environ))
    if runtime is None:
        raise DaemonMissingError("no daemon runs")
    return runtime.facts() | asdict(ask_daemon(runtime))


def ask_daemon(runtime: Runtime) -> StatusReply:
    """Return a daemon's status, asking several times if need be. Raises DaemonMissingError if it does not answer."""
    with Client(runtime) as client:
        for _ in range(_TRIES):
            client.send(Status())
            reply = client.receive(_TRY_S)
            if isinstance(reply, StatusReply):
                return reply
    raise DaemonMissingError(f"the daemon at {runtime.host}:{runtime.port} does not answer")


def _sentence(facts: dict[str, Any]) -> str:
    notes = "".join(f"\n{note}" for note in facts["notes"])
    held = "; the queue is paused (`retake send pause 0` resumes)" if facts["paused"] else ""
    return (
        "Retake {version} at {host}:{port} (pid {pid}) is {state}; "
        "model {model} on {device}, {queue_length} unfinished jobs".format(**facts)
        + held
        + notes
    )
