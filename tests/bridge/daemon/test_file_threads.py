"""Checks of files that may hang: only the client that asked waits for them."""

import threading
import time

import numpy as np
import pytest
import soundfile

from bridge.daemon.file_threads import FileThreads, FolderSilentError
from bridge.errors import ClipRefusedError
from bridge.wire.messages import Ack, Done, Fail, Restyle, Status, StatusReply
from tests.audit_events import before


@pytest.fixture
def answer():
    """An event that a drive waits for; it comes in the end, so that no thread stays."""
    event = threading.Event()
    yield event
    event.set()


def test_gives_what_a_look_gives():
    assert FileThreads().run("key", lambda: 7) == 7


@pytest.mark.parametrize("error", [ClipRefusedError("clip", "/c.wav", "a pipe"), TimeoutError("drive"), KeyError("x")])
def test_raises_what_a_look_raises(error):
    def look():
        raise error

    with pytest.raises(type(error)):
        FileThreads().run("key", look)


def test_that_takes_long_is_asked_for_again(answer, wait_until):
    files, looks = FileThreads(), []

    def look():
        looks.append(1)
        answer.wait()
        return "there"

    def ask():
        try:
            return files.run("key", look)
        except FolderSilentError:
            return None

    assert [ask(), ask(), ask()] == [None] * 3
    answer.set()
    wait_until(lambda: ask() == "there")
    assert len(looks) == 1


def test_that_hang_are_limited_and_the_others_soon_over(answer):
    files, began_at = FileThreads(), time.monotonic()
    for number in range(200):
        with pytest.raises(FolderSilentError):
            files.run(number, answer.wait)

    assert time.monotonic() - began_at < 5
    assert sum(thread.name == "file check" for thread in threading.enumerate()) <= 40


@pytest.fixture
def asleep(answer, tmp_path):
    """A clip on a network drive that went to sleep: opening it waits."""
    clip = tmp_path / "asleep.wav"
    soundfile.write(clip, np.zeros(16_000), 16_000)

    def wait(path, *_):
        if path == str(clip):
            answer.wait()

    with before("open", wait):
        yield str(clip)


def test_keeps_only_the_client_waiting_that_asked(ear, connect, daemon, answer, asleep):
    """The clip's job waits for it, all others do not."""
    other, waits_s = connect(daemon), []
    for _ in range(6):  # as a client does that hears nothing
        ear.say(Restyle(job="hangs", clip=asleep, prompt="fine"))
        began_at = time.monotonic()
        other.say(Status())
        other.wait_for(StatusReply)
        waits_s.append(time.monotonic() - began_at)
    assert ear.hear(0.2) is None
    answer.set()

    assert sorted(waits_s)[3] < 0.5, waits_s
    assert ear.wait_for(Ack).job == "hangs"
    assert isinstance(ear.wait_for_end("hangs"), Done)


def test_that_never_ends_is_reported(ear, asleep):
    ear.say(Restyle(job="hangs", clip=asleep, prompt="fine"))
    fail = ear.wait_for(Fail)

    assert (fail.job, fail.code) == ("hangs", "folder_silent")
