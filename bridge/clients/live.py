"""`retake live`: commands for Retake's control surface in Ableton Live, about the clip in view.

The surface listens where live.json in the state folder says; daw_scripts/ableton/README.md lists its commands.
"""

import argparse
import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pythonosc.osc_message_builder import OscMessageBuilder

from bridge.errors import BridgeError, LiveMissingError, MissingArgumentError, MissingValueError, WrongTypeError
from bridge.host.discovery import is_alive, state_folder
from bridge.operation_table import OPERATIONS
from bridge.wire.arguments import ARGUMENTS
from bridge.wire.osc_codec import decode
from bridge.wire.parsing import Message

PREFIX = "/retake/live/"
COMMANDS: dict[str, tuple[str, ...]] = {
    name: tuple(fixed for fixed in operation["fixed"] if fixed not in ("job", "clip"))
    for name, operation in OPERATIONS.items()
} | {"again": (), "status": ()}
"""The surface's commands, and the arguments of each."""

IN_VIEW = "clip"
"""What `follow` says for the clip in view, instead of a path."""
CANCELLED = 130
_DEADLINE_S = 5.0
"""A command that arrives later is not carried out: by then another clip may be in view."""
_RESEND_S = 0.5
_SILENCES = 8
_MAX_BYTES = 65_536


class Endpoint(NamedTuple):
    """Where the surface listens, and its token."""

    port: int
    token: str


def find_endpoint(folder: Path) -> Endpoint:
    """Return where the surface listens. Raises LiveMissingError, also when the Live that wrote it has ended.

    A Live that crashed leaves its file behind; the program that has its port now must not get the token.
    """
    try:
        content = json.loads((folder / "live.json").read_text(encoding="utf-8"))
        door, pid = Endpoint(int(content["port"]), str(content["token"])), content.get("pid")
        is_kept = pid is None or is_alive(int(pid))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        is_kept = False
    if not is_kept:
        raise LiveMissingError("Live does not run, or Retake is not chosen in it as a control surface")
    return door


def arguments_from_words(operation: str, words: Sequence[str]) -> list[Any]:
    """Read `"a prompt" strength 0.6` as typed arguments. Raises ProtocolError."""
    fixed = COMMANDS[operation]
    if len(words) < len(fixed):
        raise MissingArgumentError(operation, fixed[len(words)], fixed)
    rest = words[len(fixed) :]
    if len(rest) % 2:
        raise MissingValueError(operation, rest[-1])
    args = [_value(name, word) for name, word in zip(fixed, words, strict=False)]
    for key, word in zip(rest[::2], rest[1::2], strict=True):
        args += [key, _value(key, word)]
    return args


def _value(name: str, word: str) -> Any:
    if name not in ARGUMENTS or (name, word) == ("follow", IN_VIEW):  # the surface knows its keys, and its clip
        return word
    try:
        return ARGUMENTS[name].check(name, ARGUMENTS[name].from_word(word))
    except (ValueError, KeyError):
        raise WrongTypeError(name, word, ARGUMENTS[name].expected) from None


class LiveCommand:
    """One command to the surface, and what it answers."""

    def __init__(self, door: Endpoint, operation: str, args: Sequence[Any]) -> None:
        self.id = f"talk-{os.urandom(6).hex()}"
        self._door = door
        self._command = Message(PREFIX + operation, (self.id, *args))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", door.port))

    def close(self) -> None:
        self._socket.close()

    def send(self, message: Message) -> None:
        builder = OscMessageBuilder(address=message.address)
        for value in (*message.args, "token", self._door.token, "deadline", time.time() + _DEADLINE_S):
            builder.add_arg(value, OscMessageBuilder.ARG_TYPE_DOUBLE if isinstance(value, float) else None)
        with contextlib.suppress(ConnectionError):  # `replies` reports that nothing listens
            self._socket.send(builder.build().dgram)

    def cancel(self) -> None:
        self.send(Message(f"{PREFIX}cancel", (self.id,)))

    def replies(self) -> Iterator[Message]:
        """Send the command, resend it after each silence, and yield the replies. Raises LiveMissingError."""
        silences = 0
        self.send(self._command)
        self._socket.settimeout(_RESEND_S)
        while True:
            try:
                messages = decode(self._socket.recv(_MAX_BYTES))
            except TimeoutError:
                silences += 1
                if silences > _SILENCES:
                    raise LiveMissingError("Live does not answer") from None
                self.send(self._command)
                continue
            except ConnectionError as error:
                raise LiveMissingError("Live has gone: nothing listens at its port") from error
            silences = 0
            yield from messages


def main(argv: Sequence[str] | None = None) -> int:
    """Run `retake live`: 0 done, 1 failed, 2 wrong usage, 130 cancelled."""
    parser = argparse.ArgumentParser(
        prog="retake live",
        description="Restyle, inpaint, vary or upscale the clip that Ableton Live shows in Clip View, or generate a"
        " sound beside it.",
        epilog='example: retake live restyle "heavy rain" strength 0.6 candidates 2',
    )
    parser.add_argument("operation", choices=COMMANDS, metavar="OPERATION", help=", ".join(COMMANDS))
    parser.add_argument("words", nargs="*", help="its arguments, then key value pairs (daw_scripts/ableton/README.md)")
    options = parser.parse_intermixed_args(argv)
    try:
        args = arguments_from_words(options.operation, options.words)
        talk = LiveCommand(find_endpoint(state_folder(os.environ)), options.operation, args)
    except BridgeError as error:
        return _complain(error.text, error.hint, 1 if isinstance(error, LiveMissingError) else 2)
    with contextlib.closing(talk):
        return _follow(talk)


def _follow(talk: LiveCommand) -> int:
    try:
        for address, args in talk.replies():
            exit_code = _show(address, args)
            if exit_code is not None:
                return exit_code
    except KeyboardInterrupt:
        talk.cancel()
        return CANCELLED
    except BridgeError as error:
        return _complain(error.text, error.hint, 1)
    return 1


def _show(address: str, args: Sequence[Any]) -> int | None:
    """Print a reply; return the exit code if it was the last one."""
    if address == "/done":
        for path in args[3:]:
            print(f"wrote {path}")
        return 0
    if address == "/fail":
        _, _, code, text, hint = args
        return _complain(text, hint, CANCELLED if code == "cancelled" else 1)
    if address == f"{PREFIX}status.reply":
        _, version, is_busy, clip = args
        print(f"Live with Retake {version} is {'busy' if is_busy else 'idle'}; clip in view: {clip or 'none'}")
        return 0
    if address == f"{PREFIX}warning":
        print(f"warning: {args[1]}", file=sys.stderr)
    return None


def _complain(text: str, hint: str, exit_code: int) -> int:
    print(f"{text}\nhint: {hint}", file=sys.stderr)
    return exit_code
