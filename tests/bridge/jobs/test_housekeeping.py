"""What is thrown away: old finished jobs, and leftover drafts; never a file of the user's, never an unfinished job."""

import os
import sqlite3
import sys
import time

import pytest

from bridge.host.paths import PathRules
from bridge.jobs.housekeeping import Housekeeping, folders_of_jobs, prune_history, remove_drafts
from bridge.jobs.job import Job
from bridge.jobs.journal import Journal
from bridge.wire.messages import Ack, Done, Fail, Generate, JobQuery, Progress, Restyle

DRAFT = ".retake-reply-daemon-0123abcd.tmp"
SENDERS_DRAFT = ".retake-reply-send-0123abcd.tmp"


OTHERS = {
    "a take": "take.wav",
    "a sidecar": "take.json",
    "an engine's draft": ".retake-0123456789abcdef.tmp",
    "not hidden": "retake-reply-daemon-0123abcd.tmp",
    "capitals": ".retake-reply-daemon-0123ABCD.tmp",
    "too short": ".retake-reply-daemon-0123abc.tmp",
    "goes on": ".retake-reply-daemon-0123abcd.tmp.wav",
    "begins earlier": "my.retake-reply-daemon-0123abcd.tmp",
    "a line more": ".retake-reply-daemon-0123abcd.tmp\n",
    "of nobody": ".retake-reply-0123abcd.tmp",
}


@pytest.fixture
def journal_file(tmp_path):
    return tmp_path / "journal.sqlite3"


@pytest.fixture
def journal(journal_file):
    journal = Journal(journal_file)
    yield journal
    journal.close()


def add(journal, *names, end=True, **keys):
    for name in names:
        job = Job(request=Generate(job=name, prompt="rain", **keys))
        journal.add(job)
        job = job.after(Progress(name, 0.0, "loading"))
        if end:
            job = job.after(Done("/retake/generate", name, ("/takes/x.wav",)))
        journal.update(job)


def age(journal_file, name, days):
    with sqlite3.connect(journal_file) as database:
        database.execute(
            "UPDATE jobs SET changed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?) WHERE id = ?",
            (f"-{days} days", name),
        )
    database.close()


def known(journal, *names):
    return [name for name in names if journal.find(name) is not None]


class TestHistory:
    def test_forgets_what_ended_long_ago(self, journal, journal_file):
        add(journal, "old", "new")
        age(journal_file, "old", 366)
        age(journal_file, "new", 364)

        assert prune_history(journal_file, 365, 1000) == 1
        assert known(journal, "old", "new") == ["new"]

    def test_keeps_the_newest_jobs_only(self, journal, journal_file):
        names = [f"j{number}" for number in range(1203)]
        with sqlite3.connect(journal_file) as database:
            add(journal, "j0")
            copy = "INSERT INTO jobs (id, state, address, arguments, stage, warnings, paths) "
            copy += "SELECT ?, state, address, arguments, stage, warnings, paths FROM jobs WHERE id = 'j0'"
            database.executemany(copy, [(name,) for name in names[1:]])
        database.close()

        assert prune_history(journal_file, 365, 3) == 1200
        assert known(journal, *names) == names[-3:]

    def test_never_forgets_unfinished_jobs(self, journal, journal_file):
        add(journal, "runs", end=False)
        add(journal, "done")
        age(journal_file, "runs", 4000)

        assert prune_history(journal_file, 365, 1) == 0
        assert known(journal, "runs", "done") == ["runs", "done"]

    def test_leaves_the_files_of_a_forgotten_job(self, journal, journal_file, tmp_path):
        take = tmp_path / "take.wav"
        take.write_text("mine")
        add(journal, "old")
        age(journal_file, "old", 400)
        Housekeeping(journal_file, PathRules(), 365, 1000).tidy()

        assert known(journal, "old") == []
        assert take.read_text() == "mine"

    def test_waits_for_the_next_time_when_the_journal_cannot_be_used(self, tmp_path):
        (tmp_path / "journal.sqlite3").write_text("no database, although it is long enough for one" * 100)
        Housekeeping(tmp_path / "journal.sqlite3", PathRules(), 365, 1000).tidy()


class TestDrafts:
    @pytest.fixture
    def long_ago(self):
        def make(path, content="half"):
            path.write_text(content)
            os.utime(path, (1_000_000, 1_000_000))
            return path

        return make

    def test_left_by_a_killed_process_are_removed(self, tmp_path, long_ago):
        drafts = {long_ago(tmp_path / DRAFT), long_ago(tmp_path / SENDERS_DRAFT)}

        assert set(remove_drafts([tmp_path, tmp_path / "missing"], time.time())) == drafts
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", OTHERS.values(), ids=OTHERS)
    def test_are_known_by_their_whole_name(self, tmp_path, long_ago, name):
        file = long_ago(tmp_path / name)

        assert remove_drafts([tmp_path], time.time()) == []
        assert file.exists()

    def test_of_this_daemons_time_are_kept(self, tmp_path):
        began = time.time() - 1000
        (tmp_path / DRAFT).write_text("half")

        assert remove_drafts([tmp_path], began) == []

    @pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
    def test_that_are_links_or_folders_are_kept(self, tmp_path, long_ago):
        precious = long_ago(tmp_path / "precious.wav")
        os.symlink(precious, tmp_path / DRAFT)
        os.utime(tmp_path / DRAFT, (1_000_000, 1_000_000), follow_symlinks=False)
        (tmp_path / SENDERS_DRAFT).mkdir()
        os.utime(tmp_path / SENDERS_DRAFT, (1_000_000, 1_000_000))

        assert remove_drafts([tmp_path], time.time()) == []
        assert precious.exists()

    def test_are_looked_for_where_jobs_wrote(self, journal, journal_file, tmp_path):
        add(journal, "one", output_dir=str(tmp_path / "a"), reply=str(tmp_path / "b" / "r.json"))
        journal.add(Job(request=Restyle(job="two", clip=str(tmp_path / "c" / "clip.wav"), prompt="rain")))

        folders = folders_of_jobs(journal_file, PathRules())
        assert {tmp_path / "a", tmp_path / "b", tmp_path / "c"} <= folders


class TestDaemon:
    def test_tidies_up_when_it_starts(self, start_daemon, connect, generate, state_dir, tmp_path, wait_until):
        takes = tmp_path / "takes"
        takes.mkdir()
        first = start_daemon()
        ear = connect(first)
        for name in ("old", "new"):
            ear.say(generate(name, output_dir=str(takes)))
            ear.wait_for_end(name)
        first.stop()
        age(state_dir / "journal.sqlite3", "old", 400)
        for name in (DRAFT, "take.wav"):
            (takes / name).write_text("x")
            os.utime(takes / name, (1_000_000, 1_000_000))
        second = start_daemon()

        wait_until(lambda: not (takes / DRAFT).exists())
        ear = connect(second)

        def is_forgotten():
            ear.say(JobQuery(job="old"))
            return isinstance(ear.wait_for(Fail, Done, job="old"), Fail)

        wait_until(is_forgotten)
        assert (takes / "take.wav").exists()
        ear.say(JobQuery(job="new"))
        assert isinstance(ear.wait_for(Done, job="new"), Done)
        ear.say(generate("old", output_dir=str(takes)))
        assert isinstance(ear.wait_for(Ack, job="old"), Ack)
