"""The daemon's UDP socket on loopback. What arrives goes into `inbox`; nothing here ever waits."""

import asyncio
import errno
import logging
import time
from typing import NamedTuple, cast

from bridge.errors import PortBusyError
from bridge.wire.messages import Progress, Reply
from bridge.wire.osc_codec import MAX_REQUEST, decode, encode_reply
from bridge.wire.parsing import Message

LOOPBACK = "127.0.0.1"
PROGRESS_INTERVAL_S = 0.2
"""At most five progress messages a second for each job."""

_INBOX_CAPACITY = 10_000
PORTS_TRIED = 20

log = logging.getLogger(__name__)

_NOT_THE_PORT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)
"""Why a socket can be refused whatever its port: too many open files, too little memory."""

Address = tuple[str, int]
"""Host and port of a client."""


class IncomingMessage(NamedTuple):
    """A message and its sender."""

    message: Message
    sender: Address


class OscServer(asyncio.DatagramProtocol):
    """Puts what arrives into `inbox`, and sends replies to the address and port that asked."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[IncomingMessage] = asyncio.Queue(_INBOX_CAPACITY)
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def port(self) -> int:
        """The port that the socket is bound to."""
        assert self._transport is not None
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        # asyncio makes a buffer for each datagram, of 256 KiB by default, and shrinks it to what came: the heap of a
        # daemon that receives many small messages would grow without end.
        self._transport.max_size = MAX_REQUEST  # type: ignore[attr-defined]  # of asyncio's own transports

    def datagram_received(self, data: bytes, addr: Address) -> None:
        for message in decode(data):
            try:
                self.inbox.put_nowait(IncomingMessage(message, addr))
            except asyncio.QueueFull:
                log.warning("dropped %s: too many messages at once", message.address)

    def error_received(self, exc: Exception) -> None:
        log.debug("a client has gone: %s", exc)

    def send(self, reply: Reply, to: Address) -> None:
        """Send a reply; a client that has gone, or does not listen, is not noticed."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(encode_reply(reply), to)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def open_server(port: int) -> OscServer:
    """Bind the loopback address; a busy port gives way to the next ones, port 0 to any free one.

    Raises PortBusyError when twenty ports in a row are taken.
    """
    loop = asyncio.get_running_loop()
    last = min(port + PORTS_TRIED, 65_536) if port else 1
    for candidate in range(port, last):
        try:
            _, server = await loop.create_datagram_endpoint(OscServer, local_addr=(LOOPBACK, candidate))
        except OSError as error:
            if error.errno in _NOT_THE_PORT:
                raise
            log.info("port %d is busy: %s", candidate, error)
        else:
            return server
    raise PortBusyError(port, last - 1)


class ProgressGate:
    """Lets the first progress of a job through, then at most one each PROGRESS_INTERVAL_S; everything else passes."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def passes(self, reply: Reply) -> bool:
        if not isinstance(reply, Progress):
            return True
        now = time.monotonic()
        if now - self._last.get(reply.job, -PROGRESS_INTERVAL_S) < PROGRESS_INTERVAL_S:
            return False
        self._last[reply.job] = now
        return True

    def forget(self, job_id: str) -> None:
        self._last.pop(job_id, None)
