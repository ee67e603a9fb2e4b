"""`retake-send`: what it prints, what it waits for, and its exit codes."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.clients import send, status
from bridge.clients.client import Client
from bridge.clients.reply_file_reporter import ReplyFileReporter
from bridge.errors import DaemonMissingError
from bridge.host.discovery import InstanceLock, Runtime, write_runtime
from bridge.jobs.journal import Journal
from bridge.wire.messages import Generate, Version

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run(capsys):
    """Run a command line in this process: exit code, output, errors."""

    def run(*words, program=send):
        exit_code = program.main(words)
        return (exit_code, *capsys.readouterr())

    return run


@pytest.fixture
def start_send():
    """Start `retake-send` as a process of its own."""
    started = []

    def start(*words):
        command = [sys.executable, "-m", "bridge", "send", *words]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, cwd=ROOT, text=True, **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.usefixtures("daemon")
class TestWithDaemon:
    def test_prints_one_line_for_each_file(self, run):
        assert run("generate", "fine", "seed", "3", "--job", "one") == (0, "wrote /results/one.wav\n", "")

    def test_makes_a_clips_path_absolute(self, run, daemon, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        run("restyle", "clip.wav", "fine", "--job", "one", "--output-dir", "takes")

        journal = Journal(daemon.daemon.folder / "journal.sqlite3")
        request = journal.find("one").request
        journal.close()
        assert (request.clip, request.output_dir) == (str(tmp_path / "clip.wav"), str(tmp_path / "takes"))

    def test_names_results_whose_names_are_no_text(self, run, tmp_path):
        clip = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")
        Path(clip).write_bytes(b"RIFF\0\0\0\0WAVE")
        exit_code, out, err = run("vary", clip, "prompt", "fine", "--job", "one", "--output-dir", str(tmp_path))

        assert (exit_code, err) == (0, "")
        assert out.startswith("wrote ")

    @pytest.mark.parametrize("length", [20_000, 70_000])
    def test_says_of_a_prompt_that_is_too_long_that_it_is(self, run, length):
        began = time.monotonic()
        exit_code, out, err = run("generate", "loud " * (length // 5))

        assert (exit_code, out) == (1, "")
        assert "at most 16,384" in err
        assert "shorten the prompt" in err
        assert time.monotonic() - began < 5

    def test_lists_jobs_and_waits_for_a_model(self, run):
        run("generate", "fine", "--job", "one")
        exit_code, out, err = run("jobs", "limit", "3")

        assert (exit_code, err) == (0, "")
        assert "job: one\nstate: done\n" in out
        assert run("model", "other") == (0, "", "")
        assert run("unload") == (0, "", "")

    def test_shows_warnings_apart_from_results(self, run):
        exit_code, out, err = run("generate", "warns", "--job", "one")

        assert (exit_code, out) == (0, "wrote /results/one.wav\n")
        assert err == "warning: an unknown sound\n"

    def test_says_why_a_job_failed_and_what_to_do(self, run):
        assert run("generate", "refuses") == (1, "", "no\nhint: other\n")

    def test_sends_what_a_file_says(self, run, tmp_path):
        path = tmp_path / "request.json"
        path.write_text(json.dumps({"operation": "generate", "job": "one", "prompt": "fine", "seed": 3}))

        assert run("--request", str(path)) == (0, "wrote /results/one.wav\n", "")

    def test_does_not_wait_when_told_so(self, run):
        started = time.monotonic()

        assert run("generate", "slow", "--no-wait", "--job", "one") == (0, "accepted one\n", "")
        assert time.monotonic() - started < 10

    def test_does_not_wait_longer_than_told(self, run):
        exit_code, _, err = run("generate", "slow", "--timeout", "1")

        assert exit_code == 1
        assert "within the given time" in err

    def test_tells_of_a_job_that_somebody_cancelled(self, run, start_send, wait_until, daemon):
        process = start_send("generate", "slow", "--job", "one")
        wait_until(lambda: daemon.daemon.supervisor.state == "rendering")

        assert run("cancel", "one")[0] == 0
        assert process.wait(60) == 130

    def test_cancels_its_job_on_ctrl_c(self, start_send, wait_until, daemon):
        process = start_send("generate", "slow", "--job", "one")
        wait_until(lambda: daemon.daemon.supervisor.state == "rendering")
        process.send_signal(signal.SIGINT)

        assert process.wait(60) == 130
        assert process.stderr.read() == "cancelled\n"
        wait_until(lambda: daemon.daemon.supervisor.state == "idle")

    @pytest.mark.parametrize("command", ["version", "status", "models"])
    def test_prints_the_answer_to_a_question(self, run, command):
        exit_code, out, _ = run(command)

        assert exit_code == 0
        assert ": " in out

    def test_asks_how_a_job_went(self, run):
        run("generate", "fine", "--job", "one")

        assert run("job", "one")[:2] == (0, "job: one\nstate: done\nfraction: 1.0\nstage: done\n")

    def test_status_says_where_the_daemon_is(self, run, daemon):
        exit_code, out, _ = run("--json", program=status)
        facts = json.loads(out)

        assert exit_code == 0
        assert facts["port"] == daemon.runtime.port
        assert facts["token"] == daemon.runtime.token
        assert facts["state"] == "idle"
        assert f"127.0.0.1:{daemon.runtime.port}" in run(program=status)[1]


class TestReplyFile:
    """For hosts that start `retake-send` and neither wait for it nor hear it."""

    @pytest.fixture
    def ask(self, run, tmp_path, read_json):
        """Run a request file that names a reply file: the exit code, and what the reply file says."""

        def ask(**content):
            path, reply = tmp_path / "request.json", tmp_path / "reply.json"
            path.write_text(json.dumps({"job": "one", "reply": str(reply)} | content))
            exit_code = run("--request", str(path))[0]
            return exit_code, read_json(reply)

        return ask

    @pytest.mark.usefixtures("daemon")
    def test_keeps_the_daemons_last_word(self, ask):
        exit_code, reply = ask(operation="generate", prompt="warns")

        assert (exit_code, reply["state"], reply["paths"]) == (0, "done", ["/results/one.wav"])
        assert reply["warnings"] == ["an unknown sound"]

    @pytest.mark.usefixtures("daemon")
    def test_keeps_the_daemons_refusal(self, ask):
        exit_code, reply = ask(operation="generate", prompt="refuses")

        assert (exit_code, reply["state"]) == (1, "failed")
        assert reply["error"] == {"code": "bad_value", "text": "no", "hint": "other"}

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            ({"operation": "generate", "prompt": "fine", "seed": "x"}, "wrong_type"),
            ({"operation": "generate"}, "missing_argument"),
            ({"operation": "sing"}, "unknown_address"),
        ],
        ids=["wrong type", "no prompt", "no such operation"],
    )
    @pytest.mark.usefixtures("state_dir")
    def test_tells_what_is_wrong_with_the_request(self, ask, content, code):
        exit_code, reply = ask(**content)

        assert (exit_code, reply["job"], reply["state"], reply["error"]["code"]) == (2, "one", "failed", code)

    @pytest.mark.usefixtures("state_dir")
    def test_tells_that_there_is_no_daemon(self, ask):
        exit_code, reply = ask(operation="generate", prompt="fine")

        assert (exit_code, reply["state"], reply["error"]["code"]) == (1, "failed", "no_daemon")

    def test_tells_of_a_token_that_is_not_good_any_more(self, ask, daemon):
        write_runtime(daemon.state_dir, replace(daemon.runtime, token="old"))
        exit_code, reply = ask(operation="generate", prompt="fine")

        assert (exit_code, reply["error"]["code"]) == (1, "bad_token")

    @pytest.mark.usefixtures("state_dir")
    def test_says_at_once_that_the_request_is_taken_up(self, tmp_path, read_json):
        request = Generate(job="one", prompt="fine", reply=str(tmp_path / "reply.json"))
        ReplyFileReporter.of_request(request).begin()

        reply = read_json(tmp_path / "reply.json")
        assert (reply["state"], reply["stage"], reply["error"]) == ("queued", "starting", None)

    def test_does_not_come_back_when_the_host_took_it_away(self, tmp_path):
        reply = tmp_path / "reply.json"
        witness = ReplyFileReporter.of_request(Generate(job="one", prompt="fine", reply=str(reply)))
        witness.begin()
        reply.unlink()
        witness.fail(DaemonMissingError("no daemon runs"))

        assert not reply.exists()

    @pytest.mark.usefixtures("state_dir")
    def test_never_takes_the_place_of_another_file(self, run, tmp_path):
        precious, path = tmp_path / "session.json", tmp_path / "request.json"
        precious.write_text('{"tempo": 120}')
        path.write_text(json.dumps({"operation": "generate", "prompt": "fine", "reply": str(precious)}))
        run("--request", str(path))

        assert precious.read_text() == '{"tempo": 120}'


@pytest.mark.usefixtures("state_dir")
class TestWithoutDaemon:
    @pytest.mark.parametrize("words", [["generate", "rain"], ["status"]], ids=" ".join)
    def test_says_how_to_start_one(self, run, words):
        exit_code, out, err = run(*words)

        assert (exit_code, out) == (1, "")
        assert "no daemon runs" in err
        assert "retake daemon" in err

    def test_status_fails(self, run):
        assert run(program=status)[0] == 1
        exit_code, out, _ = run("--json", program=status)
        assert (exit_code, json.loads(out)["error"]["code"]) == (1, "no_daemon")

    @pytest.mark.parametrize(
        "words",
        [["generate"], ["generate", "p", "sede", "3"], ["generate", "p", "seed", "x"], ["inpaint", "c", "p", "2", "1"]],
        ids=" ".join,
    )
    def test_wrong_usage_is_told_apart(self, run, words):
        assert run(*words)[0] == 2

    @pytest.mark.parametrize("words", [[], ["restile", "c", "p"], ["generate", "p", "--unknown"]], ids=" ".join)
    def test_wrong_options_are_told_apart(self, run, words):
        with pytest.raises(SystemExit) as leaving:
            run(*words)
        assert leaving.value.code == 2

    def test_a_request_file_that_is_none_is_told(self, run, tmp_path):
        exit_code, _, err = run("--request", str(tmp_path / "missing.json"))

        assert exit_code == 1
        assert "is not a request" in err

    def test_a_daemon_that_has_just_gone_is_noticed(self):
        with Client(Runtime("127.0.0.1", 9, 1, "0", "token")) as client:
            client.send(Version())
            with pytest.raises(DaemonMissingError):
                client.receive(5)

    @pytest.mark.slow
    def test_a_daemon_that_does_not_answer_is_noticed(self, run, state_dir, connect):
        """A lock and a socket, but nobody behind it: the request is sent again and again, then given up."""
        silent = connect(type("Nobody", (), {"runtime": None}))
        lock = InstanceLock(state_dir)
        lock.acquire()
        port = silent.socket.getsockname()[1]
        write_runtime(state_dir, Runtime("127.0.0.1", port, 1, "0", "token"))
        exit_code, _, err = run("generate", "rain")
        lock.release()

        assert exit_code == 1
        assert "does not answer" in err
        datagrams = [silent.socket.recv(65536) for _ in range(3)]
        assert datagrams[0] == datagrams[1] == datagrams[2]


@pytest.mark.parametrize(("encoding", "signs"), [("utf-8", "█░"), ("cp437", "█░"), ("ascii", "#."), ("cp1252", "#.")])
def test_the_bar_is_drawn_with_what_the_terminal_has(encoding, signs):
    assert "".join(send._signs(encoding)) == signs
