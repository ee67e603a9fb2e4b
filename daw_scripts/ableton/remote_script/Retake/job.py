"""One request to the daemon, followed tick by tick, and from one daemon to the next. Never waits."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any, Callable, NamedTuple, Sequence, Tuple

from .commands import Refusal
from .osc import decode, encode
from .whereabouts import Runtime

RESEND_S = 0.3
RESENDS = 15
SILENCE_S = 2.0
SILENCES = 5
SUCCESSOR_S = 20.0
"""How long the next daemon may be in coming when one dies over a job."""
MESSAGES_A_TICK = 32

_MAX_BYTES = 65536
_NO_DAEMON_HINT = "start Retake (its tray program, or `retake daemon` in a terminal), then try again"


def _open_socket() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


class Line(NamedTuple):
    """How jobs reach daemons: over which kind of socket, and how long the next daemon may be in coming."""

    open_socket: Callable[[], socket.socket] = _open_socket
    successor_s: float = SUCCESSOR_S


News = Tuple[str, Sequence[Any]]
"""progress (fraction, stage), warning (text), done (paths), fail (code, text, hint)."""


class Job:
    """A conversation with the daemon. `tick` returns the news as (kind, arguments); the last one ends it."""

    def __init__(
        self, find: Callable[[], Runtime | None], runtime: Runtime, address: str, request: list[Any], line: Line
    ) -> None:
        self.address, self.job = address, request[0]
        self._find, self._request, self._line = find, request, line
        self._is_known = self._is_cancelled = self.is_over = False
        self._lost: tuple[float, str] | None = None
        self._turn_to(runtime)

    def _turn_to(self, runtime: Runtime) -> None:
        """Talk to this daemon from now on; a job that an earlier one has left to it is sent again, and is the same."""
        self._runtime, self._lost = runtime, None
        self._is_accepted, self._silences = False, 0
        self._socket = self._line.open_socket()
        self._socket.setblocking(False)
        self._socket.connect((runtime.host, runtime.port))
        self._speak()

    def cancel(self) -> None:
        """Ask the daemon to stop; its answer ends the job."""
        self._is_cancelled = True
        self._silences = 0
        self._speak()

    def tick(self) -> list[News]:
        """Read what has arrived, send again after a silence, and return the news."""
        news: list[News] = []
        while not self.is_over and self._lost is None and len(news) < MESSAGES_A_TICK:
            try:
                message = decode(self._socket.recv(_MAX_BYTES))
            except BlockingIOError:
                break
            except OSError:  # the system reports that the port is closed
                news += self._lose("the daemon is no longer running where it was")
                break
            if message is not None:
                news += self._receive(*message)
        if not self.is_over and time.monotonic() > self._due:
            news += self._notice() if self._lost is None else self._look_for_the_next(*self._lost)
        return news

    def close(self) -> None:
        self.is_over = True
        self._socket.close()

    def _receive(self, address: str, args: list[Any]) -> list[News]:
        if address in ("/done", "/fail"):
            return self._receive_end(address, args)
        if not args or args[0] != self.job:
            return []
        self._silences = 0
        self._wait()
        if address == "/retake/ack":
            self._is_accepted = self._is_known = True
        elif address == "/retake/progress":
            return [("progress", args[1:3])]
        elif address == "/retake/job.reply":
            return [("progress", args[2:4])]
        elif address == "/retake/warning":
            return [("warning", args[1:2])]
        return []

    def _receive_end(self, address: str, args: list[Any]) -> list[News]:
        if args[1] != self.job:
            return []
        if address == "/done" and args[0] == self.address:
            self.close()
            return [("done", args[3:])]
        if address == "/fail" and args[2] == "bad_token" and self._is_known:
            return self._lose(args[3])  # the next daemon has the same port, and another token
        if address == "/fail":
            self.close()
            return [("fail", args[2:5])]
        return []

    def _notice(self) -> list[News]:
        """No answer came: send again, but not for ever."""
        self._silences += 1
        if self._silences > (SILENCES if self._is_accepted and not self._is_cancelled else RESENDS):
            return self._lose("the daemon does not answer")
        self._speak()
        return []

    def _lose(self, text: str) -> list[News]:
        """The daemon is gone: a job that it had accepted is taken up by the next daemon, so wait for that one."""
        if not self._is_known:
            return [self._ended_alone(text)]
        self._socket.close()
        self._lost = (time.monotonic() + self._line.successor_s, text)
        self._wait()
        return [("progress", (0.0, "reconnecting"))]

    def _look_for_the_next(self, until: float, text: str) -> list[News]:
        runtime = self._find()
        if runtime is not None and runtime != self._runtime:
            self._turn_to(runtime)
        elif time.monotonic() > until:
            return [self._ended_alone(text)]
        self._wait()
        return []

    def _ended_alone(self, text: str) -> News:
        self.close()
        if self._is_cancelled:
            return "fail", ["cancelled", "cancelled", "nothing has to be done"]
        return "fail", ["no_daemon", text, _NO_DAEMON_HINT]

    def _speak(self) -> None:
        address, args = self.address, self._request
        if self._is_cancelled or self._is_accepted:
            address, args = ("/retake/cancel" if self._is_cancelled else "/retake/job"), [self.job]
        with contextlib.suppress(OSError):  # an earlier datagram was refused: `tick` reports it
            self._socket.send(encode(address, [*args, "token", self._runtime.token]))
        self._wait()

    def _wait(self) -> None:
        quiet = self._is_accepted and not self._is_cancelled and self._lost is None
        self._due = time.monotonic() + (SILENCE_S if quiet else RESEND_S)


def start_job(find: Callable[[], Runtime | None], address: str, job: str, args: Sequence[Any], line: Line) -> Job:
    """Begin a job with the daemon that `find` finds. Raises Refusal when it finds none."""
    runtime = find()
    if runtime is None:
        raise Refusal("no_daemon", "Retake does not run", _NO_DAEMON_HINT)
    return Job(find, runtime, address, [job, *args], line)
