"""Jobs move by one table, and never back."""

import itertools
from dataclasses import replace

import pytest

from bridge.jobs.job import TRANSITIONS, Job, JobState
from bridge.wire.messages import Ack, Done, Fail, Generate, Notice, Progress, Reply

JOB = Job(request=Generate(job="j", prompt="rain"))
NEWS: dict[JobState, Reply] = {
    JobState.RUNNING: Progress("j", 0.5, "step 1/2"),
    JobState.DONE: Done("/retake/generate", "j", ("/a.wav",)),
    JobState.FAILED: Fail("/retake/generate", "j", "bad_value", "t", "h"),
    JobState.CANCELLED: Fail("/retake/generate", "j", "cancelled", "t", "h"),
}
WAYS = {
    JobState.QUEUED: JOB,
    JobState.RUNNING: JOB.after(NEWS[JobState.RUNNING]),
    JobState.DONE: JOB.after(NEWS[JobState.RUNNING]).after(NEWS[JobState.DONE]),
    JobState.FAILED: JOB.after(NEWS[JobState.FAILED]),
    JobState.CANCELLED: JOB.after(NEWS[JobState.CANCELLED]),
}


@pytest.mark.parametrize("state", JobState)
def test_every_state_can_be_reached(state):
    assert WAYS[state].state is state


@pytest.mark.parametrize(("before", "news"), list(itertools.product(JobState, NEWS)), ids=str)
def test_replies_move_a_job_as_the_table_says(before, news):
    job = WAYS[before]

    if before.is_final:
        assert job.after(NEWS[news]) is job
    elif news in TRANSITIONS[before]:
        assert job.after(NEWS[news]).state is news
    else:
        with pytest.raises(ValueError, match=f"{before} cannot become {news}"):
            job.after(NEWS[news])


class TestAttempt:
    def test_is_counted_when_it_begins(self):
        job = JOB.begun()

        assert (job.state, job.attempts, job.stage) == (JobState.RUNNING, 1, "loading")
        assert job.begun().attempts == 2

    def test_that_was_broken_off_puts_the_job_back_as_it_was(self):
        job = JOB.begun().after(Progress("j", 0.5, "step 1/2")).after(Notice("j", "odd")).requeued()

        assert job == replace(JOB, attempts=1)
        assert JOB.requeued() is JOB

    @pytest.mark.parametrize("state", [state for state in JobState if state.is_final])
    def test_is_no_way_back_from_the_end(self, state):
        with pytest.raises(ValueError, match="cannot become"):
            WAYS[state].begun()
        with pytest.raises(ValueError, match="cannot become"):
            WAYS[state].requeued()


def test_a_final_state_is_one_without_a_way_on():
    assert {state for state in JobState if state.is_final} == {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


def test_progress_says_how_far():
    job = WAYS[JobState.RUNNING]

    assert (job.fraction, job.stage) == (0.5, "step 1/2")


def test_warnings_gather():
    job = JOB.after(Notice("j", "one")).after(Notice("j", "two"))

    assert job.warnings == ("one", "two")


def test_other_messages_change_nothing():
    assert JOB.after(Ack("j", 0)) is JOB


def test_the_end_can_be_sent_again():
    assert WAYS[JobState.DONE].outcome() == NEWS[JobState.DONE]
    assert WAYS[JobState.FAILED].outcome() == NEWS[JobState.FAILED]
    assert WAYS[JobState.RUNNING].outcome() is None
