"""The run of a batch: some jobs at a time to the daemon, until each request of the list has ended.

Whatever is lost on the way is asked again under the same id, which the daemon answers once: a datagram, the daemon
itself (it is started anew), or this process (the next run takes up where the manifest ends).
"""

import contextlib
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bridge.batch.errors import BatchRefusedError
from bridge.batch.manifest import BatchManifest, ManifestEntry, entry_of
from bridge.batch.request_list import Item
from bridge.clients.client import Client
from bridge.clients.launch import start_daemon
from bridge.errors import (
    DaemonMissingError,
    DiskFullError,
    FolderError,
    JobInterruptedError,
    JournalError,
    PathNotAllowedError,
    QueueFullError,
    TokenError,
    UnknownJobError,
)
from bridge.host.discovery import find_daemon
from bridge.jobs.existing_takes import find_takes
from bridge.wire.errors import RequestTooLongError
from bridge.wire.messages import Ack, Cancel, Done, Fail, JobQuery, RenderRequest, Reply

MAX_ATTEMPTS = 3
"""Of a request in one run, where an attempt came to nothing through no fault of its own."""
_HEAR_S = 0.25
_RESEND_S = 1.0
_ASK_S = 5.0
"""A job of which nothing was heard for so long is asked after: its last word may have been lost."""
_ASKED_AT_ONCE = 8
_SILENCE_S = 60.0
"""Without any word for so long the daemon is lost."""
_DEATHS = 3
"""So many daemons in a row may be lost before a job ends; then something is wrong that another one does not mend."""
_FAREWELL_S = 15.0
_FIRST_GUESS_BYTES = 2**22
"""What a result may take, as long as none is there to judge by."""
_FOR_ALL = {kind.code for kind in (PathNotAllowedError, FolderError, DiskFullError, JournalError)}
"""What the daemon refuses for reasons that the other requests share."""


@dataclass(frozen=True)
class Limits:
    """`jobs` may be with the daemon at a time; the folder may hold `num_bytes`, or anything when that is None."""

    jobs: int
    num_bytes: int | None = None


@dataclass
class _Flight:
    """A job that is with the daemon, or on its way there."""

    item: Item
    tries: int
    attempt: int
    request: RenderRequest
    said_at: float
    is_accepted: bool = False


class Tally:
    """How far a batch is; times are seconds of `time.monotonic`."""

    def __init__(self, num_items: int, num_done: int) -> None:
        self.num_items, self.num_done, self.num_failed = num_items, num_done, 0
        self.num_bytes = 0
        self._ends: deque[float] = deque([time.monotonic()], maxlen=100)

    def count(self, entry: ManifestEntry) -> None:
        self.num_done += entry.state == "done"
        self.num_failed += entry.state == "failed"
        self._ends.append(time.monotonic())

    @property
    def per_s(self) -> float:
        """Requests that ended in a second, over the last hundred."""
        span = time.monotonic() - self._ends[0]
        return (len(self._ends) - 1) / span if span > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """How long the rest will take at that rate; None while nothing is known."""
        left = self.num_items - self.num_done - self.num_failed
        return left / self.per_s if self.per_s else None


class BatchRun:
    """One run over the items of a list. `is_stopping` is set from outside, and `is_full` is the folder's limit."""

    def __init__(
        self,
        folder: Path,
        items: Iterable[Item],
        manifest: BatchManifest,
        limits: Limits,
        tell: Callable[[Tally], None],
    ) -> None:
        self.is_stopping = self.is_full = False
        self._folder, self._manifest, self._limits, self._tell = folder, manifest, limits, tell
        listed = list(items)
        self._waiting = deque((item, 1) for item in listed if not self._is_done(item))
        self.tally = Tally(len(listed), len(listed) - len(self._waiting))
        self.failures: list[tuple[Item, ManifestEntry]] = []
        self._flights: dict[str, _Flight] = {}
        self._largest = max((entry.num_bytes() for entry in manifest.entries.values()), default=0)
        self._pause_until = self._began_at = 0.0

    def _is_done(self, item: Item) -> bool:
        entry = self._manifest.entries.get(item.key)
        return entry is not None and entry.is_done

    def go(self, state_folder: Path) -> None:
        """Render what is left, or as much as may be.

        Raises DaemonMissingError, BatchRefusedError; OSError when the manifest cannot be written.
        """
        self.tally.num_bytes = _num_bytes_in(self._folder)
        self._waiting = deque(self._without_takes(list(self._waiting), 0.0))
        self._began_at = time.time()
        deaths, ends = 0, 0
        while self._has_work():
            try:
                self._converse(state_folder)
            except DaemonMissingError:
                deaths = 1 if self.tally.num_done + self.tally.num_failed > ends else deaths + 1
                ends = self.tally.num_done + self.tally.num_failed
                if deaths >= _DEATHS or self.is_stopping:
                    raise

    def _has_work(self) -> bool:
        return bool(self._flights) or (bool(self._waiting) and not self.is_stopping and not self.is_full)

    def _converse(self, state_folder: Path) -> None:
        """Talk to one daemon as long as it answers."""
        runtime = find_daemon(state_folder) or start_daemon(state_folder)
        with Client(runtime) as client:
            for flight in self._flights.values():
                flight.is_accepted, flight.said_at = False, 0.0
            heard_at = time.monotonic()
            while self._has_work():
                if self.is_stopping:
                    self._take_back(client)
                    return
                self._send_more(client)
                if (reply := client.receive(_HEAR_S)) is not None:
                    heard_at = time.monotonic()
                    self._hear(reply)
                elif time.monotonic() - heard_at > _SILENCE_S:
                    raise DaemonMissingError("the daemon does not answer")
                self._ask(client)
                self._tell(self.tally)

    def _send_more(self, client: Client) -> None:
        while self._waiting and len(self._flights) < self._limits.jobs and time.monotonic() > self._pause_until:
            if not self._has_room():
                self.is_full = not self._flights
                return
            item, tries = self._waiting.popleft()
            attempt = self._next_attempt(item)
            request = item.attempt(attempt)
            flight = self._flights[request.job] = _Flight(item, tries, attempt, request, time.monotonic())
            try:
                client.send(request)
            except RequestTooLongError as error:
                self._end(flight, Fail(request.address, request.job, error.code, error.text, error.hint))

    def _without_takes(self, waiting: list[tuple[Item, int]], since_unix: float) -> list[tuple[Item, int]]:
        """Keep as done what an attempt has rendered whose end was another, or was never heard; return the others."""
        attempted = {item.key for item, _ in waiting}
        found = find_takes(self._folder, lambda job: _key_of(job) in attempted, since_unix)
        by_key = {_key_of(job): (job, paths) for job, paths in found.items()}
        for item, _ in waiting:
            if item.key in by_key:
                job, paths = by_key[item.key]
                attempt = int(job.rpartition("-")[2])
                end = Done(item.request.address, job, paths)
                entry = entry_of(item.key, attempt, item.attempt(attempt), end)
                self._manifest.add(entry)
                self._count(item, entry)
        return [(item, tries) for item, tries in waiting if item.key not in by_key]

    def _next_attempt(self, item: Item) -> int:
        """Return the number after that of the last end; an attempt without one may still go on at the daemon."""
        entry = self._manifest.entries.get(item.key)
        return 1 if entry is None else entry.attempt + 1

    def _has_room(self) -> bool:
        limit, guess = self._limits.num_bytes, self._largest or _FIRST_GUESS_BYTES
        return limit is None or self.tally.num_bytes + guess * (len(self._flights) + 1) <= limit

    def _ask(self, client: Client) -> None:
        """Say again what was not heard, and ask after the jobs of which nothing was heard for long."""
        now = time.monotonic()
        silent = [
            one for one in self._flights.values() if now - one.said_at > (_ASK_S if one.is_accepted else _RESEND_S)
        ]
        for flight in sorted(silent, key=lambda one: one.said_at)[:_ASKED_AT_ONCE]:
            client.send(JobQuery(job=flight.request.job) if flight.is_accepted else flight.request)
            flight.said_at = now

    def _hear(self, reply: Reply) -> None:
        flight = self._flights.get(getattr(reply, "job", ""))
        if flight is None:
            return
        flight.said_at = time.monotonic()
        match reply:
            case Ack():
                flight.is_accepted = True
            case Fail(JobQuery.address, code=UnknownJobError.code):  # the daemon that knew it has gone
                flight.is_accepted, flight.said_at = False, 0.0
            case Fail(command, code=QueueFullError.code) if command == flight.request.address:
                self._flights.pop(flight.request.job)
                self._waiting.appendleft((flight.item, flight.tries))
                self._pause_until = time.monotonic() + _RESEND_S
            case Done(command) | Fail(command) if command == flight.request.address:
                self._end(flight, reply)

    def _end(self, flight: _Flight, end: Done | Fail) -> None:
        """Keep the end of a job, unless it says nothing about the request."""
        if isinstance(end, Fail) and end.code == TokenError.code:  # of the daemon before: the runtime file is read anew
            raise DaemonMissingError(end.text)
        if isinstance(end, Fail) and end.code in _FOR_ALL:
            raise BatchRefusedError(end.text, end.hint)
        del self._flights[flight.request.job]
        entry = entry_of(flight.item.key, flight.attempt, flight.request, end)
        self._manifest.add(entry)
        is_void = entry.error == JobInterruptedError.code or (entry.state == "done" and not entry.is_done)
        if is_void and flight.tries < MAX_ATTEMPTS:
            self._waiting += self._without_takes([(flight.item, flight.tries + 1)], self._began_at)
            return
        self._count(flight.item, entry)

    def _count(self, item: Item, entry: ManifestEntry) -> None:
        self.tally.count(entry)
        self.tally.num_bytes += entry.num_bytes()
        self._largest = max(self._largest, entry.num_bytes())
        if entry.state == "failed":
            self.failures.append((item, entry))

    def _take_back(self, client: Client) -> None:
        """Cancel what is with the daemon, and wait until it has said so of each; what is done nevertheless counts."""
        deadline = time.monotonic() + _FAREWELL_S
        said_at = 0.0
        while self._flights and time.monotonic() < deadline:
            if time.monotonic() - said_at > _RESEND_S:
                for flight in self._flights.values():
                    client.send(Cancel(job=flight.request.job))
                    client.send(JobQuery(job=flight.request.job))
                said_at = time.monotonic()
            reply = client.receive(_HEAR_S)
            if isinstance(reply, Fail) and reply.code == UnknownJobError.code:  # it never arrived
                self._flights.pop(reply.job, None)
            elif reply is not None:
                self._hear(reply)
        self._flights.clear()


def _key_of(job: str) -> str:
    """Return the key of the request that a job is an attempt at; nothing of jobs that are none of a batch's."""
    match = re.fullmatch(r"batch-([0-9a-f]+)-\d+", job)
    return match[1] if match else ""


def _num_bytes_in(folder: Path) -> int:
    """Add up the files below a folder; one that goes away meanwhile counts nothing."""
    num_bytes = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                num_bytes += os.lstat(os.path.join(place, name)).st_size
    return num_bytes
