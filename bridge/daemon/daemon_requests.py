"""What clients ask about the daemon itself: its state, its version, a pause, its end."""

import asyncio
from pathlib import PurePath

from bridge import __version__
from bridge.daemon.osc_server import Address, OscServer
from bridge.daemon.pause import PauseSwitch
from bridge.daemon.rules import DaemonRules
from bridge.daemon.subscribers import Subscribers
from bridge.farm.supervisor import FarmSupervisor
from bridge.jobs.job_queue import JobQueue
from bridge.jobs.journal import Journal
from bridge.rendering.supervisor import RenderSupervisor
from bridge.wire.messages import (
    PROTOCOL_VERSION,
    Done,
    Pause,
    Quit,
    Status,
    StatusReply,
    Version,
    VersionReply,
)


class DaemonRequests:
    """Handles the requests about the daemon. `closing` is set when it is to end."""

    def __init__(
        self,
        server: OscServer,
        subscribers: Subscribers,
        journal: Journal,
        queue: JobQueue,
        supervisor: RenderSupervisor | FarmSupervisor,
        pause: PauseSwitch,
        rules: DaemonRules,
        closing: asyncio.Event,
    ) -> None:
        self._server, self._subscribers = server, subscribers
        self._journal, self._queue, self._supervisor = journal, queue, supervisor
        self._pause, self._rules, self._closing = pause, rules, closing

    def status(self, _request: Status, sender: Address) -> None:
        """Send the daemon's state."""
        self._server.send(self._status(), sender)

    def version(self, _request: Version, sender: Address) -> None:
        """Send the versions of Retake and of the protocol."""
        self._server.send(VersionReply(__version__, PROTOCOL_VERSION), sender)

    def pause(self, request: Pause, sender: Address) -> None:
        """Begin no job from now on, or go on."""
        self._pause.set(on=request.on)
        self._server.send(Done(request.address, ""), sender)
        self._subscribers.announce(self._status(), sender)

    def quit(self, request: Quit, sender: Address) -> None:
        """End the daemon; answered first, because the socket closes with it."""
        self._server.send(Done(request.address, ""), sender)
        self._closing.set()

    def _status(self) -> StatusReply:
        loaded, rules = self._supervisor.loaded, self._rules
        model, device = (loaded.model, loaded.device) if loaded is not None else (rules.model, rules.device)
        model = PurePath(model).name  # the status needs no token, and the folder of a model is private
        number, paused = len(self._journal.unfinished()), int(self._queue.is_held)
        return StatusReply(__version__, self._supervisor.state, model, device, number, paused, self._journal.notes)
