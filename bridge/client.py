"""A client's end of the wire: a socket that asks the daemon and hears its answers."""

import contextlib
import socket
from dataclasses import replace
from types import TracebackType
from typing import Self

from bridge.discovery import Runtime
from bridge.errors import BridgeError, DaemonMissingError
from bridge.messages import Reply, Request
from bridge.osc_codec import decode, encode_request
from bridge.protocol import parse_reply

_MAX_BYTES = 65_536


class Client:
    """Sends requests, with the token of the runtime file, and receives replies."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((runtime.host, runtime.port))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, request: Request) -> None:
        with contextlib.suppress(ConnectionError):  # that nobody listens is told by `receive`
            self._socket.send(encode_request(replace(request, token=self._runtime.token)))

    def receive(self, timeout_s: float) -> Reply | None:
        """Give the next reply; None when none came in time, or something that is none.

        Raises DaemonMissingError when the system says that nobody listens.
        """
        self._socket.settimeout(max(timeout_s, 0.001))
        try:
            messages = decode(self._socket.recv(_MAX_BYTES))
        except TimeoutError:
            return None
        except ConnectionError as error:
            where = f"{self._runtime.host}:{self._runtime.port}"
            raise DaemonMissingError(f"nobody listens at {where} any more") from error
        with contextlib.suppress(BridgeError):
            return next((parse_reply(*message) for message in messages), None)
        return None
