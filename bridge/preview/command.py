"""`retake preview`: play a sound file, stop it, or list the output devices.

The daemon plays where one runs, so that any client can stop it; otherwise the same player is started from here.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bridge.clients.client import Client
from bridge.errors import BridgeError, DaemonMissingError, PreviewFailedError, ProtocolError
from bridge.host.discovery import Runtime, find_daemon, state_folder
from bridge.host.option_parser import OptionParser
from bridge.host.program import HOME, own_command, start_flags
from bridge.host.settings import Settings, load_settings
from bridge.preview.supervisor import Previewer, PreviewRules
from bridge.wire.messages import Done, Fail, Preview, PreviewReply, Reply, Stop

CANCELLED = 130

_RESEND_S = 0.3
_RESENDS = 15
_SILENCE_S = 10.0
_SILENCES = 3
"""A playing preview is reported five times a second, and a slow start fails; after this silence the daemon has gone."""
_STOP_S = 10.0
_LIST_S = 60.0
_HERE = ("", 0)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `retake preview`: 0 played or stopped, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C."""
    parser = _parser()
    options = parser.parse_args(argv)
    if sum((options.file is not None, options.stop, options.devices)) != 1:
        parser.error("one of FILE, --stop and --devices is needed")
    try:
        if options.devices:
            return _list_devices(load_settings(os.environ, {}), options)
        runtime = find_daemon(state_folder(os.environ))
        if options.stop:
            return _stop(runtime)
        request = _request(options)
        return _play_in_daemon(runtime, request) if runtime is not None else _play_in_own_player(request)
    except BridgeError as error:
        print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)
        return 2 if isinstance(error, ProtocolError) else 1


def _parser() -> argparse.ArgumentParser:
    parser = OptionParser(prog="retake preview", description="Play a sound file on this machine.")
    parser.add_argument("file", nargs="?", metavar="FILE", help="WAV, AIFF, FLAC, Ogg or MP3, mono or stereo")
    parser.add_argument("--device", metavar="NAME", help="output device, its name or a part of it")
    parser.add_argument("--level-db", type=float, metavar="DB", help="level, -120 to 6 dB")
    parser.add_argument("--loop", action="store_true", help="repeat until Ctrl-C or --stop")
    parser.add_argument("--start", type=float, metavar="SECONDS", help="where to start in the file")
    parser.add_argument("--end", type=float, metavar="SECONDS", help="where to end")
    parser.add_argument("--stop", action="store_true", help="stop what the daemon is playing")
    parser.add_argument("--devices", action="store_true", help="list the output devices; the chosen one is marked")
    parser.add_argument("--json", action="store_true", help="the list in machine-readable form")
    return parser


def _request(options: argparse.Namespace) -> Preview:
    return Preview(
        path=os.path.abspath(Path(options.file).expanduser()),
        device=options.device,
        level_db=options.level_db,
        start_s=options.start,
        end_s=options.end,
        loop=options.loop or None,
    )


# -------------------------------------------------------------------------------------------- through the daemon


def _play_in_daemon(runtime: Runtime, request: Preview) -> int:
    with Client(runtime) as client:
        try:
            return _follow(client, request)
        except KeyboardInterrupt:
            _clear_line()
            _ask_to_stop(client)
            return CANCELLED


def _follow(client: Client, request: Preview) -> int:
    """Send the request until the daemon answers, then follow the preview to its end."""
    display, silences = _Display(), 0
    client.send(request)
    while display.exit_code is None:
        reply = client.receive(_SILENCE_S if display.is_accepted else _RESEND_S)
        if reply is not None:
            silences = 0
            display.show(reply)
            continue
        silences += 1
        if silences > (_SILENCES if display.is_accepted else _RESENDS):
            raise DaemonMissingError("the daemon does not answer")
        if not display.is_accepted:
            client.send(request)
    return display.exit_code


def _stop(runtime: Runtime | None) -> int:
    if runtime is None:
        print("no daemon runs, so nothing plays")
        return 0
    with Client(runtime) as client:
        _ask_to_stop(client)
    print("stopped")
    return 0


def _ask_to_stop(client: Client) -> None:
    """Have the daemon stop what it plays. Raises DaemonMissingError when it does not confirm that."""
    deadline = time.monotonic() + _STOP_S
    while time.monotonic() < deadline:
        client.send(Stop())
        again_at = time.monotonic() + 1.0
        while (left := again_at - time.monotonic()) > 0:
            match client.receive(left):
                case Done(Stop.address):
                    return
                case Fail(Stop.address, _, _, text, hint):
                    error = DaemonMissingError(text)
                    error.hint = hint
                    raise error
    raise DaemonMissingError("the daemon does not answer")


# ---------------------------------------------------------------------------------------------- without a daemon


def _play_in_own_player(request: Preview) -> int:
    settings = load_settings(os.environ, {})
    try:
        return asyncio.run(_play_alone(request, settings))
    except KeyboardInterrupt:
        return CANCELLED


async def _play_alone(request: Preview, settings: Settings) -> int:
    """Play with a player of our own; Ctrl-C stops it after the fade-out."""
    display, is_over = _Display(), asyncio.Event()

    def report(reply: Reply, _client: tuple[str, int]) -> None:
        display.show(reply)
        if display.exit_code is not None:
            is_over.set()

    rules = PreviewRules(device=settings.preview_device, level_db=settings.preview_level_db)
    previewer = Previewer(own_command("player"), rules, report)
    previewer.accept(request, _HERE)
    try:
        await is_over.wait()
    except asyncio.CancelledError:
        previewer.accept(Stop(), _HERE)
        await is_over.wait()
        raise
    finally:
        await previewer.close()
    assert display.exit_code is not None
    return display.exit_code


class _Display:
    """What a person sees of a preview; `exit_code` is None while it plays."""

    def __init__(self) -> None:
        self.is_accepted = False
        self.exit_code: int | None = None

    def show(self, reply: Reply) -> None:
        self.is_accepted = self.is_accepted or isinstance(reply, PreviewReply)
        match reply:
            case Fail(Preview.address, _, _, text, hint):
                _clear_line()
                print(f"{text}\nhint: {hint}", file=sys.stderr)
                self._end(1)
            case PreviewReply(state="starting"):
                pass
            case PreviewReply() if reply.is_final:
                _clear_line()
                self._end(int(reply.state == "failed"))
            case PreviewReply(_, _, position_s, duration_s, level_db):
                _draw_line(position_s, duration_s, level_db)

    def _end(self, exit_code: int) -> None:
        """Keep the first exit code: a failure is followed by a report of the end."""
        self.exit_code = exit_code if self.exit_code is None else self.exit_code


def _draw_line(position_s: float, duration_s: float, level_db: float) -> None:
    if sys.stderr.isatty():
        filled = round(24 * min(1.0, position_s / max(duration_s, 1e-9)))
        bar = f"{'█' * filled}{'░' * (24 - filled)} {position_s:.1f} / {duration_s:.1f} s, peak {level_db:.0f} dB"
        print(f"\r{bar:<70}", end="", file=sys.stderr, flush=True)


def _clear_line() -> None:
    if sys.stderr.isatty():
        print(f"\r{'':<70}\r", end="", file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------------------------- devices


def _list_devices(settings: Settings, options: argparse.Namespace) -> int:
    facts = _ask_devices(options.device or settings.preview_device)
    error = facts.get("error")
    if options.json:
        print(json.dumps(facts))
    else:
        for entry in facts.get("devices", ()):
            mark = "*" if entry["is_chosen"] else " "
            print(f"{mark} {entry['name']} ({entry['host']}, {entry['channels']} channels, {entry['sample_rate']} Hz)")
        if error is not None:
            print(f"{error['text']}\nhint: {error['hint']}", file=sys.stderr)
    return 0 if error is None else 1


def _ask_devices(chosen: str) -> dict[str, Any]:
    """Ask a player for the devices: a driver that crashes does so in its process. Raises PreviewFailedError."""
    command = own_command("player", "devices", chosen)
    try:
        found = subprocess.run(  # noqa: S603 - our own program
            command, cwd=HOME, capture_output=True, timeout=_LIST_S, check=True, creationflags=start_flags()
        )
        facts: dict[str, Any] = json.loads(found.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise PreviewFailedError(f"the devices could not be listed: {error}") from error
    return facts
