"""The line to Ableton Live: which clip it shows, and one command to its control surface. Blocks: for threads. No Qt."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from bridge.clients.live import PREFIX, LiveCommand, find_door
from bridge.errors import LiveMissingError
from bridge.wire.parsing import Message

Tell = Callable[[Message], None]


def clip_in_live(folder: Path) -> str:
    """Name the clip that Live shows. Raises LiveMissingError when Live, or a clip in its view, is not there."""
    with closing(LiveCommand(find_door(folder), "status", [])) as talk:
        for address, args in talk.hear():
            if address == f"{PREFIX}status.reply" and args[3]:
                return str(args[3])
            if address == f"{PREFIX}status.reply":
                raise LiveMissingError("Live shows no audio clip; click one there, so that Clip View opens")
            if address == "/fail":
                raise LiveMissingError(str(args[3]))
    raise LiveMissingError("Live does not answer")


class LiveJob:
    """One command to the surface; `run` follows it to its end, on a thread."""

    def __init__(self, folder: Path, operation: str, args: Sequence[Any]) -> None:
        """Find Live. Raises LiveMissingError."""
        self._talk = LiveCommand(find_door(folder), operation, args)

    def run(self, tell: Tell) -> Message:
        """Send it and pass its news on; return the /done or /fail at its end. Raises LiveMissingError."""
        with closing(self._talk):
            for message in self._talk.hear():
                if message.address in {"/done", "/fail"}:
                    return message
                tell(message)
        raise LiveMissingError("Live does not answer")

    def cancel(self) -> None:
        self._talk.cancel()
