"""Who hears what: those who asked for a job, those who asked for everything, and those who wait for an end."""

from bridge.messages import Reply, Synced
from bridge.osc_server import Address, OscServer, ProgressGate

_MAX_LISTENERS = 64
"""Clients that hear of every job, or of one job; the oldest make room."""
_MAX_SYNCS = 1000
"""Questions for the end of jobs that wait for their answer; the oldest make room."""


class Audience:
    """Knows the listeners of every job, and sends them its news."""

    def __init__(self, server: OscServer) -> None:
        self._server = server
        self._gate = ProgressGate()
        self._listeners: dict[str, list[Address]] = {}
        self._subscribers: list[Address] = []
        self._syncs: list[tuple[int, Address, set[str]]] = []

    def listen(self, job_id: str, sender: Address) -> None:
        """Let the sender hear the further news of a job."""
        listeners = self._listeners.setdefault(job_id, [])
        if sender not in listeners:
            self._listeners[job_id] = [*listeners[1 - _MAX_LISTENERS :], sender]

    def subscribe(self, sender: Address, *, on: bool) -> None:
        """Let the sender hear the news of all jobs, or no longer."""
        others = [other for other in self._subscribers if other != sender]
        self._subscribers = [*others[1 - _MAX_LISTENERS :], sender] if on else others

    def sync(self, number: int, sender: Address) -> None:
        """Answer when all jobs of which the sender hears have ended; at once when there are none."""
        jobs = {job_id for job_id, listeners in self._listeners.items() if sender in listeners}
        if jobs:
            self._syncs = [*self._syncs[1 - _MAX_SYNCS :], (number, sender, jobs)]
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
        self._listeners.pop(job_id, None)
        self._gate.forget(job_id)
        for entry in list(self._syncs):
            number, sender, jobs = entry
            jobs.discard(job_id)
            if not jobs:
                self._syncs.remove(entry)
                self._server.send(Synced(number), sender)
