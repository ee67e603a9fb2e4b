"""The journal: what was accepted is on disk, whatever happens next."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from bridge.errors import JournalError
from bridge.jobs.job import Job, JobState
from bridge.jobs.journal import Journal, find_in_file, open_journal, search_file
from bridge.jobs.journal_errors import JournalBusyError, JournalDamagedError
from bridge.wire.messages import Done, Fail, Generate, Inpaint, Notice, Progress, Restyle

ROOT = Path(__file__).parents[3]


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


def test_a_failure_is_read_back_word_for_word(reopen):
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


def pages_of(path):
    size = int.from_bytes(path.read_bytes()[16:18], "big")
    return size, path.stat().st_size // size


def spoil(path, *pages):
    """Write rubbish over pages of a database, numbered from 0, as a power cut or a bad disk does."""
    size, _ = pages_of(path)
    with path.open("r+b") as file:
        for page in pages:
            file.seek(page * size)
            file.write(bytes(range(1, 251)) * (size // 250 + 1))
            file.truncate(max(file.tell(), path.stat().st_size) // size * size)


@pytest.fixture
def filled(path):
    """A journal of many jobs, closed; the last one waits."""
    journal = Journal(path)
    for number in range(300):
        job = make_job(f"job{number}", negative="x" * 200)
        journal.add(job)
        if number < 299:
            journal.update(job.begun().after(Done("/retake/generate", job.id, ("/take.wav",))))
    journal.close()
    return path


@pytest.fixture
def open_again(path):
    opened = []

    def open_it():
        opened.append(open_journal(path))
        return opened[-1]

    yield open_it
    for journal in opened:
        journal.close()


class TestDamaged:
    """A journal that was damaged outside of Retake is kept under another name, and a new one serves."""

    def broken(self, path):
        return [file for file in path.parent.glob("journal.broken-*") if file.suffix == ".sqlite3"]

    @pytest.mark.parametrize(
        "rubbish",
        [b"somebody else's " * 600, b"\0" * 8192, b"SQLite format 3\0" + b"\7" * 9000],
        ids=["text", "0", "head"],
    )
    def test_that_is_none_at_all_is_set_aside(self, path, open_again, rubbish):
        path.write_bytes(rubbish)
        journal = open_again()
        journal.add(make_job("new"))

        (kept,) = self.broken(path)
        assert kept.read_bytes() == rubbish
        assert journal.find("new") == make_job("new")
        assert kept.name in journal.notes[0]
        assert "nothing in it could be read any more" in journal.notes[0]

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9], ids="{:.0%}".format)
    def test_in_one_page_loses_only_what_stood_there(self, filled, open_again, share):
        _, number = pages_of(filled)
        spoil(filled, round(number * share))
        journal = open_again()
        found = sum(journal.find(f"job{number}") is not None for number in range(300))

        assert len(self.broken(filled)) == 1
        assert found >= 150, found
        journal.add(make_job("new"))
        assert journal.search("new")[0].id == "new"

    @pytest.mark.timeout(60)
    def test_of_many_jobs_is_replaced_in_a_moment(self, path, open_again):
        journal = Journal(path)
        journal._write_all([make_job(f"job{number}") for number in range(20_000)])
        journal.close()
        spoil(path, pages_of(path)[1] // 2)
        began_at = time.monotonic()
        journal = open_again()

        assert len(journal.left_behind()) > 19_000
        assert time.monotonic() - began_at < 20

    def test_in_its_last_page_is_found_at_the_start_and_not_by_the_next_job(self, filled, open_again):
        spoil(filled, pages_of(filled)[1] - 1)
        journal = open_again()
        journal.add(make_job("new"))

        assert len(self.broken(filled)) == 1

    def test_is_opened_as_usual_the_next_time(self, filled, open_again):
        spoil(filled, 1)
        open_again().close()

        assert open_again().notes == ()
        assert len(self.broken(filled)) == 1

    def test_twice_in_one_second_keeps_both(self, path, open_again):
        for rubbish in (b"one " * 999, b"two " * 999):
            path.write_bytes(rubbish)
            open_again().close()

        assert {file.read_bytes()[:3] for file in self.broken(path)} == {b"one", b"two"}

    @pytest.mark.parametrize(
        "change",
        [
            "DELETE FROM jobs; ALTER TABLE jobs ADD COLUMN mood TEXT CHECK (mood IS NOT NULL)",
            "ALTER TABLE jobs RENAME COLUMN stage TO step",
            "DROP TABLE jobs; CREATE VIEW jobs AS SELECT 1 AS id, 'queued' AS state",
            "CREATE TRIGGER t BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'not with me'); END",
        ],
        ids=["not-null", "renamed", "view", "trigger"],
    )
    def test_that_a_later_version_made_otherwise_is_set_aside(self, filled, open_again, change):
        with closing(sqlite3.connect(filled)) as database:
            database.executescript(change)
        journal = open_again()
        journal.add(make_job("new"))

        assert journal.find("new") == make_job("new")
        assert len(self.broken(filled)) == 1

    def test_by_a_mere_additional_column_it_is_not(self, filled, open_again):
        with closing(sqlite3.connect(filled)) as database:
            database.executescript("ALTER TABLE jobs ADD COLUMN mood TEXT")

        assert open_again().find("job7") is not None
        assert self.broken(filled) == []

    def test_while_it_is_in_use_a_new_one_takes_over_what_is_known(self, filled, open_again):
        journal = open_again()
        (waiting,) = journal.left_behind()
        journal._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        journal._database.execute("PRAGMA cache_size = 0")
        spoil(filled, *range(1, pages_of(filled)[1]))
        journal.add(make_job("new"))

        assert journal.find("new") == make_job("new")
        assert "damaged" in journal.notes[0]
        assert [job.id for job in search_file(filled, "job299")] == [waiting.id]

    def test_is_reported_with_what_helps(self, path):
        path.write_text("no journal" * 1000)
        with pytest.raises(JournalDamagedError) as caught:
            Journal(path)

        assert "sets the damaged file aside" in caught.value.hint


class TestOddRow:
    """A row that a later version wrote, or that something changed."""

    ODD = (
        ("error", '["code"]'),
        ("error", "7"),
        ("paths", "3"),
        ("paths", '"/take.wav"'),
        ("paths", "[1]"),
        ("warnings", "{}"),
        ("warnings", "nonsense"),
        ("address", "/retake/status"),
        ("address", "/retake/sing"),
        ("address", ""),
        ("arguments", "[]"),
        ("arguments", '["one", 7]'),
        ("arguments", "{"),
        ("arguments", b"\xff\xfe"),
        ("attempts", "many"),
        ("created_at", "yesterday"),
        ("stage", b"\0"),
        ("arguments", "[" * 9000),
    )

    @pytest.mark.parametrize(("column", "value"), ODD, ids=lambda value: str(value)[:20])
    def test_hides_no_other_and_stops_no_start(self, reopen, column, value, caplog):
        journal = reopen()
        for name in ("first", "odd", "last"):
            journal.add(make_job(name))
        journal._database.execute(f"UPDATE jobs SET {column} = ? WHERE id = 'odd'", (value,))
        later = reopen()

        assert [job.id for job in later.left_behind()] == ["first", "last"]
        assert [job.id for job in later.search()] == ["last", "first"]
        assert "the job odd in the journal is not understood" in caplog.text
        with pytest.raises(JournalError, match="'odd' makes no sense"):
            later.find("odd")


class TestHeldByAnother:
    @pytest.fixture
    def holder(self, path):
        """Another program's connection, with the right to write."""
        with closing(sqlite3.connect(path, isolation_level=None, timeout=0.1)) as database:
            yield database

    def test_does_not_block_and_names_the_cause(self, reopen, holder):
        journal = reopen()
        holder.execute("BEGIN IMMEDIATE")
        began_at = time.monotonic()
        for number in range(20):
            with pytest.raises(JournalBusyError) as caught:
                journal.add(make_job(str(number)))

        assert time.monotonic() - began_at < 1.0
        assert "database browser" in caught.value.hint

    def test_loses_nothing_that_happened_meanwhile(self, reopen, holder, path):
        journal, job = reopen(), make_job("one")
        journal.add(job)
        holder.execute("BEGIN IMMEDIATE")
        done = job.begun().after(Done("/retake/generate", "one", ("/take.wav",)))
        with pytest.raises(JournalBusyError):
            journal.update(done)
        assert (journal.find("one"), journal.is_behind) == (done, True)
        holder.execute("ROLLBACK")
        time.sleep(0.3)
        journal.catch_up()

        assert find_in_file(path, "one") == done
        assert not journal.is_behind

    def test_at_the_end_has_a_last_moment(self, reopen, holder, path):
        journal, job = reopen(), make_job("one")
        journal.add(job)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalBusyError):
            journal.update(job.begun().after(Done("/retake/generate", "one", ())))
        holder.execute("ROLLBACK")
        journal.close()

        assert find_in_file(path, "one").state is JobState.DONE


@pytest.mark.skipif(sys.platform == "win32", reason="rights are another thing there")
def test_a_file_that_may_not_be_written_is_no_full_disk(reopen):
    journal = reopen()
    journal._database.execute("PRAGMA query_only = 1")
    with pytest.raises(JournalError, match="readonly") as caught:
        journal.add(make_job())

    assert "may be written to" in caught.value.hint


@pytest.mark.timeout(60)
def test_survives_being_killed_at_any_moment(path, reopen):
    """A process adds jobs and says so after each; it is killed in the middle: what it said is there."""
    program = (
        "import sys; from pathlib import Path; from bridge.jobs.job import Job\n"
        "from bridge.jobs.journal import Journal\n"
        "from bridge.wire.messages import Generate\n"
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
