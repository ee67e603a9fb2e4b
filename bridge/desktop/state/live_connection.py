"""The connection to Ableton Live: the clip it shows, and commands to its control surface. Blocks: use a thread."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from bridge.clients.live import PREFIX, LiveCommand, find_endpoint
from bridge.errors import LiveMissingError
from bridge.wire.parsing import Message

OnMessage = Callable[[Message], None]


def clip_in_live(folder: Path) -> str:
    """Return the name of the clip that Live shows. Raises LiveMissingError without Live or without a clip in view."""
    with closing(LiveCommand(find_endpoint(folder), "status", [])) as command:
        for address, args in command.replies():
            if address == f"{PREFIX}status.reply" and args[3]:
                return str(args[3])
            if address == f"{PREFIX}status.reply":
                raise LiveMissingError("Live shows no audio clip; click one there, so that Clip View opens")
            if address == "/fail":
                raise LiveMissingError(str(args[3]))
    raise LiveMissingError("Live does not answer")


class LiveJob:
    """One command to the control surface; `run` follows it to its end, on a thread."""

    def __init__(self, folder: Path, operation: str, args: Sequence[Any]) -> None:
        """Find Live. Raises LiveMissingError."""
        self._command = LiveCommand(find_endpoint(folder), operation, args)

    def run(self, on_message: OnMessage) -> Message:
        """Send it and pass its replies on; return its final /done or /fail. Raises LiveMissingError."""
        with closing(self._command):
            for message in self._command.replies():
                if message.address in {"/done", "/fail"}:
                    return message
                on_message(message)
        raise LiveMissingError("Live does not answer")

    def cancel(self) -> None:
        self._command.cancel()
