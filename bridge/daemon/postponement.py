"""Requests that cannot be answered yet, while another program holds the journal or a drive does not answer.

They are tried again, a few times, before they fail. What a client sends again meanwhile is the same request, and gets
the one answer.
"""

import asyncio
from collections.abc import Callable

from bridge.daemon.file_threads import FolderSilentError
from bridge.daemon.osc_server import IncomingMessage
from bridge.errors import BridgeError
from bridge.host.job_log import about_job
from bridge.jobs.journal_errors import JournalBusyError
from bridge.wire.parsing import job_of

NOT_YET = (JournalBusyError, FolderSilentError)
"""Errors that may be gone in a moment."""

_PAUSE_S, _TRIES = 0.3, 10
"""Together less than what `retake-send` and the window wait for any answer: they would take us for dead."""


class Postponement:
    """Tries messages again. `answer` answers one or raises one of NOT_YET; `refuse` sends its sender the reason.

    Each waits in a task of its own, so that the dispatcher goes on to the next message. A client repeats a request that
    is not answered; by its key the repetition is recognised and does not wait a second time.
    """

    def __init__(
        self, answer: Callable[[IncomingMessage], None], refuse: Callable[[IncomingMessage, Exception], None]
    ) -> None:
        self._answer, self._refuse = answer, refuse
        self._waiting: dict[tuple[str, str, object], asyncio.Task[None]] = {}

    def take(self, message: IncomingMessage, reason: BridgeError) -> None:
        """Try a message again from now on."""
        (address, args), sender = message
        key = (address, repr(args), sender)
        if key not in self._waiting:
            task = self._waiting[key] = asyncio.create_task(self._try(message, reason))
            task.add_done_callback(lambda _: self._waiting.pop(key, None))

    def close(self) -> None:
        """Cancel all that wait; their clients ask again, or get no answer from a daemon that ends."""
        for task in self._waiting.values():
            task.cancel()

    async def _try(self, message: IncomingMessage, reason: Exception) -> None:
        for _ in range(_TRIES):
            await asyncio.sleep(_PAUSE_S)
            try:
                with about_job(job_of(*message.message)):
                    self._answer(message)
            except NOT_YET as error:
                reason = error
                continue
            except Exception as error:  # noqa: BLE001 - a message that raises here must not end the task unanswered
                reason = error
                break
            return
        self._refuse(message, reason)
