"""The door: a socket on loopback at which commands arrive. Never waits, and takes in what a tick can bear."""

from __future__ import annotations

import binascii
import contextlib
import os
import socket
from typing import Any, Iterator, Sequence, Tuple

from .osc import decode, encode
from .whereabouts import publish_door, withdraw_door

PORT = 53171
"""The next free one is taken when it is busy; the file live.json says which."""
LETTERS_A_TICK = 64

_PORTS_TRIED = 20
_MAX_BYTES = 65536

Address = Tuple[str, int]


class Door:
    """Hears commands, and answers those who sent them."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.token = binascii.hexlify(os.urandom(16)).decode()
        self._socket = _open_socket()
        try:
            publish_door(folder, self.port, self.token)
        except Exception:
            self._socket.close()
            raise

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def letters(self) -> Iterator[tuple[str, list[Any], Address]]:
        """Give what has arrived, as (address, arguments, sender), at most LETTERS_A_TICK; the rest waits."""
        for _ in range(LETTERS_A_TICK):
            try:
                datagram, sender = self._socket.recvfrom(_MAX_BYTES)
            except BlockingIOError:
                return
            except OSError:  # somebody whom we answered has gone: Windows says so here
                continue
            message = decode(datagram)
            if message is not None:
                yield message[0], message[1], sender

    def send(self, address: str, args: Sequence[Any], receiver: Address) -> None:
        """Send; what nobody hears, or finds no room, is lost: a command that is sent again is answered again."""
        with contextlib.suppress(OSError):
            self._socket.sendto(encode(address, args, "f"), receiver)

    def close(self) -> None:
        withdraw_door(self._folder, self.token)
        self._socket.close()


def _open_socket() -> socket.socket:
    """Bind the loopback address only: nobody else's machine can knock."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setblocking(False)
    for port in [*range(PORT, PORT + _PORTS_TRIED), 0]:
        try:
            opened.bind(("127.0.0.1", port))
        except OSError:
            continue
        return opened
    raise OSError("no free UDP port on 127.0.0.1")
