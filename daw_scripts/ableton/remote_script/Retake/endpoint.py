"""The socket on loopback that receives commands. It never waits, and reads a limited number of messages per tick."""

from __future__ import annotations

import binascii
import contextlib
import os
import socket
from typing import Any, Iterator, Sequence, Tuple

from .osc import decode, encode
from .whereabouts import publish_endpoint, withdraw_endpoint

PORT = 53171
"""When it is taken, the next free one is used; live.json holds the actual port."""
MESSAGES_A_TICK = 64

_PORTS_TRIED = 20
_MAX_BYTES = 65536

Address = Tuple[str, int]


class Endpoint:
    """Receives commands, and answers their senders."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.token = binascii.hexlify(os.urandom(16)).decode()
        self._socket = _open_socket()
        try:
            publish_endpoint(folder, self.port, self.token)
        except Exception:
            self._socket.close()
            raise

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def messages(self) -> Iterator[tuple[str, list[Any], Address]]:
        """Yield what has arrived as (address, arguments, sender), at most MESSAGES_A_TICK; the rest stays queued."""
        for _ in range(MESSAGES_A_TICK):
            try:
                datagram, sender = self._socket.recvfrom(_MAX_BYTES)
            except BlockingIOError:
                return
            except OSError:  # a client that we answered has closed its socket; Windows reports it here
                continue
            message = decode(datagram)
            if message is not None:
                yield message[0], message[1], sender

    def send(self, address: str, args: Sequence[Any], receiver: Address) -> None:
        """Send; a datagram that cannot be delivered is dropped: a repeated command gets its answer again."""
        with contextlib.suppress(OSError):
            self._socket.sendto(encode(address, args, "f"), receiver)

    def close(self) -> None:
        withdraw_endpoint(self._folder, self.token)
        self._socket.close()


def _open_socket() -> socket.socket:
    """Bind the loopback address only, so that no other machine can connect."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setblocking(False)
    for port in [*range(PORT, PORT + _PORTS_TRIED), 0]:
        try:
            opened.bind(("127.0.0.1", port))
        except OSError:
            continue
        return opened
    raise OSError("no free UDP port on 127.0.0.1")
