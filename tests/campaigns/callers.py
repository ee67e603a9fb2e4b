"""Clients as PROTOCOL.md wants them: they send again what was not acknowledged, and ask when they hear nothing.

One loop serves them all: `Crowd.turn` waits for datagrams, hands them out, and lets everybody speak up.
"""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from bridge.host.discovery import Runtime
from bridge.wire.messages import Ack, Cancel, Done, Fail, JobQuery, Progress, RenderRequest, Reply, Request
from bridge.wire.osc_codec import decode, encode_request
from bridge.wire.parsing import parse_reply

RESEND_S = 0.3
SILENCE_S = 2.0
_BUFFER_BYTES = 4_000_000

FindDaemon = Callable[[], Runtime | None]


@dataclass
class Call:
    """One job as its client sees it; times are `time.monotonic`."""

    request: RenderRequest
    first_sent: float
    last_sent: float
    num_sent: int = 0
    acked_at: float | None = None
    heard_at: float = 0.0
    stage: str = ""
    ends: list[Done | Fail] = field(default_factory=list)
    is_refused: bool = False
    is_cancelled: bool = False

    @property
    def has_ended(self) -> bool:
        return bool(self.ends) or self.is_refused


class Caller:
    """A client with any number of jobs; it finds the daemon anew whenever that has moved."""

    def __init__(self, name: str, find_daemon: FindDaemon, *, resend_s: float = RESEND_S) -> None:
        self.name = name
        self.calls: dict[str, Call] = {}
        self.open: dict[str, Call] = {}
        self.lost: list[str] = []
        self.strange: list[Reply] = []
        self.refusals: Counter[str] = Counter()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self._find_daemon = find_daemon
        self._resend_s = resend_s

    def close(self) -> None:
        self.socket.close()

    def say(self, request: Request) -> None:
        runtime = self._find_daemon()
        if runtime is not None:
            datagram = encode_request(replace(request, token=runtime.token))
            self.socket.sendto(datagram, (runtime.host, runtime.port))

    def ask(self, request: RenderRequest) -> Call:
        """Ask for a job, and follow it from now on."""
        now = time.monotonic()
        call = Call(request, now, now)
        self.calls[request.job] = self.open[request.job] = call
        self._send(call)
        return call

    def cancel(self, call: Call) -> None:
        call.is_cancelled = True
        self.say(Cancel(job=call.request.job))

    def send_again(self, call: Call) -> None:
        self._send(call)

    def _send(self, call: Call) -> None:
        call.last_sent = time.monotonic()
        call.num_sent += 1
        self.say(call.request)

    def hear(self) -> None:
        """Take in everything that has arrived."""
        while True:
            try:
                datagram = self.socket.recv(65_536)
            except BlockingIOError:
                return
            for message in decode(datagram):
                self._sort(parse_reply(*message))

    def _sort(self, reply: Reply) -> None:
        call = self.calls.get(getattr(reply, "job", ""))
        if call is None:
            return
        call.heard_at = time.monotonic()
        match reply:
            case Ack():
                call.acked_at = call.acked_at or call.heard_at
            case Progress(_, _, stage):
                call.stage = stage
            case Done(command) if command == call.request.address:
                self._end(call, reply)
            case Fail(command, _, code) if command == call.request.address:
                if code == "bad_token":  # of an earlier daemon: the runtime file is read again for the next try
                    call.last_sent = 0.0
                elif call.acked_at is None and code in ("queue_full", "journal_failed"):
                    call.is_refused = True
                    self.refusals[code] += 1
                    self.open.pop(call.request.job, None)
                else:
                    self._end(call, reply)
            case Fail(_, job, "unknown_job") if call.acked_at is not None and not call.is_refused:
                self.lost.append(job)

    def _end(self, call: Call, reply: Done | Fail) -> None:
        call.acked_at = call.acked_at or call.heard_at
        call.ends.append(reply)
        self.open.pop(call.request.job, None)

    def nudge(self) -> None:
        """Send again what was not acknowledged; ask about what has been silent."""
        now = time.monotonic()
        for call in list(self.open.values()):
            if call.acked_at is None:
                if now - call.last_sent > self._resend_s:
                    self._send(call)
            elif now - max(call.heard_at, call.last_sent) > SILENCE_S:
                call.last_sent = now
                self.say(JobQuery(job=call.request.job))


class Crowd:
    """Several callers and the loop that serves them."""

    def __init__(self, callers: Iterable[Caller]) -> None:
        self.callers = list(callers)
        self._selector = selectors.DefaultSelector()
        self._nudged_at = 0.0
        for caller in self.callers:
            self._selector.register(caller.socket, selectors.EVENT_READ, caller)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for caller in self.callers:
            caller.close()

    def turn(self, timeout_s: float = 0.02) -> None:
        """Wait a moment for datagrams; then let everybody speak up."""
        for key, _ in self._selector.select(timeout_s):
            key.data.hear()
        now = time.monotonic()
        if now - self._nudged_at > 0.05:
            self._nudged_at = now
            for caller in self.callers:
                caller.nudge()

    def calls(self) -> list[Call]:
        return [call for caller in self.callers for call in caller.calls.values()]

    @property
    def num_open(self) -> int:
        return sum(len(caller.open) for caller in self.callers)

    def finish(self, patience_s: float, each_turn: Callable[[], None] = lambda: None) -> None:
        """Serve until nothing is open, or until nothing has ended for `patience_s`."""
        left = -1
        while self.num_open and self.num_open != left:
            left = self.num_open
            self.finish_one(patience_s, each_turn)

    def finish_one(self, patience_s: float, each_turn: Callable[[], None] = lambda: None) -> None:
        """Serve until fewer are open than now, or for `patience_s`."""
        left, deadline = self.num_open, time.monotonic() + patience_s
        while self.num_open >= left > 0 and time.monotonic() < deadline:
            self.turn()
            each_turn()
