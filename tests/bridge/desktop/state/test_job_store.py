"""The jobs that the window knows follow their replies."""

import pytest

from bridge.desktop.state.job_item import JobItem
from bridge.desktop.state.job_store import JobStore
from bridge.jobs.job import JobState
from bridge.wire.messages import Ack, Done, Fail, Generate, JobReply, Notice, Progress


class TestJobStore:
    def test_follows_a_job_to_its_end(self):
        store = JobStore()
        store.add(Generate(job="a", prompt="rain"))
        for news in (Ack("a", 0), Progress("a", 0.5, "step 1/2"), Notice("a", "hm"), Notice("a", "hm")):
            store.apply(news)
        assert store.summary().status == "working"
        assert store.summary().fraction == 0.5
        entry = store.apply(Done("/retake/generate", "a", ("/a.wav",)))

        assert (entry.state, entry.paths, entry.warnings) == (JobState.DONE, ("/a.wav",), ("hm",))
        assert store.summary().status == "idle"

    def test_late_news_change_nothing(self):
        store = JobStore()
        store.apply(Fail("/retake/generate", "a", "cancelled", "t", "h"))
        assert store.apply(Progress("a", 0.5, "step")).state is JobState.CANCELLED

    def test_answers_to_cancel_are_no_news_of_the_job(self):
        store = JobStore()
        store.apply(Progress("a", 0.5, "step"))

        assert store.apply(Done("/retake/cancel", "a")) is None
        assert store.find("a").state is JobState.RUNNING

    def test_a_failure_shows_until_it_was_seen(self):
        store = JobStore()
        store.apply(Fail("/retake/generate", "a", "bad", "it broke", "h"))
        assert (store.summary().status, store.summary().text) == ("error", "it broke")
        store.acknowledge_failure()

        assert store.summary().status == "idle"

    def test_learns_from_the_journal_what_a_stranger_asked_for(self):
        store = JobStore()
        store.apply(Progress("a", 0.25, "step 1/4"))
        told = JobItem(job="a", request=Generate(job="a", prompt="wind"), created_at="2026-01-01T00:00:00Z")
        store.fill([told])

        assert (store.find("a").title, store.find("a").fraction) == ("wind", 0.25)

    def test_a_word_about_the_job_counts(self):
        store = JobStore()
        assert store.apply(JobReply("a", "running", 0.5, "step")).state is JobState.RUNNING

    @pytest.mark.parametrize(
        ("position", "stage"), [(0, "next"), (1, "1 job ahead"), (2, "2 jobs ahead")], ids=["next", "one", "two"]
    )
    def test_a_waiting_job_says_how_many_are_ahead(self, position, stage):
        assert JobStore().apply(Ack("a", position)).stage == stage
