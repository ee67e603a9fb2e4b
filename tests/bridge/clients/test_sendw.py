"""`retake-sendw`: the program that DAWs on Windows start lives without a console, and says all in the reply file."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run_without_a_console():
    """Run it as Windows does, where a program without a console has no standard streams: the exit code."""

    def run(*words):
        command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-m", "bridge.clients.sendw", *words]
        return subprocess.run(command, cwd=ROOT, check=False, timeout=120).returncode

    return run


@pytest.fixture
def request_file(tmp_path):
    path = tmp_path / "request.json"
    content = {"operation": "generate", "prompt": "fine", "job": "one", "reply": str(tmp_path / "reply.json")}
    path.write_text(json.dumps(content))
    return path


@pytest.mark.usefixtures("daemon")
def test_does_a_job_and_tells_the_reply_file(run_without_a_console, request_file, read_json):
    assert run_without_a_console("--request", str(request_file)) == 0
    assert read_json(request_file.with_name("reply.json"))["state"] == "done"


@pytest.mark.usefixtures("daemon")
def test_what_it_prints_does_not_end_it(run_without_a_console):
    assert run_without_a_console("jobs") == 0
    assert run_without_a_console("sing") == 2


def test_a_failure_is_told_too(run_without_a_console, request_file, read_json, tmp_path, monkeypatch):
    monkeypatch.setenv("RETAKE_STATE_DIR", str(tmp_path / "state"))

    assert run_without_a_console("--request", str(request_file)) == 1
    assert read_json(request_file.with_name("reply.json"))["error"]["code"] == "no_daemon"


def test_pip_makes_programs_without_a_console_of_it_and_of_the_tray():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["gui-scripts"]["retake-sendw"] == "_retake_programs:retake_sendw"
    assert project["gui-scripts"]["retake-tray"] == "_retake_programs:retake_tray"
    assert not set(project["gui-scripts"]) & set(project["scripts"])
