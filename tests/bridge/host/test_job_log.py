"""The log: a job's id in its place on every line about it, no forged line, no reader but its user."""

import logging
import os
import re
import stat
import sys

import pytest

from bridge.host.job_log import LINE, LOG_FILE, LineFormatter, PrivateRotatingFile, about_job, marked_job
from bridge.wire.messages import Done, Fail

FORGED = "2026-01-01 00:00:00,000 INFO [take-1] bridge.daemon.dispatcher: job take-1: done"


@pytest.fixture
def open_logger():
    """Give a logger that writes through a handler, and nowhere else."""
    logger = logging.Logger("bridge.test")  # noqa: LOG001 - one that pytest does not listen to

    def start(handler):
        logger.addHandler(handler)
        return logger

    yield start
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


@pytest.fixture
def log(tmp_path, open_logger):
    """A logger of its own, and what it wrote as matches of LINE."""
    handler = PrivateRotatingFile(tmp_path / LOG_FILE, maxBytes=10_000, backupCount=2, encoding="utf-8")
    handler.setFormatter(LineFormatter())

    def lines():
        found = [LINE.fullmatch(line) for line in (tmp_path / LOG_FILE).read_text(encoding="utf-8").splitlines()]
        assert all(found)
        return found

    logger = open_logger(handler)
    logger.lines = lines
    return logger


class TestLine:
    def test_names_the_job_that_it_is_about(self, log):
        log.info("before")
        with about_job("take-17"):
            log.info("accepted %s", "/retake/generate")
            with about_job("other"):
                log.warning("inside")
            log.info("done")
        log.info("after")

        assert [line["job"] for line in log.lines()] == ["-", "take-17", "other", "take-17", "-"]
        assert log.lines()[1].group("level", "name", "text") == ("INFO", "bridge.test", "accepted /retake/generate")

    def test_of_a_traceback_has_the_id_too(self, log):
        with about_job("take-17"):
            try:
                int(f"no\n{FORGED}")
            except ValueError:
                log.exception("failed")

        lines = log.lines()
        assert len(lines) > 4
        assert {line["job"] for line in lines} == {"take-17"}
        assert any(FORGED in line["text"] for line in lines)

    @pytest.mark.parametrize(
        "separator", ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"], ids=repr
    )
    def test_cannot_be_begun_by_what_a_client_says(self, log, separator):
        with about_job(f"take-2{separator}{FORGED}"):
            log.info("prompt %s", f"rain{separator}{FORGED}")

        (line,) = log.lines()
        assert line["job"].startswith("take-2\\")
        assert line["text"].startswith("prompt rain\\")

    @pytest.mark.parametrize(
        ("job", "column"),
        [
            ("take 17", r"take\x2017"),
            ("x] y: [", r"x\x5d\x20y:\x20\x5b"),
            ("-", r"\x2d"),
            ("", "-"),
            ("Gewitter-ä", "Gewitter-ä"),
            ("\x1b[31m", r"\x1b\x5b31m"),
            ("half \ud800", r"half\x20\ud800"),
        ],
        ids=["space", "brackets", "dash", "none", "letters", "terminal codes", "lone surrogate"],
    )
    def test_has_one_word_for_any_id(self, log, job, column):
        with about_job(job):
            log.info("%s", job)

        assert log.lines()[0]["job"] == column


class TestFile:
    @pytest.mark.skipif(sys.platform == "win32", reason="rights are the profile's there")
    def test_is_its_users_alone_also_when_it_was_not_before(self, tmp_path, open_logger):
        (tmp_path / LOG_FILE).touch(mode=0o644)
        handler = PrivateRotatingFile(tmp_path / LOG_FILE, maxBytes=100, backupCount=2, encoding="utf-8")
        logger = open_logger(handler)
        for number in range(20):
            logger.info("a line of some length, number %d", number)

        files = sorted(tmp_path.glob(f"{LOG_FILE}*"))
        assert [file.name for file in files] == [LOG_FILE, f"{LOG_FILE}.1", f"{LOG_FILE}.2"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}

    def test_goes_on_when_it_cannot_be_rotated(self, tmp_path, open_logger):
        """As on Windows while another program reads it; here a folder with something in it is in the way."""
        (tmp_path / f"{LOG_FILE}.1" / "in the way").mkdir(parents=True)
        handler = PrivateRotatingFile(tmp_path / LOG_FILE, maxBytes=100, backupCount=1, encoding="utf-8")
        logger = open_logger(handler)
        for number in range(20):
            logger.info("a line of some length, number %d", number)

        assert len((tmp_path / LOG_FILE).read_text().splitlines()) == 20


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.timeout(20)
def test_a_pipe_in_its_place_keeps_no_daemon_waiting(tmp_path):
    os.mkfifo(tmp_path / LOG_FILE)

    with pytest.raises(OSError, match="No such device"):
        PrivateRotatingFile(tmp_path / LOG_FILE, maxBytes=1000, backupCount=1)


class TestMark:
    @pytest.mark.parametrize("line", ["INFO x: y\n", "", "\x1e", "job:x"])
    def test_is_not_seen_where_none_is(self, line):
        assert marked_job(line) is None

    @pytest.mark.parametrize(("line", "job"), [("\x1ejob:take-17\n", "take-17"), ("\x1ejob:\r\n", "")])
    def test_names_the_job_of_the_lines_that_follow(self, line, job):
        assert marked_job(line) == job


@pytest.fixture
def logged(tmp_path):
    """What a daemon in a thread logs."""
    handler = PrivateRotatingFile(tmp_path / LOG_FILE, maxBytes=1_000_000, backupCount=1, encoding="utf-8")
    handler.setFormatter(LineFormatter())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: [LINE.fullmatch(line) for line in (tmp_path / LOG_FILE).read_text(encoding="utf-8").splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)
    handler.close()


class TestDaemon:
    def test_names_the_job_on_every_line_about_it(self, logged, daemon, connect, generate, wait_until):
        """Queued by two clients at once; one job chatters on stderr, one kills its process, one is refused."""
        words = {"one": "chatters", "two": "dies", "three": "fine", "four": "chatters", "five": "refuses"}
        ears = [connect(daemon), connect(daemon)]
        for number, (job, word) in enumerate(words.items()):
            ears[number % 2].say(generate(job, word))
        for number, job in enumerate(words):
            assert isinstance(ears[number % 2].wait_for_end(job), Done | Fail)
        wait_until(
            lambda: sum(bool(re.search(r"job \w+: (done|failed)", line[0])) for line in logged() if line) == len(words)
        )
        wait_until(lambda: sum("says four" in line[0] for line in logged() if line) == 3)

        lines = logged()
        for line in lines:
            for job in words:
                if re.search(rf"\b(job {job}:|says {job}\b)", line["text"]):
                    assert line["job"] == job, line[0]
        for job in words:
            said = [line["text"] for line in lines if line["job"] == job]
            assert any("accepted" in text for text in said)
            assert any(re.search(r"done|failed", text) for text in said)
        assert [line["job"] for line in lines if "says" in line["text"]] == ["one"] * 3 + ["four"] * 3
        assert [line["job"] for line in lines if "ended with code 9" in line["text"]] == ["two", "two"]

    def test_is_not_misled_by_a_prompt_or_an_id(self, logged, ear, generate, wait_until):
        ear.say(generate("take 1] bridge.daemon.dispatcher: [x", f"refuses \n{FORGED}"))
        ear.wait_for(Fail)
        job = f"j\n{FORGED}".encode()
        ear.send_raw(b"/retake/cancel\0\0,s\0\0" + job + b"\0" * (4 - len(job) % 4))
        ear.wait_for(Fail)
        wait_until(lambda: any(line and "failed" in line["text"] for line in logged()))

        assert all(logged())
        assert "take-1" not in {line["job"] for line in logged()}


@pytest.mark.slow
def test_the_daemons_own_file_has_the_id_of_each_job(start_process, connect, generate, state_dir, tmp_path):
    """Three jobs at once, rendered with random weights by a render process of its own."""
    process = start_process("--log-level", "debug")
    ear = connect(process)
    jobs = ["one", "two", "three"]
    for job in jobs:
        ear.say(generate(job, "rain", seconds=0.5, steps=2, output_dir=str(tmp_path / "takes")))
    for job in jobs:
        assert isinstance(ear.wait_for_end(job), Done)
    process.stop()

    lines = [LINE.fullmatch(line) for line in (state_dir / LOG_FILE).read_text(encoding="utf-8").splitlines()]
    assert all(lines)
    for job in jobs:
        about = [line for line in lines if f"job {job}:" in line["text"]]
        assert len(about) >= 2
        assert {line["job"] for line in about} == {job}
    assert not [line[0] for line in lines if "\\x1e" in line[0]]
    assert stat.S_IMODE(os.stat(state_dir / LOG_FILE).st_mode) == 0o600
