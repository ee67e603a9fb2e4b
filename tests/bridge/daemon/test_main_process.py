"""The daemon as a process: quick, light, single, and tidy however it ends."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bridge.host.discovery import find_daemon
from bridge.wire.messages import Ack, Done, Fail, Generate, JobQuery, Progress, Status, StatusReply, Upscale, Vary

ROOT = Path(__file__).parents[3]
HEAVY = ("torch", "numpy", "soundfile", "engine", "scipy", "soxr", "pydantic", "transformers")


def run(*words, **options):
    command = [sys.executable, "-m", "bridge", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)


class TestStart:
    @pytest.mark.parametrize(
        "module", ["bridge.daemon.main", "bridge.clients.send", "bridge.clients.status", "bridge.__main__"]
    )
    def test_imports_nothing_heavy(self, module):
        program = f"import sys, {module}; print(*sorted(set({HEAVY}) & set(sys.modules)))"
        found = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout

        assert found == "\n"

    @pytest.mark.parametrize("module", ["bridge.clients.send", "bridge.clients.status"])
    def test_of_a_client_needs_the_standard_library_and_python_osc_only(self, module):
        program = (
            f"import sys; before = set(sys.modules); import {module}\n"
            "rooms = {name.split('.')[0] for name in set(sys.modules) - before}\n"
            "print(*sorted(rooms - set(sys.stdlib_module_names)))\n"
            "print(*sorted({'asyncio', 'sqlite3', 'subprocess', 'tomllib'} & set(sys.modules)))"
        )
        found = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout

        assert found == "bridge pythonosc\n\n"

    def test_answers_status(self, start_process, connect):
        ear = connect(start_process())
        ear.say(Status(), token="")

        assert ear.hear() == StatusReply(ear.heard[0].version, "idle", "tiny", "auto", 0)

    def test_makes_a_private_state_folder(self, start_process, state_dir):
        state_dir.rmdir()
        assert start_process().runtime

        assert stat.S_IMODE(state_dir.stat().st_mode) == 0o700
        assert stat.S_IMODE((state_dir / "runtime.json").stat().st_mode) == 0o600

    def test_a_second_one_says_where_the_first_is_and_leaves(self, start_process):
        first = start_process().runtime
        second = run("daemon", timeout=120)

        assert second.returncode == 0
        assert f"127.0.0.1:{first.port} (pid {first.pid})" in second.stdout

    def test_takes_the_next_port_when_one_is_busy(self, start_process, connect):
        taken = connect(type("Nobody", (), {"runtime": None})).socket.getsockname()[1]
        daemon = start_process("--port", str(taken))

        assert taken < daemon.runtime.port <= taken + 20

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["--port", "many"], "port is 'many' in the command line; expected a whole number"),
            (["--config", "/missing.toml"], "readable TOML"),
        ],
        ids=["setting", "config"],
    )
    @pytest.mark.usefixtures("state_dir")
    def test_that_is_impossible_is_explained(self, words, sentence):
        failure = run("daemon", *words, timeout=120)

        assert failure.returncode == 1
        assert sentence in failure.stderr
        assert "hint: " in failure.stderr

    def test_in_a_folder_that_cannot_be_is_explained(self, monkeypatch):
        monkeypatch.setenv("RETAKE_STATE_DIR", "/proc/nowhere")
        failure = run("daemon", timeout=120)

        assert failure.returncode == 1
        assert "the folder /proc/nowhere cannot be used" in failure.stderr


class TestEnd:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
    def test_by_signal_is_tidy(self, start_process, connect, generate, wait_until, alive, state_dir, number):
        daemon = start_process()
        ear = connect(daemon)
        ear.say(generate("one", seconds=1.0))
        ear.wait_for(Progress)
        wait_until(daemon.children)
        children = daemon.children()
        daemon.process.send_signal(number)

        assert ear.wait_for(Fail).code == "interrupted"
        assert daemon.process.wait(60) == 0
        assert not any(map(alive, children))
        assert not (state_dir / "runtime.json").exists()

    def test_by_force_loses_no_job_and_leaves_no_process(
        self, start_process, connect, generate, wait_until, alive, state_dir, tmp_path, read_json
    ):
        """`kill -9` right after the acknowledgement; the next daemon knows the job, and brings it to its end."""
        first = start_process()
        ear = connect(first)
        reply = tmp_path / "reply.json"
        ear.say(generate("one", seconds=1.0, reply=str(reply), output_dir=str(tmp_path)))
        ear.say(generate("two", output_dir=str(tmp_path)))
        ear.wait_for(Ack, job="two")
        wait_until(first.children)
        children = first.children()
        first.process.kill()
        first.process.wait()

        wait_until(lambda: not any(map(alive, children)))
        assert find_daemon(state_dir) is None
        ear = connect(start_process())
        for job in ("one", "two"):
            ear.say(JobQuery(job=job))
            assert isinstance(ear.wait_for_end(job), Done)
        assert read_json(reply)["state"] == "done"
        ear.say(generate("one", seconds=1.0, reply=str(reply), output_dir=str(tmp_path)))
        assert isinstance(ear.wait_for_end("one"), Done)

    def test_leaves_a_log_with_the_jobs_in_it(self, start_process, connect, generate, state_dir):
        daemon = start_process()
        ear = connect(daemon)
        ear.say(generate("take-17", prompt=""))
        ear.wait_for_end("take-17")
        daemon.stop()

        log = (state_dir / "daemon.log").read_text()
        assert "job take-17: accepted /retake/generate" in log
        assert "job take-17: failed" in log


@pytest.mark.slow
class TestJobs:
    """From the socket to the file and back, with random weights."""

    @pytest.mark.parametrize(
        ("kind", "keys", "name"),
        [
            (Vary, {"strength": 0.6}, "clip vary s3.wav"),
            (Upscale, {"cutoff_hz": 4000.0}, "clip upscale s3.wav"),
            (Generate, {"prompt": "", "seconds": 0.5, "like": "the clip"}, "generate like-clip s3.wav"),
        ],
        ids=["vary", "upscale", "generate like a clip"],
    )
    def test_end_in_a_file(self, start_process, connect, tmp_path, kind, keys, name):
        clip = tmp_path / "clip.wav"
        soundfile.write(clip, np.random.default_rng(1).uniform(-0.3, 0.3, (22050, 2)), 22050)
        given = {key: str(clip) if key == "like" else value for key, value in keys.items()}
        source = {} if kind is Generate else {"clip": str(clip)}
        ear = connect(start_process())
        ear.say(kind(job="one", seed=3, steps=2, output_dir=str(tmp_path / "takes"), **source, **given))

        done = ear.wait_for_end("one")
        assert done == Done(kind.address, "one", (str(tmp_path / "takes" / name),))
        assert soundfile.info(done.paths[0]).frames == {Generate: 24_000, Upscale: 48_000, Vary: 22_050}[kind]


@pytest.mark.slow
class TestRetakeSendStart:
    def test_starts_a_daemon_and_stops_it_again(self, state_dir, tmp_path, monkeypatch):
        monkeypatch.setenv("RETAKE_MODEL", "tiny")
        monkeypatch.setenv("RETAKE_PORT", "0")
        words = ["generate", "rain", "seconds", "0.5", "steps", "2", "--output-dir", str(tmp_path)]
        done = run("send", *words, "--start", "--stop-after", timeout=120)

        assert (done.returncode, done.stderr) == (0, "")
        assert Path(done.stdout.removeprefix("wrote ").strip()).is_file()
        assert find_daemon(state_dir) is None

    def test_says_so_when_the_daemon_cannot_start(self, state_dir, monkeypatch):
        monkeypatch.setenv("RETAKE_PORT", "many")
        failure = run("send", "version", "--start", timeout=120)

        assert failure.returncode == 1
        assert "ended at once" in failure.stderr
        assert list(state_dir.iterdir()) == []

    def test_leaves_the_daemon_running_for_the_next(self, state_dir, monkeypatch):
        monkeypatch.setenv("RETAKE_PORT", "0")
        assert run("send", "version", "--start", timeout=120).returncode == 0
        runtime = find_daemon(state_dir)

        assert runtime is not None
        assert os.getsid(runtime.pid) != os.getsid(0)
        assert run("send", "quit", timeout=120).returncode == 0
