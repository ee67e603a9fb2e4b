"""The socket: how long a datagram may be."""

from bridge.messages import Ack, Status, StatusReply
from bridge.osc_codec import encode_request
from bridge.osc_server import MAX_REQUEST


def _of_size(generate, ear, size):
    """A request whose datagram has so many bytes."""
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
