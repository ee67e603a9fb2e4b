"""The reply file harms no other file, and is always whole."""

import json
import os
import threading

import pytest

from bridge.errors import ReplyFileError
from bridge.jobs import Job
from bridge.messages import Done, Generate, Progress
from bridge.reply_file import check_reply_file, describe, write_reply_file


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
