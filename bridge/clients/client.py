"""A client's end of the wire: a socket that asks the daemon and hears its answers.

A port proves nothing: when a daemon dies, any program of this machine may take its port. What proves that the daemon
still is behind it, is that the lock is held and the runtime file still says what it said: the daemon lives as long as
that is so, and nobody else can have its port while it lives.
"""

import contextlib
import errno
import socket
from dataclasses import replace
from types import TracebackType
from typing import Self

from bridge.errors import BridgeError, DaemonMissingError
from bridge.host.discovery import Runtime, find_daemon
from bridge.wire.errors import RequestTooLongError, SendError
from bridge.wire.messages import Reply, Request
from bridge.wire.osc_codec import MAX_REQUEST, decode, encode_request
from bridge.wire.parsing import parse_reply

_MAX_BYTES = 65_536
_SMALLEST_LIMIT = 9_216
"""Bytes that every system sends at once; where less than MAX_REQUEST can be sent, it is this."""


class DaemonGoneError(DaemonMissingError):
    """The daemon that we talked to is not there any more; another one may be."""


class Client:
    """Sends requests, with the token of the runtime file, and receives replies.

    With a runtime of `find_daemon` nothing is sent to, and nothing is believed of, a port that is not that daemon's any
    more: DaemonGoneError says so, and `find_daemon` finds its successor.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MAX_BYTES)  # macOS has 9,216 bytes by itself
        self._socket.connect((runtime.host, runtime.port))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, request: Request) -> None:
        """Send a request; a refusal of the port is told by `receive`.

        Raises DaemonGoneError when the daemon has gone, RequestTooLongError for more than the daemon would
        read, SendError when the system refuses.
        """
        datagram = encode_request(replace(request, token=self._runtime.token))
        if len(datagram) > MAX_REQUEST:
            raise RequestTooLongError(len(datagram), MAX_REQUEST)
        self.require_daemon()
        try:
            self._socket.send(datagram)
        except (ConnectionError, TimeoutError):
            return
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                raise RequestTooLongError(len(datagram), _SMALLEST_LIMIT) from error
            if error.errno != errno.ENOBUFS:  # that is a lost datagram like any other
                raise SendError(error.strerror or error) from error

    def receive(self, timeout_s: float) -> Reply | None:
        """Return the next reply; None when none came in time, or something that is none.

        Raises DaemonGoneError when the daemon has gone.
        """
        self._socket.settimeout(max(timeout_s, 0.001))
        try:
            messages = decode(self._socket.recv(_MAX_BYTES))
        except TimeoutError:
            self.require_daemon()
            return None
        except ConnectionError as error:
            raise self._gone() from error
        self.require_daemon()
        with contextlib.suppress(BridgeError):
            return next((parse_reply(*message) for message in messages), None)
        return None

    def require_daemon(self) -> None:
        """Raise DaemonGoneError unless the port is still that of the daemon which was found."""
        folder = self._runtime.found_in
        if folder is not None and find_daemon(folder) != self._runtime:
            raise self._gone()

    def _gone(self) -> DaemonGoneError:
        return DaemonGoneError(f"nobody listens at {self._runtime.host}:{self._runtime.port} any more")
