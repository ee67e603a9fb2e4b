"""A client's end of the wire: a socket that sends requests to the daemon and receives its replies.

A port proves nothing: when a daemon dies, any program on this machine may take its port. The proof is the lock and the
runtime file: while the lock is held and the file is unchanged, the daemon lives and no other program has its port.
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
"""Bytes of a datagram that every system sends; the limit where MAX_REQUEST cannot be sent."""


class DaemonGoneError(DaemonMissingError):
    """The daemon of this connection has gone; another one may be running."""


class Client:
    """Sends requests, with the token of the runtime file, and receives replies.

    With a runtime from `find_daemon` nothing is sent to, or accepted from, a port that is no longer that daemon's:
    DaemonGoneError is raised, and `find_daemon` finds the successor.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MAX_BYTES)  # the default on macOS is 9,216 bytes
        self._socket.connect((runtime.host, runtime.port))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, request: Request) -> None:
        """Send a request; a closed port is reported by `receive`.

        Raises DaemonGoneError when the daemon has gone, RequestTooLongError for more than the daemon
        reads, SendError when the system refuses to send.
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
            if error.errno != errno.ENOBUFS:  # a full buffer loses a datagram, as networks do
                raise SendError(error.strerror or error) from error

    def receive(self, timeout_s: float) -> Reply | None:
        """Return the next reply; None after a timeout, or for a datagram that is not a reply.

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
        """Raise DaemonGoneError unless the port still belongs to the daemon that was found."""
        folder = self._runtime.found_in
        if folder is not None and find_daemon(folder) != self._runtime:
            raise self._gone()

    def _gone(self) -> DaemonGoneError:
        return DaemonGoneError(f"no daemon listens at {self._runtime.host}:{self._runtime.port} any more")
