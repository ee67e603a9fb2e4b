"""Who hears what: those who asked for a job, those who asked for everything, and those who wait for an end."""

from bridge.daemon.osc_server import Address, OscServer, ProgressGate
from bridge.wire.messages import Reply, Synced

_MAX_LISTENERS = 64
"""Clients that hear of every job, or of one job; the oldest make room."""
_MAX_SYNCS = 1000
"""Questions of a client for the end of its jobs that wait for their answer; the oldest make room."""


class Subscribers:
    """Knows the listeners of every job, and sends them its news."""

    def __init__(self, server: OscServer) -> None:
        self._server = server
        self._gate = ProgressGate()
        self._listeners: dict[str, list[Address]] = {}
        self._open: dict[Address, dict[str, int]] = {}  # unfinished jobs of each client, numbered as they came
        self._subscribers: list[Address] = []
        self._syncs: dict[Address, list[tuple[int, int]]] = {}  # what is asked, and the last job that it is about
        self._count = 0

    def listen(self, job_id: str, sender: Address) -> None:
        """Let the sender hear the further news of a job."""
        listeners = self._listeners.setdefault(job_id, [])
        if sender in listeners:
            return
        if len(listeners) == _MAX_LISTENERS:
            self._settle(listeners.pop(0), job_id)
        self._count += 1
        listeners.append(sender)
        self._open.setdefault(sender, {})[job_id] = self._count

    def subscribe(self, sender: Address, *, on: bool) -> None:
        """Let the sender hear the news of all jobs, or no longer."""
        others = [other for other in self._subscribers if other != sender]
        self._subscribers = [*others[1 - _MAX_LISTENERS :], sender] if on else others

    def sync(self, number: int, sender: Address) -> None:
        """Answer when all jobs of which the sender hears have ended; at once when there are none."""
        if sender in self._open:
            waiting = self._syncs.get(sender, [])
            self._syncs[sender] = [*waiting[1 - _MAX_SYNCS :], (number, self._count)]
        else:
            self._server.send(Synced(number), sender)

    def wants(self, news: Reply) -> bool:
        """Whether it is time for these news: progress may come at most five times a second."""
        return self._gate.passes(news)

    def tell(self, job_id: str, news: Reply) -> None:
        """Send news of a job to everybody who listens."""
        for listener in {*self._listeners.get(job_id, ()), *self._subscribers}:
            self._server.send(news, listener)

    def announce(self, news: Reply, sender: Address) -> None:
        """Send news to a client and to all who hear everything."""
        for listener in {sender, *self._subscribers}:
            self._server.send(news, listener)

    def dismiss(self, job_id: str) -> None:
        """Forget the listeners of a job that has ended, and answer those who waited for it."""
        for listener in self._listeners.pop(job_id, ()):
            self._settle(listener, job_id)
        self._gate.forget(job_id)

    def _settle(self, client: Address, job_id: str) -> None:
        """Take a job off a client's list, and answer the questions for which it was the last."""
        jobs = self._open[client]
        del jobs[job_id]
        if not jobs:
            del self._open[client]
        oldest = next(iter(jobs.values()), self._count + 1)
        waiting = self._syncs.pop(client, [])
        for number, last in waiting:
            if last < oldest:
                self._server.send(Synced(number), client)
        if left := [entry for entry in waiting if entry[1] >= oldest]:
            self._syncs[client] = left
