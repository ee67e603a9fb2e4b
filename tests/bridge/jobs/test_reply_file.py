"""The reply file harms no other file, and is always whole."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from bridge.errors import ReplyFileError
from bridge.host.plain_file import open_plain
from bridge.jobs.job import Job
from bridge.jobs.reply_file import check_reply_file, describe, write_reply_file
from bridge.wire.messages import Done, Generate, Progress


def make_job(path):
    return Job(request=Generate(job="j", prompt="rain", reply=str(path)))


class TestMayBeWritten:
    def test_when_it_is_new(self, tmp_path):
        check_reply_file(str(tmp_path / "r.json"))

    def test_when_it_is_empty(self, tmp_path):
        (tmp_path / "r.json").touch()
        check_reply_file(str(tmp_path / "r.json"))

    def test_when_it_was_a_reply_before(self, tmp_path):
        write_reply_file(make_job(tmp_path / "r.json"))
        check_reply_file(str(tmp_path / "r.json"))


REFUSED = {
    "other JSON": "{}",
    "a sidecar": '{"prompt": "rain", "seed": 1}',
    "a list": '["job", "state"]',
    "a reply with more in it": json.dumps(describe(make_job("/r.json")) | {"mine": 1}),
    "no JSON": "RIFF",
    "deep JSON": "[" * 100_000,
}


class TestIsRefused:
    @pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
    def test_when_it_holds(self, tmp_path, content):
        path = tmp_path / "r.json"
        path.write_text(content)
        with pytest.raises(ReplyFileError, match="did not write"):
            check_reply_file(str(path))
        assert path.read_text() == content

    @pytest.mark.parametrize("name", ["r.wav", "r", "json"])
    def test_when_it_does_not_end_in_json(self, tmp_path, name):
        with pytest.raises(ReplyFileError, match=r"\.json"):
            check_reply_file(str(tmp_path / name))

    def test_when_its_folder_is_missing(self, tmp_path):
        with pytest.raises(ReplyFileError, match="no folder"):
            check_reply_file(str(tmp_path / "missing" / "r.json"))

    def test_when_it_is_a_folder(self, tmp_path):
        (tmp_path / "r.json").mkdir()
        with pytest.raises(ReplyFileError, match="did not write"):
            check_reply_file(str(tmp_path / "r.json"))

    def test_when_it_is_a_link_to_nothing(self, tmp_path):
        os.symlink(tmp_path / "missing", tmp_path / "r.json")
        with pytest.raises(ReplyFileError):
            check_reply_file(str(tmp_path / "r.json"))

    def test_when_its_name_is_too_long(self, tmp_path):
        with pytest.raises(ReplyFileError):
            check_reply_file(str(tmp_path / ("r" * 300 + ".json")))


def test_a_reader_never_sees_half_a_reply(tmp_path):
    path = tmp_path / "r.json"
    job = make_job(path)
    write_reply_file(job)
    ended = threading.Event()

    def write():
        for step in range(300):
            write_reply_file(job.after(Progress("j", step / 300, "x" * step)))
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not ended.is_set():
        assert json.loads(path.read_text(encoding="utf-8"))["job"] == "j"
    writer.join()
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_is_not_unicode_is_still_written(tmp_path):
    name = b"/caf\xe9.wav".decode("utf-8", "surrogateescape")
    job = make_job(tmp_path / "r.json").after(Progress("j", 0, "x")).after(Done("/retake/generate", "j", (name,)))
    write_reply_file(job)

    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["paths"] == [name]


def test_trouble_with_it_does_not_stop_the_job(tmp_path):
    write_reply_file(make_job(tmp_path / "gone" / "r.json"))


def test_a_job_without_one_writes_none():
    write_reply_file(Job(request=Generate(job="j", prompt="rain")))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
class TestSwap:
    """In a folder that others may write to, something else stands at the name from one moment to the next."""

    SWAP = """
import json, os, sys, time
folder, good = sys.argv[1], sys.argv[2]
print("swaps", flush=True)
while not os.path.exists(f"{folder}/stop"):
    try:
        with open(f"{folder}/g", "w") as file:
            file.write(good)
        os.rename(f"{folder}/g", f"{folder}/r.json")
        os.path.exists(f"{folder}/f") or os.mkfifo(f"{folder}/f")
        os.rename(f"{folder}/f", f"{folder}/r.json")
        os.symlink("/dev/zero", f"{folder}/l")
        os.rename(f"{folder}/l", f"{folder}/r.json")
    except OSError:
        pass
"""

    @pytest.fixture
    def swapped(self, tmp_path):
        command = [sys.executable, "-c", self.SWAP, str(tmp_path), json.dumps(describe(make_job(tmp_path / "r.json")))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "swaps\n"
            yield tmp_path / "r.json"
            (tmp_path / "stop").touch()

    @pytest.mark.timeout(60)
    def test_by_a_pipe_or_a_link_does_not_block(self, swapped):
        """Before, the first pipe that came between the look and the opening blocked for ever."""
        ends, until = {"written": 0, "refused": 0}, time.monotonic() + 3
        while time.monotonic() < until:
            try:
                check_reply_file(str(swapped))
                ends["written"] += 1
            except ReplyFileError:
                ends["refused"] += 1

        assert min(ends.values()) > 0, ends

    @pytest.mark.timeout(20)
    @pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
    def test_that_came_after_the_look_is_refused(self, tmp_path, kind):
        path = tmp_path / "r.json"
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "link":
            (tmp_path / "other.json").write_text(json.dumps(describe(make_job(path))))
            path.symlink_to(tmp_path / "other.json")
        else:
            path.mkdir()
        with pytest.raises(OSError, match=r"."):
            open_plain(path)
        with pytest.raises(ReplyFileError):
            check_reply_file(str(path))
