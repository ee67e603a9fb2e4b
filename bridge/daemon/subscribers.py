"""Which client gets which replies: those that follow a job, those that follow all, and those that wait for an end."""

from bridge.daemon.osc_server import Address, OscServer, ProgressGate
from bridge.wire.messages import Reply, Synced

_MAX_FOLLOWERS = 64
"""Clients that follow one job, or all of them; the oldest make room. Nothing says when a client has gone (UDP)."""
_MAX_SYNCS = 1000
"""Unanswered /retake/sync of one client; the oldest make room."""


class Subscribers:
    """Knows the clients that follow each job, and sends them the replies about it."""

    def __init__(self, server: OscServer) -> None:
        self._server = server
        self._gate = ProgressGate()
        self._followers: dict[str, list[Address]] = {}
        self._open: dict[Address, dict[str, int]] = {}  # unfinished jobs of each client, numbered as they came
        self._followers_of_all: list[Address] = []
        self._syncs: dict[Address, list[tuple[int, int]]] = {}  # number of the sync, and the last job it waits for
        self._count = 0

    def follow(self, job_id: str, sender: Address) -> None:
        """Send the sender the further replies about a job."""
        followers = self._followers.setdefault(job_id, [])
        if sender in followers:
            return
        if len(followers) == _MAX_FOLLOWERS:
            self._settle(followers.pop(0), job_id)
        self._count += 1
        followers.append(sender)
        self._open.setdefault(sender, {})[job_id] = self._count

    def follow_all(self, sender: Address, *, on: bool) -> None:
        """Send the sender the replies about all jobs, or no longer."""
        others = [other for other in self._followers_of_all if other != sender]
        self._followers_of_all = [*others[1 - _MAX_FOLLOWERS :], sender] if on else others

    def sync(self, number: int, sender: Address) -> None:
        """Answer when all jobs that the sender follows have ended; at once when there are none."""
        if sender in self._open:
            waiting = self._syncs.get(sender, [])
            self._syncs[sender] = [*waiting[1 - _MAX_SYNCS :], (number, self._count)]
        else:
            self._server.send(Synced(number), sender)

    def wants(self, reply: Reply) -> bool:
        """Whether to send a reply now: progress goes out at most five times a second."""
        return self._gate.passes(reply)

    def send(self, job_id: str, reply: Reply) -> None:
        """Send a reply about a job to all who follow it."""
        for follower in {*self._followers.get(job_id, ()), *self._followers_of_all}:
            self._server.send(reply, follower)

    def announce(self, reply: Reply, sender: Address) -> None:
        """Send a reply to a client and to all who follow everything."""
        for follower in {sender, *self._followers_of_all}:
            self._server.send(reply, follower)

    def end_job(self, job_id: str) -> None:
        """Forget the followers of a job that has ended, and answer the syncs that waited for it."""
        for follower in self._followers.pop(job_id, ()):
            self._settle(follower, job_id)
        self._gate.forget(job_id)

    def _settle(self, client: Address, job_id: str) -> None:
        """Take a job off a client's list, and answer the syncs for which it was the last."""
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
