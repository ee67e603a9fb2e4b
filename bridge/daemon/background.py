"""Requests whose answer takes time: they are answered by tasks, so that the dispatcher goes on to the next message."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from bridge.daemon.osc_server import Address, IncomingMessage, OscServer
from bridge.daemon.refusals import refuse
from bridge.wire.messages import Reply, Request
from bridge.wire.parsing import to_message

_T = TypeVar("_T")


class BackgroundAnswers:
    """Tasks of the daemon that end with it."""

    def __init__(self, server: OscServer) -> None:
        self._server = server
        self._tasks: set[asyncio.Task[Any]] = set()

    def run_in_background(
        self, answer: Coroutine[None, None, Reply], request: Request, sender: Address
    ) -> asyncio.Task[None]:
        """Send the sender what `answer` returns, once it does, or the reason why it failed."""

        async def run() -> None:
            try:
                self._server.send(await answer, sender)
            except Exception as error:  # noqa: BLE001 - the client gets a sentence, whatever it was
                refuse(self._server, IncomingMessage(to_message(request), sender), error)

        task = self.start(run())
        task.add_done_callback(lambda _: answer.close())  # cancelled before it began, it would never be awaited
        return task

    def start(self, work: Coroutine[None, None, _T]) -> asyncio.Task[_T]:
        """Run work until it ends, or until `close`."""
        task = asyncio.create_task(work)
        self._tasks.add(task)  # the event loop holds tasks weakly: an unreferenced one may vanish halfway
        task.add_done_callback(self._tasks.discard)
        return task

    def close(self) -> None:
        """Cancel all that still runs; its clients ask again, or get no answer from a daemon that ends."""
        for task in self._tasks:
            task.cancel()
