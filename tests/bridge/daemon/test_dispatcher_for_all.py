"""What every client may ask for: each kind of request has its answer, and jobs of all are known and held by all."""

import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from bridge.host.discovery import find_daemon
from bridge.jobs.journal import JOURNAL_FILE
from bridge.wire.messages import (
    REQUESTS,
    Ack,
    Cancel,
    Done,
    Fail,
    JobQuery,
    JobReply,
    Models,
    ModelsReply,
    Notify,
    Pause,
    Progress,
    Status,
    StatusReply,
)

VALUES = {
    "job": "one",
    "clip": "/clip.wav",
    "path": "/clip.wav",
    "prompt": "fine",
    "start_s": 0.5,
    "end_s": 1.0,
    "number": 7,
    "on": 1,
    "model": "stand-in",
}


class TestRequest:
    @pytest.mark.parametrize("kind", REQUESTS.values(), ids=lambda kind: kind.address)
    def test_of_every_kind_is_answered(self, ear, kind):
        ear.say(kind(**{name: VALUES[name] for name in kind.fixed}))
        answer = ear.hear(10)

        assert answer is not None, f"{kind.address} got no answer"
        assert getattr(answer, "code", "") != "internal_error", answer

    @pytest.mark.parametrize(
        "kind", [kind for kind in REQUESTS.values() if kind.needs_token], ids=lambda it: it.address
    )
    def test_without_a_token_learns_nothing_of_the_machine(self, ear, daemon, kind):
        ear.say(kind(**{name: VALUES[name] for name in kind.fixed}), token="wrong")
        fail = ear.wait_for(Fail)

        assert fail.code == "bad_token"
        assert str(daemon.state_dir) not in fail.text + fail.hint


class TestStatus:
    def test_of_a_model_in_a_folder_has_its_name_only(self, start_daemon, connect):
        ear = connect(start_daemon(model="/home/somebody/secret place/model"))
        ear.say(Status(), token="")

        assert ear.wait_for(StatusReply).model == "model"

    def test_says_that_the_history_was_damaged(self, state_dir, start_daemon, connect):
        (state_dir / JOURNAL_FILE).write_bytes(b"rubbish " * 1000)
        ear = connect(start_daemon())
        ear.say(Status())
        (note,) = ear.wait_for(StatusReply).notes

        assert note.startswith("The history was damaged")
        assert str(state_dir) not in note


class TestAcceptance:
    def test_is_sent_to_all_who_follow_everything(self, daemon, ear, connect, generate):
        window = connect(daemon)
        window.say(Notify(on=True))
        window.wait_for(Done)
        ear.say(generate("runs", "slow"))
        ear.wait_for(Progress, job="runs")
        for name in ("first", "second"):
            ear.say(generate(name))
            ear.wait_for(Ack)

        assert window.wait_for(Ack, job="second").position == 2
        assert [reply.job for reply in window.heard if isinstance(reply, Ack)] == ["runs", "first", "second"]

    def test_that_is_asked_for_again_is_answered_to_its_sender(self, daemon, ear, connect, generate):
        window = connect(daemon)
        window.say(Notify(on=True))
        window.wait_for(Done)
        for _ in range(3):
            ear.say(generate("one", "slow"))
            ear.wait_for(Ack)
        window.wait_for(Progress)

        assert sum(isinstance(reply, Ack) for reply in window.heard) == 1


class TestPause:
    def test_holds_the_jobs_of_all_until_one_client_resumes(self, daemon, ear, connect, generate):
        window, daw = connect(daemon), connect(daemon)
        window.say(Pause(on=True))
        assert window.wait_for(Done).command == Pause.address
        daw.say(generate("theirs"))
        ear.say(generate("ours"))
        assert daw.wait_for(Ack).job == "theirs"
        assert ear.wait_for(Ack).job == "ours"
        assert (daw.hear(0.6), ear.hear(0.1)) == (None, None)
        ear.say(JobQuery(job="ours"))
        assert ear.wait_for(JobReply).stage == "paused"

        daw.say(Pause(on=False))
        assert isinstance(daw.wait_for(Done, job="theirs"), Done)
        assert isinstance(ear.wait_for(Done, job="ours"), Done)

    def test_lets_what_runs_go_on(self, ear, generate):
        ear.say(generate("one", "slow"))
        ear.wait_for(Progress, job="one")
        ear.say(Pause(on=True))
        ear.wait_for(Done)
        ear.wait_for(Progress, job="one")
        ear.say(Cancel(job="one"))
        ear.wait_for(Fail, job="one")
        ear.say(generate("two"))
        ear.wait_for(Ack)

        assert ear.hear(0.6) is None

    def test_is_sent_to_all_who_follow_everything(self, daemon, ear, connect):
        window = connect(daemon)
        window.say(Notify(on=True))
        window.wait_for(Done)
        ear.say(Pause(on=True))

        assert window.wait_for(StatusReply).paused == 1
        ear.say(Pause(on=False))
        assert window.wait_for(StatusReply).paused == 0

    def test_lets_what_waits_be_cancelled(self, ear, generate):
        ear.say(Pause(on=True))
        ear.say(generate("one"))
        ear.wait_for(Ack)
        ear.say(Cancel(job="one"))

        assert ear.wait_for(Fail, job="one").code == "cancelled"

    def test_ends_with_the_daemon_that_was_asked_to_stop(self, start_daemon, connect):
        first = start_daemon()
        ear = connect(first)
        ear.say(Pause(on=True))
        ear.wait_for(Done)
        first.stop()
        ear = connect(start_daemon())
        ear.say(Status())

        assert ear.wait_for(StatusReply).paused == 0

    @pytest.mark.slow
    def test_outlives_a_daemon_that_is_killed(self, start_process, connect, state_dir, wait_until):
        first = start_process()
        ear = connect(first)
        ear.say(Pause(on=True))
        ear.wait_for(Done)
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
        second = start_process()
        wait_until(lambda: find_daemon(state_dir) is not None)
        ear = connect(second)
        ear.say(Status())

        assert ear.wait_for(StatusReply).paused == 1


class TestModels:
    """Every client may ask which models there are, and none can harm a job by it."""

    def test_are_listed_for_many_at_once(self, daemon, connect):
        ears = [connect(daemon) for _ in range(20)]
        for ear in ears:
            ear.say(Models(), token="")

        assert all(ear.wait_for(ModelsReply).names == ("nano", "stand-in") for ear in ears)

    def test_that_cannot_be_listed_are_a_failure(self, start_daemon, connect, generate):
        daemon = start_daemon(worker_silence_s=1)
        ear = connect(daemon)
        ear.say(generate("one", "mute"))  # from now on the process lists no models
        while not ear.wait_for(Progress, job="one").stage.startswith("step"):
            pass
        pid, began_at = daemon.worker_pid, time.monotonic()
        stranger = connect(daemon)
        stranger.say(Models(), token="")
        fail = stranger.wait_for(Fail)

        assert (fail.command, fail.code) == (Models.address, "busy")
        assert time.monotonic() - began_at < 10
        assert daemon.worker_pid == pid
        assert isinstance(ear.wait_for_end("one"), Done)


def test_a_row_that_cannot_be_read_is_reported_to_its_client(ear, daemon, generate):
    ear.say(generate("one"))
    ear.wait_for_end("one")
    with closing(sqlite3.connect(daemon.state_dir / JOURNAL_FILE)) as database, database:
        database.execute("UPDATE jobs SET paths = '7' WHERE id = 'one'")
    ear.say(JobQuery(job="one"))
    assert ear.wait_for(Fail).code == "journal_failed"
    ear.say(generate("two"))

    assert isinstance(ear.wait_for_end("two"), Done)
