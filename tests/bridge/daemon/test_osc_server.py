"""The socket: how long a datagram may be, and what is answered."""

import socket

import pytest

from bridge.daemon.osc_server import MAX_REQUEST
from bridge.wire.messages import Ack, Fail, Status, StatusReply
from bridge.wire.osc_codec import decode, encode_request
from bridge.wire.parsing import parse_reply


def _of_size(generate, ear, size):
    """A request whose datagram has this many bytes."""
    empty = generate("long", negative="", token=ear.runtime.token)
    request = generate("long", negative="n" * (size - len(encode_request(empty))), token=ear.runtime.token)
    assert len(encode_request(request)) == size
    return request


class TestRequest:
    def test_as_long_as_allowed_is_read(self, ear, generate):
        ear.say(_of_size(generate, ear, MAX_REQUEST))

        assert isinstance(ear.hear(), Ack)

    def test_that_is_longer_is_dropped(self, ear, generate):
        ear.say(_of_size(generate, ear, MAX_REQUEST + 4))
        ear.say(Status(), token="")

        assert isinstance(ear.hear(), StatusReply)

    @pytest.mark.parametrize("word", ["Gewitter, fern und schwül".encode("latin-1"), "雨の音".encode("cp932")])
    def test_whose_text_is_not_utf_8_is_answered_in_words(self, ear, word):
        token = ear.runtime.token.encode()
        texts = (b"/retake/generate", b",ssss", b"odd", word, b"token", token)
        datagram = b"".join(text + b"\0" * (4 - len(text) % 4) for text in texts)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as pd:
            pd.settimeout(10)
            pd.sendto(datagram, (ear.runtime.host, ear.runtime.port))
            reply = parse_reply(*decode(pd.recv(65_536))[0])

        assert isinstance(reply, Fail)
        assert (reply.command, reply.job, reply.code) == ("/retake/generate", "odd", "bad_value")
        assert "prompt is not UTF-8" in reply.text
