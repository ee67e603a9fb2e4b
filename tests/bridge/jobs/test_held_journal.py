"""Another program, such as a database browser, holds the journal: no client waits for it, and nothing is lost."""

import sqlite3
import time
from contextlib import closing

import pytest

from bridge.clients import send
from bridge.jobs.journal import JOURNAL_FILE, find_in_file
from bridge.wire.messages import Ack, Cancel, Done, Fail, JobReply, Progress, Status, StatusReply


@pytest.fixture
def holder(daemon):
    with closing(sqlite3.connect(daemon.state_dir / JOURNAL_FILE, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield database


def test_keeps_no_answer_waiting(ear, holder, generate):  # noqa: ARG001
    waits_s = []
    for number in range(8):
        ear.say(generate(f"job{number}"))
        began_at = time.monotonic()
        ear.say(Status())
        ear.wait_for(StatusReply)
        waits_s.append(time.monotonic() - began_at)

    assert sorted(waits_s)[4] < 0.2, waits_s


def test_lets_the_job_be_taken_as_soon_as_it_is_free(ear, holder, generate):
    for _ in range(5):  # as a client does that hears nothing
        ear.say(generate("one"))
        time.sleep(0.1)
    assert ear.hear(0.2) is None
    holder.execute("ROLLBACK")

    assert ear.wait_for(Ack).job == "one"
    assert isinstance(ear.wait_for_end("one"), Done)
    assert not [reply for reply in ear.heard if isinstance(reply, Fail | JobReply)]


def test_is_reported_when_it_is_never_free(ear, holder, generate):  # noqa: ARG001
    ear.say(generate("one"))
    fail = ear.wait_for(Fail)

    assert (fail.job, fail.code) == ("one", "journal_failed")
    assert "disk space" not in fail.hint


@pytest.mark.timeout(30)
def test_is_reported_before_senders_take_the_daemon_for_dead(daemon, holder, tmp_path, monkeypatch, capsys):  # noqa: ARG001
    monkeypatch.setenv("RETAKE_STATE_DIR", str(daemon.state_dir))

    assert send.main(["generate", "rain", "--output-dir", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "another program holds it" in said
    assert "hint: close what has the journal open" in said


def test_forgets_no_end_of_a_job(ear, daemon, generate, wait_until):
    ear.say(generate("one", "slow"))
    ear.wait_for(Progress, job="one")
    with closing(sqlite3.connect(daemon.state_dir / JOURNAL_FILE, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        ear.say(Cancel(job="one"))
        assert ear.wait_for(Fail, job="one").code == "cancelled"
        holder.execute("ROLLBACK")

    wait_until(lambda: find_in_file(daemon.state_dir / JOURNAL_FILE, "one").state == "cancelled")
