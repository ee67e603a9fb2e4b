"""`retake`: hands each command to the room that knows it, without opening the others."""

import importlib
import sys
from collections.abc import Sequence

from bridge.host.entry import enter

ROOMS = {
    "install-scripts": ("bridge.daw_install.command", "put Retake's scripts into REAPER, Ardour and Ableton Live"),
    "daemon": ("bridge.daemon.main", "listen for OSC requests and render them"),
    "tray": ("bridge.desktop.start", "show Retake in the tray, with its window"),
    "send": ("bridge.clients.send", "send one request to the daemon"),
    "batch": ("bridge.batch.command", "render a list of requests into a folder, thousands if need be"),
    "farm-size": ("bridge.farm.sizing", "find out how many GPUs a number of artists need"),
    "live": ("bridge.clients.live", "tell Ableton Live what to do with the clip in view"),
    "jobs": ("bridge.clients.history", "show earlier jobs, or ask for one again"),
    "mcp": ("bridge.clients.mcp_command", "offer the operations to assistants (Model Context Protocol, stdio)"),
    "preview": ("bridge.preview.command", "play a sound file on this machine"),
    "status": ("bridge.clients.status", "say whether the daemon runs, and what it does"),
    "settings": ("bridge.clients.settings_command", "show the settings, and where each comes from"),
    "doctor": ("bridge.diagnosis.doctor", "look for what is wrong, and say what to do about it"),
    "support": ("bridge.diagnosis.support", "pack what helps us to help you into one file, without audio"),
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
    if words and words[0] in WORKER:  # their streams are pipes to whoever keeps them
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
