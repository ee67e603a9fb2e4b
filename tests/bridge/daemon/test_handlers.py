"""The table of requests: each one that can be parsed has a handler, and what a handler raises becomes a sentence."""

import asyncio
import socket

import pytest

from bridge.daemon.dispatcher import Dispatcher
from bridge.daemon.osc_server import IncomingMessage, open_server
from bridge.wire.messages import REQUESTS, Fail, Version
from bridge.wire.osc_codec import decode
from bridge.wire.parsing import parse_reply, to_message


@pytest.fixture
def client():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        client.settimeout(10)
        yield client


def answer(client: socket.socket, handlers) -> Fail:
    """Return the reply to a /retake/version that a dispatcher with these handlers gives."""

    async def scene():
        server = await open_server(0)
        Dispatcher(server, handlers, None).take(IncomingMessage(to_message(Version()), client.getsockname()))
        server.close()

    asyncio.run(scene())
    (message,) = decode(client.recv(65536))
    return parse_reply(*message)


class TestTable:
    def test_has_a_handler_for_every_request_and_for_nothing_else(self, daemon):
        assert set(daemon.daemon.dispatcher.handlers) == set(REQUESTS.values())


class TestRequest:
    def test_without_a_handler_is_refused(self, client):
        reply = answer(client, {})

        assert (reply.command, reply.code) == ("/retake/version", "internal_error")

    def test_whose_handler_fails_is_refused(self, client):
        reply = answer(client, {Version: lambda _request, _sender: 1 / 0})

        assert (reply.command, reply.code) == ("/retake/version", "internal_error")
