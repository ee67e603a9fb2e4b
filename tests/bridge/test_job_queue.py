"""The queue: first come, first served, and no more than fit."""

import asyncio

import pytest

from bridge.errors import QueueFullError
from bridge.job_queue import JobQueue


def test_serves_in_the_order_of_arrival():
    queue = JobQueue(9)
    for job in "abc":
        queue.add(job)

    assert [queue.take() for _ in range(3)] == ["a", "b", "c"]


def test_knows_who_comes_before_whom():
    queue = JobQueue(9)
    for job in "abc":
        queue.add(job)
    queue.take()

    assert [queue.position(job) for job in "abc"] == [None, 0, 1]


def test_closes_the_gap_that_somebody_leaves():
    queue = JobQueue(9)
    for job in "abc":
        queue.add(job)
    queue.remove("b")

    assert queue.position("c") == 1
    assert len(queue) == 2


def test_refuses_more_than_fit():
    queue = JobQueue(2)
    for job in "ab":
        queue.check_room()
        queue.add(job)

    with pytest.raises(QueueFullError, match="2 jobs"):
        queue.check_room()


def test_lets_the_worker_wait_until_somebody_comes():
    async def scene():
        queue = JobQueue(9)
        waiting = asyncio.create_task(queue.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        queue.add("a")
        await waiting
        queue.take()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queue.wait(), 0.01)

    asyncio.run(scene())


def test_an_emptied_queue_lets_nobody_in():
    async def scene():
        queue = JobQueue(9)
        queue.add("a")
        assert queue.clear() == ["a"]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queue.wait(), 0.01)

    asyncio.run(scene())
