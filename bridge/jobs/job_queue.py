"""Which jobs wait, in which order. Knows ids, urgency and clients only; what a job is stands in job.py.

Rules of the house:
1. What is more urgent goes first: drafts, then normal jobs, then batches.
2. Within an urgency clients take turns, so that a hundred jobs of one client do not hold up the one of another.
3. No job is overtaken more than MAX_OVERTAKEN times: then it is its turn, whatever else waits.
"""

import asyncio
from dataclasses import dataclass

from bridge.errors import QueueFullError
from bridge.operation_table import DRAFT_STEPS
from bridge.wire.arguments import PRIORITIES
from bridge.wire.messages import RenderRequest

MAX_OVERTAKEN = 20


@dataclass(frozen=True, order=True)
class Turn:
    """When it is a job's turn, the smallest first."""

    urgency: int
    round: int
    arrival: int


def urgency_of(request: RenderRequest) -> int:
    """0 for drafts, 1 for normal jobs, 2 for batches."""
    if request.priority is not None:
        return PRIORITIES.index(request.priority)
    is_draft = request.draft or (request.steps is not None and request.steps <= DRAFT_STEPS)
    return PRIORITIES.index("draft" if is_draft else "normal")


class JobQueue:
    """Up to `capacity` waiting jobs. Used by the daemon's event loop alone, so it needs no lock.

    The event `_some` is set exactly while a job waits whose turn may come: every method that changes either calls
    `_ring`, so that `wait` neither misses a job nor returns for one that was cancelled meanwhile.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: dict[str, Turn] = {}
        self._overtaken: dict[str, int] = {}
        self._rounds: dict[tuple[int, str], int] = {}
        self._current_round = dict.fromkeys(range(len(PRIORITIES)), 0)
        self._arrivals = 0
        self._some = asyncio.Event()
        self.is_held = False

    def __len__(self) -> int:
        return len(self._waiting)

    def check_room(self) -> None:
        """Raise QueueFullError when no further job can wait."""
        if len(self._waiting) >= self._capacity:
            raise QueueFullError(self._capacity)

    def add(self, job_id: str, urgency: int = 1, client: str = "") -> None:
        """Let a job wait; a client's jobs of the same urgency stand one round behind each other."""
        lane = (urgency, client)
        self._rounds[lane] = max(self._rounds.get(lane, 0), self._current_round[urgency]) + 1
        self._arrivals += 1
        self._waiting[job_id] = Turn(urgency, self._rounds[lane], self._arrivals)
        self._overtaken[job_id] = 0
        self._ring()

    def position(self, job_id: str) -> int | None:
        """Count the jobs waiting before this one; None when it does not wait."""
        turn = self._waiting.get(job_id)
        return None if turn is None else sum(other < turn for other in self._waiting.values())

    def remove(self, job_id: str) -> None:
        """Let a job wait no longer. Raises KeyError when it did not."""
        del self._waiting[job_id], self._overtaken[job_id]
        if not self._waiting:
            self._rounds.clear()
        self._ring()

    def hold(self, *, on: bool) -> None:
        """Let no job's turn come from now on, or go on."""
        self.is_held = on
        self._ring()

    def _ring(self) -> None:
        if self._waiting and not self.is_held:
            self._some.set()
        else:
            self._some.clear()

    def clear(self) -> list[str]:
        """Remove all waiting jobs, and return their ids."""
        gone = self.order()
        for job_id in gone:
            self.remove(job_id)
        return gone

    async def wait(self) -> None:
        """Return as soon as a job waits whose turn may come."""
        await self._some.wait()

    def order(self) -> list[str]:
        """Return the ids of all waiting jobs, the next one first."""
        return sorted(self._waiting, key=self._waiting.__getitem__)

    def take(self) -> str:
        """Remove the next job from the queue, and return its id."""
        job_id = self._overtaken_too_often() or min(self._waiting, key=self._waiting.__getitem__)
        turn = self._waiting[job_id]
        self._current_round[turn.urgency] = max(self._current_round[turn.urgency], turn.round)
        self.remove(job_id)
        for other, others_turn in self._waiting.items():
            self._overtaken[other] += others_turn.arrival < turn.arrival
        return job_id

    def _overtaken_too_often(self) -> str | None:
        """Return the job that has been overtaken too often, of several the earliest; None without one."""
        enough = [job_id for job_id, times in self._overtaken.items() if times >= MAX_OVERTAKEN]
        return min(enough, key=lambda job_id: self._waiting[job_id].arrival, default=None)
