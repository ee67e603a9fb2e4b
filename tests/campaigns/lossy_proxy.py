"""A UDP way between clients and a daemon on which datagrams are lost, doubled and overtaken, in both directions."""

import random
import selectors
import socket
import threading
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_BUFFER_BYTES = 4_000_000


@dataclass(frozen=True)
class Weather:
    """Shares of the datagrams of each direction, 0..1."""

    lost: float = 0.10
    doubled: float = 0.05
    overtaken: float = 0.05


class LossyProxy:
    """Listens at `port`; each client gets a socket of its own towards the daemon, so that answers find their way."""

    def __init__(self, daemon: tuple[str, int], dice: random.Random, weather: Weather | None = None) -> None:
        self.fates: Counter[str] = Counter()
        self._daemon, self._dice, self._weather = daemon, dice, weather or Weather()
        self._selector = selectors.DefaultSelector()
        self._front = self._open()
        self._ways: dict[tuple[str, int], socket.socket] = {}
        self._held: dict[socket.socket, tuple[bytes, tuple[str, int]]] = {}
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def port(self) -> int:
        port: int = self._front.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closing.set()
        self._thread.join()
        for one in (self._front, *self._ways.values()):
            one.close()
        self._selector.close()

    def _open(self, client: tuple[str, int] | None = None) -> socket.socket:
        """A socket on which the daemon's answers for `client` arrive; without one, the front, where clients send."""
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        made.bind(("127.0.0.1", 0))
        self._selector.register(made, selectors.EVENT_READ, client)
        return made

    def _serve(self) -> None:
        while not self._is_closing.is_set():
            for key, _ in self._selector.select(0.05):
                assert isinstance(key.fileobj, socket.socket)
                datagram, sender = key.fileobj.recvfrom(65_536)
                if key.data is not None:
                    self._pass_on(datagram, self._front, key.data)
                    continue
                if sender not in self._ways:
                    self._ways[sender] = self._open(sender)
                self._pass_on(datagram, self._ways[sender], self._daemon)

    def _pass_on(self, datagram: bytes, through: socket.socket, to: tuple[str, int]) -> None:
        weather, fate = self._weather, self._dice.random()
        if fate < weather.lost:
            self.fates["lost"] += 1
            return
        if fate < weather.lost + weather.overtaken and through not in self._held:
            self.fates["overtaken"] += 1
            self._held[through] = datagram, to
            return
        self.fates["passed"] += 1
        through.sendto(datagram, to)
        if fate > 1.0 - weather.doubled:
            self.fates["doubled"] += 1
            through.sendto(datagram, to)
        if through in self._held:
            through.sendto(*self._held.pop(through))
