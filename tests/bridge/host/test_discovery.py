"""The runtime file and the lock: one daemon, found by every client, and none where none runs."""

import json
import os
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import platformdirs
import pytest

from bridge.host.discovery import (
    InstanceLock,
    Runtime,
    become_daemon,
    find_daemon,
    is_daemon_locked,
    lock_file,
    read_runtime,
    remove_runtime,
    runtime_file,
    state_folder,
    wait_for_daemon,
    write_runtime,
)

ROOT = Path(__file__).parents[3]
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
        "import sys, time; from pathlib import Path; from bridge.host.discovery import InstanceLock\n"
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


@pytest.mark.usefixtures("lock")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such state")
def test_a_runtime_file_whose_process_has_ended_and_was_not_waited_for_is_stale(tmp_path):
    """A client that started a daemon is its parent; until it looks after the dead child, its number lives on."""
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as ended:
        ended.stdout.read()
        write_runtime(tmp_path, replace(HERE, pid=ended.pid))
        deadline = time.monotonic() + 10
        while find_daemon(tmp_path) is not None and time.monotonic() < deadline:
            time.sleep(0.01)

        assert find_daemon(tmp_path) is None
        assert ended.returncode is None


@pytest.mark.usefixtures("lock")
@pytest.mark.parametrize(
    "odd",
    [
        {"pid": "4711"},
        {"pid": None},
        {"pid": 10**30},
        {"pid": -1},
        {"pid": True},
        {"pid": 1.0},
        {"port": 0},
        {"port": 65_536},
        {"port": "53170"},
        {"host": ""},
        {"host": ["127.0.0.1"]},
        {"token": None},
        {"version": 1},
    ],
    ids=str,
)
def test_a_runtime_file_with_odd_values_is_none(tmp_path, odd):
    runtime_file(tmp_path).write_text(json.dumps(HERE.facts() | odd))

    assert read_runtime(tmp_path) is None
    assert find_daemon(tmp_path) is None


@pytest.mark.parametrize("content", [b"[" * 50_000, b"\xff\xfe", b" " * 70_000 + b"{}"], ids=["deep", "bytes", "long"])
def test_a_runtime_file_that_no_daemon_would_write_is_none(tmp_path, content):
    runtime_file(tmp_path).write_bytes(content)

    assert read_runtime(tmp_path) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_pipe_or_a_link_in_its_place_is_none_and_does_not_block(tmp_path):
    os.mkfifo(runtime_file(tmp_path))
    assert read_runtime(tmp_path) is None
    runtime_file(tmp_path).unlink()
    (tmp_path / "other.json").write_text(json.dumps(HERE.facts()))
    runtime_file(tmp_path).symlink_to(tmp_path / "other.json")

    assert read_runtime(tmp_path) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_in_the_place_of_the_lock_does_not_block(tmp_path, make):
    make(lock_file(tmp_path))

    assert not is_daemon_locked(tmp_path)


LOOK = """
import sys
from pathlib import Path
from bridge.host.discovery import find_daemon
folder = Path(sys.argv[1])
stop, looks, fooled = folder / "stop", 0, 0
print("looks", flush=True)
while not stop.exists():
    for _ in range(50):
        found = find_daemon(folder)
        looks, fooled = looks + 1, fooled + (found is not None and found.token == "old")
print(looks, fooled)
"""


@pytest.fixture
def lookers(tmp_path):
    """Processes that look for the daemon without a pause; give what they saw: how many looks, how many wrong ones."""
    command = [sys.executable, "-c", LOOK, str(tmp_path)]
    started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in started:
        assert process.stdout.readline() == "looks\n"

    def stop():
        (tmp_path / "stop").touch()
        return [tuple(map(int, process.communicate(timeout=60)[0].split())) for process in started]

    yield stop
    (tmp_path / "stop").touch()
    for process in started:
        process.wait()
        process.stdout.close()


class TestManyLookers:
    """A stale runtime file whose process number is in use again, as after a restart of the machine."""

    @pytest.fixture(autouse=True)
    def _leave_behind(self, tmp_path):
        write_runtime(tmp_path, replace(HERE, token="old"))
        (tmp_path / "daemon.lock").touch()

    def test_do_not_take_each_other_for_a_daemon(self, lookers):
        time.sleep(1.0)
        seen = lookers()

        assert all(looks > 100 for looks, _ in seen), seen
        assert [fooled for _, fooled in seen] == [0] * 4

    def test_neither_keep_a_daemon_from_starting_nor_take_the_one_before_for_it(self, lookers, tmp_path):
        for number in range(40):
            write_runtime(tmp_path, replace(HERE, token="old"))
            lock = become_daemon(tmp_path, 10.0)
            assert lock is not None, f"start {number} was kept out"
            assert read_runtime(tmp_path) is None
            write_runtime(tmp_path, replace(HERE, token="new"))
            assert find_daemon(tmp_path).token == "new"
            remove_runtime(tmp_path)
            lock.release()
        seen = lookers()

        assert [fooled for _, fooled in seen] == [0] * 4, seen


def test_a_folder_in_the_place_of_the_runtime_file_steps_aside(tmp_path):
    note = tmp_path / "runtime.json" / "note.txt"
    note.parent.mkdir()
    note.write_text("mine")

    lock = become_daemon(tmp_path)
    assert lock is not None
    write_runtime(tmp_path, HERE)

    assert find_daemon(tmp_path) is not None
    assert [file.read_text() for file in tmp_path.glob("runtime.json.*/note.txt")] == ["mine"]
    lock.release()


def test_a_daemon_waits_for_one_that_is_just_ending(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from bridge.host.discovery import become_daemon\n"
        "lock = become_daemon(Path(sys.argv[1])); print('here', flush=True); time.sleep(0.4)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as ending:
        assert ending.stdout.readline() == "here\n"
        assert become_daemon(tmp_path, 0.0) is None
        lock = become_daemon(tmp_path, 30.0)

    assert lock is not None
    lock.release()


def test_looking_makes_no_file(tmp_path):
    assert not is_daemon_locked(tmp_path)
    assert not list(tmp_path.iterdir())
