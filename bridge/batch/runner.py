"""The run of a batch: sends some jobs at a time to the daemon, until every request of the list has ended.

Whatever is lost is requested again under the same id, which the daemon runs once: after a lost datagram, after a crash
of the daemon (a new one is started), or of this process (the next run resumes where the manifest ends).
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
from bridge.batch.request_list import BatchItem
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
"""Maximum attempts for each request and run, counting failures that it did not cause."""
_POLL_S = 0.25
_RESEND_S = 1.0
_QUERY_S = 5.0
"""After this long without a reply a job's state is requested: its last reply may have been lost."""
_QUERIES_AT_ONCE = 8
_SILENCE_S = 60.0
"""A daemon that sends nothing for this long is given up."""
_MAX_CRASHES = 3
"""Give up after this many daemon crashes in a row without a finished job."""
_CANCEL_S = 15.0
_FIRST_GUESS_BYTES = 2**22
"""Assumed size of a result until there is one."""
_REFUSES_ALL = {kind.code for kind in (PathNotAllowedError, FolderError, DiskFullError, JournalError)}
"""Refusals for reasons that apply to all requests."""


@dataclass(frozen=True)
class Limits:
    """At most `jobs` are sent at a time; `num_bytes` limits the folder's size, None is unlimited."""

    jobs: int
    num_bytes: int | None = None


@dataclass
class _Flight:
    """A job that was sent and has not ended."""

    item: BatchItem
    tries: int
    attempt: int
    request: RenderRequest
    sent_at: float
    is_accepted: bool = False


class Tally:
    """Progress of a batch; times are seconds of `time.monotonic`."""

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
        """Finished requests per second, over the last hundred."""
        span = time.monotonic() - self._ends[0]
        return (len(self._ends) - 1) / span if span > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Estimated seconds for the rest; None while unknown."""
        left = self.num_items - self.num_done - self.num_failed
        return left / self.per_s if self.per_s else None


class BatchRun:
    """One run over the items of a list. `is_stopping` is set from outside, `is_full` by the folder's limit."""

    def __init__(
        self,
        folder: Path,
        items: Iterable[BatchItem],
        manifest: BatchManifest,
        limits: Limits,
        show: Callable[[Tally], None],
    ) -> None:
        self.is_stopping = self.is_full = False
        self._folder, self._manifest, self._limits, self._show = folder, manifest, limits, show
        listed = list(items)
        self._waiting = deque((item, 1) for item in listed if not self._is_done(item))
        self.tally = Tally(len(listed), len(listed) - len(self._waiting))
        self.failures: list[tuple[BatchItem, ManifestEntry]] = []
        self._flights: dict[str, _Flight] = {}
        self._largest = max((entry.num_bytes() for entry in manifest.entries.values()), default=0)
        self._pause_until = self._began_at = 0.0

    def _is_done(self, item: BatchItem) -> bool:
        entry = self._manifest.entries.get(item.key)
        return entry is not None and entry.is_done

    def go(self, state_folder: Path) -> None:
        """Render the remaining requests, up to the limits.

        Raises DaemonMissingError, BatchRefusedError; OSError when the manifest cannot be written.
        """
        self.tally.num_bytes = _num_bytes_in(self._folder)
        self._waiting = deque(self._without_takes(list(self._waiting), 0.0))
        self._began_at = time.time()
        crashes, ends = 0, 0
        while self._has_work():
            try:
                self._converse(state_folder)
            except DaemonMissingError:
                crashes = 1 if self.tally.num_done + self.tally.num_failed > ends else crashes + 1
                ends = self.tally.num_done + self.tally.num_failed
                if crashes >= _MAX_CRASHES or self.is_stopping:
                    raise

    def _has_work(self) -> bool:
        return bool(self._flights) or (bool(self._waiting) and not self.is_stopping and not self.is_full)

    def _converse(self, state_folder: Path) -> None:
        """Work with one daemon as long as it answers."""
        runtime = find_daemon(state_folder) or start_daemon(state_folder)
        with Client(runtime) as client:
            for flight in self._flights.values():
                flight.is_accepted, flight.sent_at = False, 0.0
            last_reply_at = time.monotonic()
            while self._has_work():
                if self.is_stopping:
                    self._cancel_flights(client)
                    return
                self._send_more(client)
                if (reply := client.receive(_POLL_S)) is not None:
                    last_reply_at = time.monotonic()
                    self._receive(reply)
                elif time.monotonic() - last_reply_at > _SILENCE_S:
                    raise DaemonMissingError("the daemon does not answer")
                self._query_silent(client)
                self._show(self.tally)

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

    def _without_takes(self, waiting: list[tuple[BatchItem, int]], since_unix: float) -> list[tuple[BatchItem, int]]:
        """Record takes that exist although their attempt's success was never reported; return the other requests."""
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

    def _next_attempt(self, item: BatchItem) -> int:
        """Return the number after the last finished attempt; an unfinished one may still run in the daemon."""
        entry = self._manifest.entries.get(item.key)
        return 1 if entry is None else entry.attempt + 1

    def _has_room(self) -> bool:
        limit, guess = self._limits.num_bytes, self._largest or _FIRST_GUESS_BYTES
        return limit is None or self.tally.num_bytes + guess * (len(self._flights) + 1) <= limit

    def _query_silent(self, client: Client) -> None:
        """Resend unacknowledged requests, and query jobs without a recent reply."""
        now = time.monotonic()
        silent = [
            one for one in self._flights.values() if now - one.sent_at > (_QUERY_S if one.is_accepted else _RESEND_S)
        ]
        for flight in sorted(silent, key=lambda one: one.sent_at)[:_QUERIES_AT_ONCE]:
            client.send(JobQuery(job=flight.request.job) if flight.is_accepted else flight.request)
            flight.sent_at = now

    def _receive(self, reply: Reply) -> None:
        flight = self._flights.get(getattr(reply, "job", ""))
        if flight is None:
            return
        flight.sent_at = time.monotonic()
        match reply:
            case Ack():
                flight.is_accepted = True
            case Fail(JobQuery.address, code=UnknownJobError.code):  # a restarted daemon without this job
                flight.is_accepted, flight.sent_at = False, 0.0
            case Fail(command, code=QueueFullError.code) if command == flight.request.address:
                self._flights.pop(flight.request.job)
                self._waiting.appendleft((flight.item, flight.tries))
                self._pause_until = time.monotonic() + _RESEND_S
            case Done(command) | Fail(command) if command == flight.request.address:
                self._end(flight, reply)

    def _end(self, flight: _Flight, end: Done | Fail) -> None:
        """Record the end of a job, unless the failure was not the request's."""
        if isinstance(end, Fail) and end.code == TokenError.code:  # a new daemon: read the runtime file again
            raise DaemonMissingError(end.text)
        if isinstance(end, Fail) and end.code in _REFUSES_ALL:
            raise BatchRefusedError(end.text, end.hint)
        del self._flights[flight.request.job]
        entry = entry_of(flight.item.key, flight.attempt, flight.request, end)
        self._manifest.add(entry)
        is_void = entry.error == JobInterruptedError.code or (entry.state == "done" and not entry.is_done)
        if is_void and flight.tries < MAX_ATTEMPTS:
            self._waiting += self._without_takes([(flight.item, flight.tries + 1)], self._began_at)
            return
        self._count(flight.item, entry)

    def _count(self, item: BatchItem, entry: ManifestEntry) -> None:
        self.tally.count(entry)
        self.tally.num_bytes += entry.num_bytes()
        self._largest = max(self._largest, entry.num_bytes())
        if entry.state == "failed":
            self.failures.append((item, entry))

    def _cancel_flights(self, client: Client) -> None:
        """Cancel all jobs in flight, and wait until each has ended; those that finish still count."""
        deadline = time.monotonic() + _CANCEL_S
        sent_at = 0.0
        while self._flights and time.monotonic() < deadline:
            if time.monotonic() - sent_at > _RESEND_S:
                for flight in self._flights.values():
                    client.send(Cancel(job=flight.request.job))
                    client.send(JobQuery(job=flight.request.job))
                sent_at = time.monotonic()
            reply = client.receive(_POLL_S)
            if isinstance(reply, Fail) and reply.code == UnknownJobError.code:  # the request never arrived
                self._flights.pop(reply.job, None)
            elif reply is not None:
                self._receive(reply)
        self._flights.clear()


def _key_of(job: str) -> str:
    """Return the request's key in an attempt's job id; "" for other jobs."""
    match = re.fullmatch(r"batch-([0-9a-f]+)-\d+", job)
    return match[1] if match else ""


def _num_bytes_in(folder: Path) -> int:
    """Return the size of all files in a folder and below; files that vanish are not counted."""
    num_bytes = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                num_bytes += os.lstat(os.path.join(place, name)).st_size
    return num_bytes
