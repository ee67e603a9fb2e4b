"""Takes the messages that arrive, one by one: parse, check the token, hand over to the handler of that request."""

import asyncio
import secrets
from collections.abc import Mapping

from bridge.daemon.handlers import Handler
from bridge.daemon.osc_server import IncomingMessage, OscServer
from bridge.daemon.postponement import NOT_YET, Postponement
from bridge.daemon.refusals import refuse
from bridge.errors import TokenError, UnforeseenError
from bridge.host.job_log import about_job
from bridge.wire.messages import Request
from bridge.wire.parsing import job_of, parse_request


class Dispatcher:
    """Answers every message. `token` is None when commands need none."""

    def __init__(self, server: OscServer, handlers: Mapping[type[Request], Handler], token: str | None) -> None:
        self.handlers = handlers
        self._server = server
        self._token = token
        self._postponed = Postponement(self._answer, self._refuse)

    async def receive(self) -> None:
        """Answer the messages that arrive, until it is cancelled.

        On the event loop's own thread, one after the other, so that no two handlers ever see a job in between. A
        handler must therefore not wait: for files there is FileThreads, for all else BackgroundAnswers.
        """
        while True:
            message = await self._server.inbox.get()
            with about_job(job_of(*message.message)):
                self.take(message)
            await asyncio.sleep(0)  # `get` yields only when the inbox is empty: a flood would keep replies waiting

    def take(self, message: IncomingMessage) -> None:
        """Answer a message, now or later. Never raises."""
        try:
            self._answer(message)
        except NOT_YET as error:
            self._postponed.take(message, error)
        except Exception as error:  # noqa: BLE001 - a message that raises here would end the daemon
            self._refuse(message, error)

    def close(self) -> None:
        """Let go of the messages that wait for another attempt."""
        self._postponed.close()

    def _answer(self, message: IncomingMessage) -> None:
        """Answer a message. Raises the error that its sender gets."""
        (address, args), sender = message
        request = parse_request(address, args)
        self._check_token(request)
        handler = self.handlers.get(type(request))
        if handler is None:
            raise UnforeseenError(LookupError(f"no handler for {request.address}"))
        handler(request, sender)

    def _refuse(self, message: IncomingMessage, reason: Exception) -> None:
        refuse(self._server, message, reason)

    def _check_token(self, request: Request) -> None:
        if self._token is None or not request.needs_token:
            return
        # In constant time: how long a comparison takes must not tell another user how much of a guess was right.
        if not secrets.compare_digest(request.token.encode(), self._token.encode()):
            raise TokenError(request.address, given=bool(request.token))
