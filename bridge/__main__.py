"""`retake`: hands each command to the room that knows it, without opening the others."""

import importlib
import sys
from collections.abc import Sequence

from bridge.host.entry import enter

ROOMS = {
    "install-scripts": ("bridge.daw_install.command", "install Retake's scripts into REAPER, Ardour and Ableton Live"),
    "daemon": ("bridge.daemon.main", "listen for OSC requests and render them"),
    "tray": ("bridge.desktop.start", "show Retake's window and tray icon"),
    "send": ("bridge.clients.send", "send one request to the daemon"),
    "batch": ("bridge.batch.command", "render a list of requests into a folder"),
    "farm-size": ("bridge.farm.sizing", "find out how many GPUs a number of artists need"),
    "live": ("bridge.clients.live", "restyle and more, on the clip that Ableton Live shows"),
    "jobs": ("bridge.clients.history", "show earlier jobs, or repeat one"),
    "mcp": ("bridge.clients.mcp_command", "offer the operations to AI assistants (Model Context Protocol, on stdio)"),
    "preview": ("bridge.preview.command", "play a sound file on this machine"),
    "status": ("bridge.clients.status", "show whether the daemon is running, and what it is doing"),
    "settings": ("bridge.clients.settings_command", "show the settings and where each comes from"),
    "doctor": ("bridge.diagnosis.doctor", "find what is wrong and how to fix it"),
    "support": ("bridge.diagnosis.support", "pack diagnostics for a bug report into one file, without audio"),
}
"""Commands of the bridge: the module whose `main` runs each, and what it is for. All others are the engine's."""

WORKER = {
    "worker": ("bridge.rendering.process", ""),
    "farm-worker": ("bridge.farm.process", ""),
    "player": ("bridge.preview.process", ""),
    "examine": ("bridge.diagnosis.probe", ""),
}
"""Processes that only Retake itself starts: those that render, that play, and that may crash under the doctor."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Its room is imported only now: the daemon must never load torch, nor `retake send` the daemon."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in WORKER:  # their streams are pipes to the process that started them
        return int(importlib.import_module(WORKER[words[0]][0]).main(words[1:]))
    return enter(lambda: _run(words))


def _run(words: list[str]) -> int:
    if words and words[0] in ROOMS:
        return int(importlib.import_module(ROOMS[words[0]][0]).main(words[1:]))
    cli = importlib.import_module("engine.cli")
    listed = [cli.Command(name, summary, "", "") for name, (_, summary) in ROOMS.items()]
    return int(cli.main(words, (*cli.COMMANDS, *listed)))


if __name__ == "__main__":
    raise SystemExit(main())
