"""The queue: urgent first, clients in turn, no job waits for ever, and no more than fit."""

import asyncio

import pytest

from bridge.errors import QueueFullError
from bridge.jobs.job_queue import MAX_OVERTAKEN, JobQueue, urgency_of
from bridge.wire.messages import Generate


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


def served(queue):
    return [queue.take() for _ in range(len(queue))]


class TestUrgency:
    def test_puts_drafts_before_normal_jobs_before_batches(self):
        queue = JobQueue(9)
        for job, urgency in (("batch", 2), ("normal", 1), ("draft", 0)):
            queue.add(job, urgency)

        assert [queue.position(job) for job in ("draft", "normal", "batch")] == [0, 1, 2]
        assert served(queue) == ["draft", "normal", "batch"]

    @pytest.mark.parametrize(
        ("keys", "urgency"),
        [
            ({}, 1),
            ({"steps": 6}, 0),
            ({"steps": 7}, 1),
            ({"draft": True}, 0),
            ({"draft": True, "priority": "normal"}, 1),
            ({"steps": 4, "priority": "batch"}, 2),
        ],
        ids=["normal", "few-steps", "many-steps", "a-draft", "a-draft-that-can-wait", "as-the-client-says"],
    )
    def test_of_a_request(self, keys, urgency):
        assert urgency_of(Generate(job="j", prompt="rain", **keys)) == urgency

    def test_lets_no_job_wait_for_ever(self):
        queue = JobQueue(99)
        queue.add("patient", 2)
        taken = []
        for number in range(MAX_OVERTAKEN + 2):
            queue.add(f"draft {number}", 0)
            taken.append(queue.take())

        assert taken.index("patient") == MAX_OVERTAKEN


class TestFairness:
    def test_lets_clients_take_turns(self):
        queue = JobQueue(9)
        for job in ("a1", "a2", "a3", "b1", "b2", "c1"):
            queue.add(job, 1, job[0])

        assert served(queue) == ["a1", "b1", "c1", "a2", "b2", "a3"]

    def test_does_not_repay_those_who_were_away(self):
        queue = JobQueue(9)
        for job in ("a1", "a2", "a3", "a4"):
            queue.add(job, 1, "a")
        for _ in range(2):
            queue.take()
        for job in ("b1", "b2"):
            queue.add(job, 1, "b")

        assert served(queue) == ["a3", "b1", "a4", "b2"]


def test_closes_the_gap_that_a_job_leaves():
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


def test_lets_the_runner_wait_until_a_job_comes():
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


def test_an_emptied_queue_has_no_job_to_take():
    async def scene():
        queue = JobQueue(9)
        queue.add("a")
        assert queue.clear() == ["a"]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queue.wait(), 0.01)

    asyncio.run(scene())
