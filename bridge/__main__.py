"""`retake`: hands each command to the room that knows it, without opening the others."""

import importlib
import sys
from collections.abc import Sequence

ROOMS = {
    "daemon": "bridge.daemon",
    "send": "bridge.send",
    "status": "bridge.status",
    "worker": "bridge.render",
}
"""Commands of the bridge, and the module whose `main` runs each; all others are the engine's."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Its room is imported only now: the daemon must never load torch, nor `retake send` the daemon."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in ROOMS:
        room, words = ROOMS[words[0]], words[1:]
    else:
        room = "engine.cli"
    exit_code: int = importlib.import_module(room).main(words)
    return exit_code


if __name__ == "__main__":
    raise SystemExit(main())
