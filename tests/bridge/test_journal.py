"""The journal: what was accepted is on disk, whatever happens next."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.errors import JournalError
from bridge.jobs import Job, JobState
from bridge.journal import Journal, find_in_file, search_file
from bridge.messages import Done, Fail, Generate, Inpaint, Notice, Progress, Restyle

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite3"


@pytest.fixture
def reopen(path):
    """Open the journal again and again, as later daemons do; all are closed in the end."""
    opened = []

    def open_again():
        opened.append(Journal(path))
        return opened[-1]

    yield open_again
    for journal in opened:
        journal.close()


def make_job(name="one", **keys):
    return Job(request=Generate(job=name, prompt="rain", token="secret", **keys))


def test_an_accepted_job_is_on_disk_at_once(reopen):
    request = Inpaint(job="j", clip="/c.wav", prompt="雨", start_s=0.1, end_s=1, region=((2.5, 3.0),), keep_air=True)
    reopen().add(Job(request=request))

    found = reopen().find("j")
    assert found == Job(request=request)


def test_the_end_of_a_job_is_on_disk_with_everything(reopen):
    journal = reopen()
    job = make_job()
    journal.add(job)
    for news in (Progress("one", 0.5, "x"), Notice("one", "odd"), Done("/retake/generate", "one", ("/ä.wav",))):
        job = job.after(news)
        journal.update(job)

    assert reopen().find("one") == job
    assert journal.find("one") == job


def test_a_failure_is_told_again_word_for_word(reopen):
    journal = reopen()
    failure = Fail("/retake/generate", "one", "file_missing", "there is no file", "look again")
    journal.add(make_job())
    journal.update(make_job().after(failure))

    assert reopen().find("one").outcome() == failure


def test_progress_costs_no_write(reopen):
    journal = reopen()
    job = make_job().after(Progress("one", 0.0, "loading"))
    journal.add(job)
    before = journal._database.total_changes
    for step in range(100):
        job = job.after(Progress("one", step / 100, f"step {step}/100"))
        journal.update(job)

    assert journal._database.total_changes == before
    assert journal.find("one").stage == "step 99/100"


def test_unfinished_jobs_are_there_for_the_next_daemon(reopen):
    journal = reopen()
    journal.add(make_job("waits"))
    journal.add(make_job("runs").begun().after(Progress("runs", 0.1, "x")))
    journal.add(make_job("is over"))
    journal.update(make_job("is over").after(Fail("/retake/generate", "is over", "bad_value", "t", "h")))

    later = reopen()
    assert [(job.id, job.state, job.attempts) for job in later.left_behind()] == [
        ("waits", JobState.QUEUED, 0),
        ("runs", JobState.RUNNING, 1),
    ]
    assert [job.id for job in later.unfinished()] == ["waits", "runs"]
    assert later.find("is over").error.code == "bad_value"


def test_a_job_that_waits_again_is_on_disk_as_such(reopen):
    journal = reopen()
    journal.add(make_job().begun())
    journal.update(journal.find("one").requeued())

    assert (reopen().find("one").state, reopen().find("one").attempts) == (JobState.QUEUED, 1)


def test_the_time_of_acceptance_is_kept_to_the_millisecond(reopen):
    reopen().add(Job(request=Generate(job="one", prompt="rain"), accepted_at=1764075600.25))

    assert reopen().find("one").accepted_at == pytest.approx(1764075600.25, abs=0.002)


def test_a_journal_of_an_earlier_version_is_taken_over(reopen):
    journal = reopen()
    journal.add(make_job())
    journal._database.execute("ALTER TABLE jobs DROP COLUMN attempts")

    assert reopen().find("one") == make_job()


def test_a_row_of_a_later_version_hides_no_other(reopen):
    journal = reopen()
    journal.add(make_job("new"))
    journal.add(make_job("old"))
    journal._database.execute("UPDATE jobs SET address = '/retake/sing' WHERE id = 'new'")

    assert [job.id for job in reopen().left_behind()] == ["old"]
    assert [job.id for job in reopen().search()] == ["old"]


class TestSearch:
    @pytest.fixture
    def journal(self, reopen):
        journal = reopen()
        journal.add(Job(request=Generate(job="one", prompt="Wind im Gebälk")))
        journal.add(Job(request=Generate(job="two", prompt='a "loud" dog')))
        journal.add(Job(request=Restyle(job="three", clip="/takes/dog.wav", prompt="rain")))
        journal.update(journal.find("three").begun().after(Done("/retake/restyle", "three", ("/takes/wet.wav",))))
        return journal

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("", ["three", "two", "one"]),
            ("DOG", ["three", "two"]),
            ("gebälk", ["one"]),
            ('"loud"', ["two"]),
            ("wet.wav", ["three"]),
            ("tw", ["two"]),
            ("%", []),
        ],
        ids=["everything", "any-case", "not-ascii", "quotes", "result", "id", "no-pattern"],
    )
    def test_looks_into_ids_arguments_and_files(self, journal, path, text, found):
        assert [job.id for job in journal.search(text)] == found
        assert [job.id for job in search_file(path, text)] == found

    def test_keeps_to_a_state_and_a_number(self, journal):
        assert [job.id for job in journal.search(state="queued", limit=1)] == ["two"]
        assert [job.id for job in journal.search(state="done")] == ["three"]

    def test_changes_nothing_and_needs_no_daemon(self, journal, path):
        journal.close()
        before = path.read_bytes()
        assert find_in_file(path, "two").request.prompt == 'a "loud" dog'
        assert find_in_file(path, "four") is None

        assert path.read_bytes() == before

    def test_of_something_else_is_refused(self, path):
        path.write_text("no journal" * 1000)
        with pytest.raises(JournalError, match="not a database"):
            search_file(path)


def test_the_token_is_not_written(reopen, path):
    reopen().add(make_job())

    assert not any(b"secret" in file.read_bytes() for file in path.parent.iterdir())


def test_every_commit_waits_for_the_disk(reopen):
    journal = reopen()
    pragmas = [journal._database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]

    assert pragmas == ["wal", 2]


def test_a_file_that_is_no_journal_is_refused_and_left_alone(path):
    path.write_bytes(b"somebody else's " * 100)

    with pytest.raises(JournalError, match="not a database"):
        Journal(path)
    assert path.read_bytes() == b"somebody else's " * 100


class TestFullDisk:
    @pytest.fixture
    def full(self, reopen):
        journal = reopen()
        journal.add(make_job("before"))
        pages = journal._database.execute("PRAGMA page_count").fetchone()[0]
        journal._database.execute(f"PRAGMA max_page_count = {pages}")
        return journal

    def test_refuses_a_job_that_cannot_be_kept(self, full):
        with pytest.raises(JournalError, match="full"):
            full.add(Job(request=Generate(job="big", prompt="x" * 100_000)))
        assert full.find("big") is None

    def test_does_not_forget_how_a_job_ended(self, full):
        done = make_job("before").after(Progress("before", 0, "x"))
        done = done.after(Done("/retake/generate", "before", ("/x" * 100_000,)))
        with pytest.raises(JournalError, match="full"):
            full.update(done)

        assert full.find("before") == done
        assert full.unfinished() == []


@pytest.mark.timeout(60)
def test_survives_being_killed_at_any_moment(path, reopen):
    """A process adds jobs and says so after each; it is killed in the middle: what it said is there."""
    program = (
        "import sys; from pathlib import Path; from bridge.jobs import Job; from bridge.journal import Journal\n"
        "from bridge.messages import Generate\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for number in range(100000):\n"
        "    journal.add(Job(request=Generate(job=str(number), prompt='rain')))\n"
        "    print(number, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        said = [process.stdout.readline() for _ in range(50)]
        process.kill()
        said += process.stdout.readlines()

    jobs = {job.id for job in reopen().left_behind()}
    assert {word.strip() for word in said if word.endswith("\n")} <= jobs
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
