"""The runtime file and the lock: one daemon, found by everybody, and none where none is."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from bridge.discovery import (
    InstanceLock,
    Runtime,
    find_daemon,
    read_runtime,
    remove_runtime,
    runtime_file,
    state_folder,
    wait_for_daemon,
    write_runtime,
)

ROOT = Path(__file__).parents[2]
HERE = Runtime("127.0.0.1", 53170, os.getpid(), "0.1.0", "token")


@pytest.fixture
def lock(tmp_path):
    lock = InstanceLock(tmp_path)
    assert lock.acquire()
    yield lock
    lock.release()


def test_the_state_folder_is_where_this_system_keeps_such_things(monkeypatch):
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)

    assert state_folder(os.environ | {"RETAKE_STATE_DIR": ""}) == platformdirs.user_state_path(
        "retake", appauthor=False
    )


def test_the_state_folder_can_be_moved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert state_folder({"RETAKE_STATE_DIR": "here"}) == tmp_path / "here"


@pytest.mark.usefixtures("lock")
def test_a_running_daemon_is_found(tmp_path):
    write_runtime(tmp_path, HERE)

    assert find_daemon(tmp_path) == HERE


def test_only_its_user_may_read_the_token(tmp_path):
    runtime_file(tmp_path).write_text("old")
    runtime_file(tmp_path).chmod(0o644)
    write_runtime(tmp_path, HERE)

    assert stat.S_IMODE(runtime_file(tmp_path).stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [runtime_file(tmp_path)]


def test_nothing_is_found_where_nothing_is(tmp_path):
    assert find_daemon(tmp_path) is None


def test_a_runtime_file_whose_lock_is_free_is_stale(tmp_path):
    write_runtime(tmp_path, HERE)

    assert find_daemon(tmp_path) is None


@pytest.mark.usefixtures("lock")
def test_a_runtime_file_whose_process_is_gone_is_stale(tmp_path):
    """Another daemon has the lock already, and has not written its own file yet."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    write_runtime(tmp_path, Runtime("127.0.0.1", 1, gone.pid, "0.1.0", "token"))

    assert find_daemon(tmp_path) is None


@pytest.mark.usefixtures("lock")
@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": 1}', '{"unknown": 1}'])
def test_a_damaged_runtime_file_is_none(tmp_path, content):
    runtime_file(tmp_path).write_text(content)

    assert read_runtime(tmp_path) is None
    assert find_daemon(tmp_path) is None


def test_the_lock_is_for_one(tmp_path, lock):
    assert not InstanceLock(tmp_path).acquire()
    lock.release()
    second = InstanceLock(tmp_path)
    assert second.acquire()
    second.release()


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from bridge.discovery import InstanceLock\n"
        "lock = InstanceLock(Path(sys.argv[1])); print(lock.acquire(), flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "True\n"
        assert not InstanceLock(tmp_path).acquire()
        process.kill()

    lock = InstanceLock(tmp_path)
    assert lock.acquire()
    lock.release()


def test_waiting_ends_when_the_time_is_over(tmp_path):
    assert wait_for_daemon(tmp_path, 0.05) is None


def test_removing_twice_is_no_mistake(tmp_path):
    write_runtime(tmp_path, HERE)
    remove_runtime(tmp_path)
    remove_runtime(tmp_path)

    assert read_runtime(tmp_path) is None
