"""After the daemon was killed the next one takes up its jobs; nothing is lost, and nothing is made twice."""

import json
import os
import signal
import time
from dataclasses import replace

import pytest

from bridge.jobs.job import Job
from bridge.jobs.journal import JOURNAL_FILE, Journal
from bridge.wire.messages import Ack, Done, Generate, JobQuery, JobReply, Progress

QUICK = {"seconds": 0.5, "steps": 2}


@pytest.fixture
def leave_behind(state_dir):
    """Write jobs into the journal, as a daemon that was killed leaves them."""

    def leave(*jobs):
        journal = Journal(state_dir / JOURNAL_FILE)
        for job in jobs:
            journal.add(job)
        journal.close()

    return leave


def job_named(name, age_s=0.0, **keys):
    return Job(request=Generate(job=name, prompt="fine", **keys), accepted_at=time.time() - age_s)


class TestNextDaemon:
    def test_renders_what_waited_and_what_ran(self, leave_behind, start_daemon, connect):
        leave_behind(job_named("ran").begun(), job_named("waited"))
        ear = connect(start_daemon())
        for job in ("ran", "waited"):
            ear.say(JobQuery(job=job))

        assert isinstance(ear.wait_for_end("ran"), Done)
        assert isinstance(ear.wait_for_end("waited"), Done)

    def test_keeps_their_order(self, leave_behind, start_daemon, wait_until):
        leave_behind(*(job_named(name) for name in "abc"))
        daemon = start_daemon()
        wait_until(lambda: not daemon.daemon.journal.unfinished())
        daemon.stop()
        journal = Journal(daemon.state_dir / JOURNAL_FILE)
        ends = journal._database.execute("SELECT id FROM jobs ORDER BY changed_at").fetchall()
        journal.close()

        assert [name for (name,) in ends] == ["a", "b", "c"]

    @pytest.mark.parametrize(
        "job",
        [job_named("j").begun().requeued().begun(), job_named("j", age_s=13 * 3600)],
        ids=["begun-twice", "too-old"],
    )
    def test_fails_what_it_does_not_take_up(self, leave_behind, start_daemon, connect, job):
        leave_behind(job)
        ear = connect(start_daemon())
        ear.say(JobQuery(job="j"))

        assert ear.hear() == JobReply("j", "failed", 0.0, "failed")
        assert ear.hear().code == "interrupted"

    @pytest.mark.parametrize(
        "job",
        [
            job_named("j").begun().requeued().begun(),
            job_named("j", age_s=13 * 3600).begun(),
            job_named("j").begun().requeued(),
        ],
        ids=["begun-twice", "too-old", "waiting-again"],
    )
    def test_finds_the_takes_of_a_job_whose_end_was_lost(self, leave_behind, start_daemon, connect, tmp_path, job):
        job = replace(job, request=replace(job.request, output_dir=str(tmp_path)))
        for number, score in ((1, 0.2), (2, 0.7)):
            story = {"job": "j", "candidate": number, "candidates": 2, "score": score}
            (tmp_path / f"{number}.json").write_text(json.dumps(story))
            (tmp_path / f"{number}.wav").touch()
        leave_behind(job)
        ear = connect(start_daemon())
        ear.say(JobQuery(job="j"))

        assert ear.wait_for_end("j") == Done(job.request.address, "j", (f"{tmp_path}/2.wav", f"{tmp_path}/1.wav"))

    def test_takes_no_half_of_a_jobs_takes_for_all(self, leave_behind, start_daemon, connect, tmp_path):
        (tmp_path / "1.json").write_text(json.dumps({"job": "j", "candidate": 1, "candidates": 2}))
        (tmp_path / "1.wav").touch()
        leave_behind(job_named("j", output_dir=str(tmp_path)).begun().requeued().begun())
        ear = connect(start_daemon())
        ear.say(JobQuery(job="j"))

        assert ear.wait_for(JobReply).state == "failed"

    def test_brings_reply_files_up_to_date(self, leave_behind, start_daemon, read_json, wait_until, tmp_path):
        path = tmp_path / "reply.json"
        leave_behind(job_named("j", reply=str(path)))
        start_daemon()

        wait_until(lambda: path.exists() and read_json(path)["state"] == "done")

    def test_answers_a_request_that_is_sent_again(self, leave_behind, start_daemon, connect):
        leave_behind(job_named("j"))
        ear = connect(start_daemon())
        ear.say(job_named("j").request)

        assert isinstance(ear.wait_for(Ack), Ack)
        assert isinstance(ear.wait_for_end("j"), Done)


@pytest.mark.slow
class TestKilledDaemon:
    """`kill -9` in the middle of a job, with the real render process."""

    def test_loses_no_job_and_makes_no_take_twice(self, start_process, connect, tmp_path, alive, wait_until):
        first = start_process()
        ear = connect(first)
        folder = tmp_path / "takes"
        for number in range(3):
            keys = QUICK | ({"steps": 200} if number == 0 else {})
            ear.say(Generate(job=f"j{number}", prompt="rain", seed=number, output_dir=str(folder), **keys))
            ear.wait_for(Ack, job=f"j{number}")
        while "step" not in ear.wait_for(Progress, job="j0").stage:
            pass
        workers = first.children()
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
        second = start_process()
        later = connect(second)
        for number in range(3):
            later.say(JobQuery(job=f"j{number}"))
        ends = {}
        while len(ends) < 3:
            end = later.wait_for(Done)
            ends[end.job] = end

        assert sorted(folder.glob("*.wav")) == sorted(type(folder)(path) for end in ends.values() for path in end.paths)
        assert len(list(folder.iterdir())) == 6
        wait_until(lambda: not any(alive(pid) for pid in workers))
