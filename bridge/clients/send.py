"""`retake-send`: one request to the daemon, its progress and its results, for people and for hosts without sockets.

Standard library and python-osc only; it starts in less than 100 ms.
"""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from bridge.clients.build_request import OPERATIONS, request_from_file, request_from_words
from bridge.clients.client import Client, DaemonGoneError
from bridge.clients.reply_file_reporter import ReplyFileReporter
from bridge.errors import BridgeError, DaemonMissingError, JobCancelledError, ProtocolError, WaitedTooLongError
from bridge.host.discovery import Runtime, find_daemon, state_folder, wait_for_daemon, wait_for_end
from bridge.host.entry import enter
from bridge.plain_words import at_terminal
from bridge.wire.messages import (
    Ack,
    Cancel,
    Done,
    Fail,
    JobEntry,
    JobQuery,
    JobReply,
    Notice,
    Preview,
    PreviewReply,
    Progress,
    Quit,
    RenderRequest,
    Reply,
    Request,
)

RESEND_S = 0.3
"""An unacknowledged request is resent after this time; the daemon makes one job of it."""
_RESENDS = 15
_SILENCE_S = 2.0
"""After this long without a reply the job's state is requested: the last reply may have been lost."""
_SILENCES = 5
_STOP_S = 10.0
_SUCCESSORS = 3
"""Give up after this many successors of a daemon that died over a job."""

CANCELLED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run `retake-send` and `retake send`: 0 done, 1 failed, 2 wrong usage, 130 cancelled."""
    return enter(lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> int:
    options = _parser().parse_intermixed_args(argv)
    reporter = ReplyFileReporter.of_file(options.request)
    try:
        request = _request(options)
    except BridgeError as error:
        reporter.fail(error)
        return _print_error(error, 2 if isinstance(error, ProtocolError) else 1)
    return deliver(request, options)


def deliver(request: Request, options: argparse.Namespace) -> int:
    """Send a request and print its replies, following the options start, stop_after, no_wait and timeout."""
    reporter = ReplyFileReporter.of_request(request)
    try:
        reporter.begin()
        return _converse(request, options, reporter)
    except WaitedTooLongError as error:
        return _print_error(error, 1)
    except BridgeError as error:
        reporter.fail(error)
        return _print_error(error, 1)


def _seconds(word: str) -> float:
    """Refuse a number as the other commands do; their parser is the engine's, which this program must not import."""
    try:
        return float(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is no number, such as 2 or 0.5") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="retake-send",
        description="Send one request to the Retake daemon.",
        epilog='example: retake-send restyle clip.wav "heavy rain" strength 0.6 seed 3',
    )
    parser.add_argument("operation", nargs="?", choices=OPERATIONS, metavar="OPERATION", help=", ".join(OPERATIONS))
    parser.add_argument(
        "words", nargs="*", help="its arguments, then key value pairs (bridge/PROTOCOL.md); `seed random` draws one"
    )
    parser.add_argument("--request", type=Path, metavar="FILE", help="read the request from a JSON file instead")
    parser.add_argument("--job", metavar="ID", help="job id (default: a random one)")
    parser.add_argument("--output-dir", metavar="FOLDER", help="folder of the results (default: beside the clip)")
    parser.add_argument("--no-wait", action="store_true", help="return as soon as the job is accepted")
    parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="wait no longer than this")
    parser.add_argument("--start", action="store_true", help="start the daemon if none runs")
    parser.add_argument("--stop-after", action="store_true", help="stop the daemon again, if this call started it")
    return parser


def _request(options: argparse.Namespace) -> Request:
    extra = {} if options.output_dir is None else {"output_dir": os.path.abspath(options.output_dir)}
    fresh = f"send-{os.urandom(6).hex()}"
    if options.request is not None:
        return request_from_file(options.request, options.job, fresh, extra)
    if options.operation is None:
        _parser().error("an OPERATION or --request FILE is needed")
    return request_from_words(options.operation, options.words, options.job or fresh, extra)


def _converse(request: Request, options: argparse.Namespace, reporter: ReplyFileReporter) -> int:
    """Find or start the daemon, send the request, and stop the daemon if requested."""
    folder = state_folder(os.environ)
    runtime = find_daemon(folder)
    is_ours = runtime is None and options.start
    if is_ours:
        runtime = _start(folder)
    if runtime is None:
        raise DaemonMissingError("no daemon runs")
    conversation = Conversation(request, no_wait=options.no_wait, timeout_s=options.timeout)
    try:
        return _follow(conversation, runtime, folder, may_start=options.start)
    finally:
        reporter.end(conversation.end)
        is_last = is_ours and options.stop_after
        if is_last and (found := find_daemon(folder)) is not None:
            with contextlib.suppress(DaemonGoneError), Client(found) as client:
                client.send(Quit())
        if is_last or isinstance(request, Quit):
            wait_for_end(folder, _STOP_S)


def _follow(conversation: "Conversation", runtime: Runtime, folder: Path, *, may_start: bool) -> int:
    """Follow a request to its end; if the daemon dies, with its successor.

    Raises DaemonMissingError when there is none.
    """
    for is_last in (*[False] * _SUCCESSORS, True):
        with Client(runtime) as client:
            try:
                return conversation.run(client)
            except KeyboardInterrupt:
                return conversation.cancel(client)
            except DaemonGoneError:
                if conversation.is_over_with_daemon:
                    return 0
                successor = None if is_last or not conversation.has_job else wait_for_daemon(folder)
                if successor is None and (is_last or not may_start or not conversation.has_job):
                    raise
        runtime = successor or _start(folder)
    raise AssertionError("the last attempt returns or raises")


def _start(folder: Path) -> Runtime:
    from bridge.clients.launch import start_daemon  # noqa: PLC0415 - subprocess is a tenth of our time, and rarely needed

    return start_daemon(folder)


class Conversation:
    """One request and its replies."""

    def __init__(self, request: Request, *, no_wait: bool, timeout_s: float | None) -> None:
        self._request = request
        self._job = request.job if isinstance(request, RenderRequest) else ""
        self._no_wait = no_wait
        self._deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._is_accepted = False
        self._silences = 0
        self.end: Done | Fail | None = None

    @property
    def has_job(self) -> bool:
        """Whether it concerns a job, which the daemon's successor knows as well."""
        return bool(self._job)

    @property
    def is_over_with_daemon(self) -> bool:
        """Whether the request was to end the daemon."""
        return isinstance(self._request, Quit)

    def run(self, client: Client) -> int:
        """Send the request and follow it to its end. Raises DaemonMissingError, WaitedTooLongError."""
        self._is_accepted = False
        client.send(self._request)
        while True:
            reply = client.receive(_SILENCE_S if self._is_accepted else RESEND_S)
            if reply is None:
                self._break_silence(client)
            elif (exit_code := self._receive(reply)) is not None:
                return exit_code
            if self._deadline is not None and time.monotonic() > self._deadline:
                raise WaitedTooLongError(self._job)

    def cancel(self, client: Client) -> int:
        """Cancel the job, and wait a moment for the reply."""
        if self._job:
            with contextlib.suppress(DaemonMissingError):
                client.send(Cancel(job=self._job))
                _wait_for(client, Fail, 2.0)
        _clear_bar()
        print("cancelled", file=sys.stderr)
        return CANCELLED

    def _break_silence(self, client: Client) -> None:
        """After a silence, resend the request or ask for the job's state, up to a limit."""
        self._silences += 1
        if self._silences > (_SILENCES if self._is_accepted else _RESENDS):
            raise DaemonMissingError("the daemon does not answer")
        client.send(JobQuery(job=self._job) if self._is_accepted and self._job else self._request)

    def _receive(self, reply: Reply) -> int | None:
        """Print a reply; return the exit code if it was the last one."""
        self._silences = 0
        match reply:
            case Done(command, _, paths) if command == self._request.address:
                self.end = reply
                _clear_bar()
                for path in paths:
                    print(f"{'plays' if command == Preview.address else 'wrote'} {path}")
                return 0
            case Fail(command, _, code, text, hint) if command == self._request.address:
                self.end = reply
                _clear_bar()
                print(f"{at_terminal(text)}\nhint: {at_terminal(hint)}", file=sys.stderr)
                return CANCELLED if code == JobCancelledError.code else 1
            case Progress() if not self._job:
                self._is_accepted = True
            case PreviewReply():  # playback is starting; /done or /fail follows
                self._is_accepted = True
                return None
            case _ if not self._job:
                _print_fields(reply)
                return None if isinstance(reply, JobEntry) else 0
            case Ack():
                self._is_accepted = True
                return self._leave() if self._no_wait else None
            case Progress(_, fraction, stage) | JobReply(_, _, fraction, stage):
                _draw_bar(fraction, stage)
            case Notice(_, text):
                _clear_bar()
                print(f"warning: {text}", file=sys.stderr)
        return None

    def _leave(self) -> int:
        print(f"accepted {self._job}")
        return 0


def _wait_for(client: Client, kind: type[Reply], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if isinstance(client.receive(left), kind):
            return


def _signs(encoding: str) -> tuple[str, str]:
    """Return the characters of the progress bar that the terminal's encoding has."""
    try:
        "█░".encode(encoding)
    except (UnicodeError, LookupError):
        return "#", "."
    return "█", "░"


def _draw_bar(fraction: float, stage: str) -> None:
    if sys.stderr.isatty():
        filled = round(24 * fraction)
        full, empty = _signs(sys.stderr.encoding)
        print(f"\r{full * filled}{empty * (24 - filled)} {stage:<20.20}", end="", file=sys.stderr, flush=True)


def _clear_bar() -> None:
    if sys.stderr.isatty():
        print(f"\r{'':<46}\r", end="", file=sys.stderr, flush=True)


def _print_fields(reply: Reply) -> None:
    for entry in fields(reply):
        value = getattr(reply, entry.name)
        print(f"{entry.name}: {', '.join(value) if isinstance(value, tuple) else value}")


def _print_error(error: BridgeError, exit_code: int) -> int:
    print(f"{at_terminal(error.text)}\nhint: {at_terminal(error.hint)}", file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    raise SystemExit(main())
