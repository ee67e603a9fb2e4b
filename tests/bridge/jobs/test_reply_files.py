"""The daemon's reply files are written on threads: the newest state wins, and no drive holds the others up."""

import threading
import time

import pytest

from bridge.jobs.job import Job
from bridge.jobs.reply_file import write_reply_file
from bridge.jobs.reply_files import ReplyFiles
from bridge.wire.messages import Done, Generate, Progress


def make_job(path, name="j"):
    return Job(request=Generate(job=name, prompt="rain", reply=str(path)))


class Drive:
    """What is written where; one folder does not answer until it is told to."""

    def __init__(self, folder):
        self.folder, self.answers, self.written = folder, threading.Event(), []

    def write(self, job):
        if job.request.reply.startswith(str(self.folder)):
            self.answers.wait()
        write_reply_file(job)
        self.written.append((job.id, job.stage))


@pytest.fixture
def drive(tmp_path):
    (tmp_path / "asleep").mkdir()
    drive = Drive(tmp_path / "asleep")
    yield drive
    drive.answers.set()


def test_are_written_when_the_replies_are_sent(tmp_path, read_json):
    replies = ReplyFiles()
    job = make_job(tmp_path / "r.json")
    for step in range(50):
        job = job.after(Progress("j", step / 50, f"step {step}"))
        replies.write(job)
        assert read_json(tmp_path / "r.json")["stage"] == f"step {step}"


def test_of_a_drive_that_hangs_hold_no_others_up(tmp_path, drive, read_json):
    replies, began_at = ReplyFiles(drive.write), time.monotonic()
    for number in range(100):
        replies.write(make_job(drive.folder / f"{number}.json", f"asleep{number}"))
    replies.write(make_job(tmp_path / "r.json"))

    assert time.monotonic() - began_at < 2
    assert read_json(tmp_path / "r.json")["state"] == "queued"


def test_of_a_drive_that_wakes_hold_the_end(drive, wait_until, read_json):
    replies, job = ReplyFiles(drive.write), make_job(drive.folder / "r.json")
    replies.write(job)
    for step in range(20):
        job = job.after(Progress("j", step / 20, f"step {step}"))
        replies.write(job)
    replies.write(job.after(Done("/retake/generate", "j", ("/take.wav",))))
    drive.answers.set()
    wait_until(lambda: ("j", "done") in drive.written)

    assert read_json(drive.folder / "r.json")["paths"] == ["/take.wav"]
    assert len(drive.written) == 2  # the first, which hung, and the newest


def test_that_are_not_asked_for_cost_nothing(tmp_path):
    ReplyFiles().write(Job(request=Generate(job="j", prompt="rain")))

    assert list(tmp_path.iterdir()) == []
