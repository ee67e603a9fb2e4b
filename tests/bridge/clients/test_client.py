"""A client and its port: only the daemon that was found is told anything, and only it is believed."""

import os
import socket
from dataclasses import replace

import pytest

from bridge.clients.client import Client, DaemonGoneError
from bridge.host.discovery import InstanceLock, Runtime, find_daemon, write_runtime
from bridge.wire.messages import Generate, Status, StatusReply
from bridge.wire.osc_codec import encode_reply


class Port:
    """A socket on a port of this machine, whoever has it at the time."""

    def __init__(self, port=0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.socket.settimeout(5)
        self.number = self.socket.getsockname()[1]

    def heard(self):
        """Everything that came here, without waiting for more."""
        self.socket.setblocking(False)
        datagrams = []
        try:
            while True:
                datagrams.append(self.socket.recv(65_536))
        except BlockingIOError:
            return datagrams

    def close(self):
        self.socket.close()


@pytest.fixture
def found(tmp_path):
    """A daemon as clients see it: a lock, a runtime file, and a port. Give its three parts and what was found."""
    lock, port = InstanceLock(tmp_path), Port()
    assert lock.acquire()
    write_runtime(tmp_path, Runtime("127.0.0.1", port.number, os.getpid(), "0", "secret"))
    yield lock, port, find_daemon(tmp_path)
    port.close()
    lock.release()


def test_what_is_there_is_told_and_believed(found):
    _, port, runtime = found
    with Client(runtime) as client:
        client.send(Status())
        _, sender = port.socket.recvfrom(65_536)
        port.socket.sendto(encode_reply(StatusReply("0", "idle", "nano", "cpu", 0)), sender)

        assert client.receive(5) == StatusReply("0", "idle", "nano", "cpu", 0)


class TestHeir:
    """Another program, perhaps of another user, has taken the port of a daemon that died."""

    @pytest.fixture
    def heir(self, found):
        lock, port, runtime = found
        client = Client(runtime)
        client.send(Status())
        _, sender = port.socket.recvfrom(65_536)
        lock.release()
        port.close()
        heir = Port(port.number)
        yield heir, client, sender
        heir.close()
        client.__exit__(None, None, None)

    def test_is_told_nothing(self, heir):
        heir, client, _ = heir
        with pytest.raises(DaemonGoneError):
            client.send(Generate(job="one", prompt="a secret prompt"))

        assert heir.heard() == []

    def test_is_not_believed(self, heir):
        heir, client, sender = heir
        heir.socket.sendto(encode_reply(StatusReply("0", "idle", "nano", "cpu", 0)), sender)

        with pytest.raises(DaemonGoneError, match="any more"):
            client.receive(5)

    def test_is_noticed_also_when_it_is_silent(self, heir):
        _, client, _ = heir
        with pytest.raises(DaemonGoneError):
            client.receive(0.01)


def test_a_successor_on_the_same_port_is_another_daemon(found, tmp_path):
    _, port, runtime = found
    with Client(runtime) as client:
        write_runtime(tmp_path, replace(runtime, token="another"))
        with pytest.raises(DaemonGoneError):
            client.send(Status())

    assert port.heard() == []
