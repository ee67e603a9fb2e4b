"""A client starts daemons, and starts them again: on the same port, as in real life."""

import os
import signal
import socket
import threading
import time

import pytest

from bridge.clients.client import Client
from bridge.clients.launch import start_daemon
from bridge.clients.status import ask_daemon
from bridge.errors import DaemonMissingError
from bridge.host.discovery import InstanceLock, find_daemon, wait_for_end
from bridge.wire.messages import Quit

pytestmark = pytest.mark.slow


@pytest.fixture
def fixed_port(monkeypatch):
    """A port that every daemon of this test takes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("RETAKE_PORT", str(port))
    monkeypatch.setenv("RETAKE_MODEL", "tiny")
    return port


@pytest.fixture
def folder(state_dir):
    yield state_dir
    if (left := find_daemon(state_dir)) is not None:
        with Client(left) as client:
            client.send(Quit())
        wait_for_end(state_dir, 10)


def test_a_killed_daemon_is_followed_by_another_and_never_taken_for_it(folder, fixed_port, wait_until):
    before = start_daemon(folder)
    for _ in range(3):
        os.kill(before.pid, signal.SIGKILL)
        wait_for_end(folder, 5)  # on a busy machine it works on for a moment, and is rightly found
        after = start_daemon(folder)

        assert (after.port, after.token == before.token) == (fixed_port, False)
        assert ask_daemon(after).state == "idle"
        wait_until(lambda pid=before.pid: not _exists(pid), 5)  # its parent, which is us, has looked after it
        before = after


def test_a_daemon_that_is_just_ending_is_waited_for(folder, fixed_port):
    before = start_daemon(folder)
    with Client(before) as client:
        client.send(Quit())
    while find_daemon(folder) is not None:
        time.sleep(0.001)
    after = start_daemon(folder)

    assert ask_daemon(after).version
    assert after.port == fixed_port


def test_one_that_cannot_start_is_told_at_once(state_dir, monkeypatch):
    monkeypatch.setenv("RETAKE_PORT", "nonsense")
    with pytest.raises(DaemonMissingError, match="ended at once"):
        start_daemon(state_dir)


def test_one_that_gave_way_to_another_which_went_is_started_again(state_dir, fixed_port):  # noqa: ARG001
    lock = InstanceLock(state_dir)
    assert lock.acquire()
    threading.Timer(2.5, lock.release).start()
    runtime = start_daemon(state_dir)
    with Client(runtime) as client:
        client.send(Quit())
    wait_for_end(state_dir, 10)

    assert runtime.pid > 0


def _exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
