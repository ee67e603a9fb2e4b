"""Who waits, in which order. Knows ids only; what a job is lives in jobs.py."""

import asyncio

from bridge.errors import QueueFullError


class JobQueue:
    """First come, first served, up to `capacity` waiting jobs."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: list[str] = []
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def check_room(self) -> None:
        """Raise QueueFullError when no further job can wait."""
        if len(self._waiting) >= self._capacity:
            raise QueueFullError(self._capacity)

    def add(self, job_id: str) -> None:
        self._waiting.append(job_id)
        self._some.set()

    def position(self, job_id: str) -> int | None:
        """Count the jobs waiting before this one; None when it does not wait."""
        return self._waiting.index(job_id) if job_id in self._waiting else None

    def remove(self, job_id: str) -> None:
        self._waiting.remove(job_id)
        self._refresh()

    def clear(self) -> list[str]:
        """Send everybody home, and say who waited."""
        gone, self._waiting = self._waiting, []
        self._refresh()
        return gone

    async def wait(self) -> None:
        """Return as soon as somebody waits."""
        await self._some.wait()

    def take(self) -> str:
        """Give the next one; it waits no longer."""
        job_id = self._waiting.pop(0)
        self._refresh()
        return job_id

    def _refresh(self) -> None:
        if not self._waiting:
            self._some.clear()
