"""The journal is read beside the daemon."""

import sqlite3

import pytest

from bridge.desktop.state.journal_reader import read_latest
from bridge.jobs.job import Job, JobState
from bridge.jobs.journal import Journal
from bridge.wire.messages import Done, Generate, Progress


class TestJournal:
    def test_is_read_beside_the_daemon(self, tmp_path):
        journal = Journal(tmp_path / "journal.sqlite3")
        for name in ("a", "b"):
            job = Job(request=Generate(job=name, prompt=f"sound {name}", seed=2))
            journal.add(job)
            journal.update(job.after(Progress(name, 0.5, "x")).after(Done("/retake/generate", name, (f"/{name}.wav",))))
        entries = read_latest(tmp_path)
        journal.close()

        assert [(it.job, it.title, it.state, it.paths) for it in entries] == [
            ("b", "sound b", JobState.DONE, ("/b.wav",)),
            ("a", "sound a", JobState.DONE, ("/a.wav",)),
        ]
        assert entries[0].created_at.endswith("Z")

    def test_is_empty_where_there_is_none(self, tmp_path):
        assert read_latest(tmp_path) == []
        assert not (tmp_path / "journal.sqlite3").exists()

    def test_is_never_written_to(self, tmp_path):
        Journal(tmp_path / "journal.sqlite3").close()
        before = (tmp_path / "journal.sqlite3").read_bytes()
        read_latest(tmp_path)

        assert (tmp_path / "journal.sqlite3").read_bytes() == before

    def test_that_is_none_is_told(self, tmp_path):
        (tmp_path / "journal.sqlite3").write_text("hello")
        with pytest.raises(sqlite3.Error):
            read_latest(tmp_path)
