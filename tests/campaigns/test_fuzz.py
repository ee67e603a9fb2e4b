"""The parser takes whatever comes, what is sent is what arrives, and a daemon under random datagrams stays itself."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bridge.errors import ProtocolError
from bridge.wire.messages import Generate, Request
from bridge.wire.osc_codec import decode, encode_reply, encode_request
from bridge.wire.parsing import Message, parse_reply, parse_request
from tests.campaigns.datagrams import bundle, encode, replies, requests, wild_messages
from tests.campaigns.fuzz import run_fuzz
from tests.campaigns.report import silent

short = settings(
    max_examples=200, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


class TestDecode:
    @short
    @given(st.binary(max_size=300), st.sampled_from([b"", b"/a", b"/retake/generate\0\0\0\0,", b"#bundle\0"]))
    def test_gives_messages_or_nothing_for_any_bytes(self, noise, start):
        assert all(isinstance(message, Message) for message in decode(start + noise))

    @short
    @given(wild_messages(), wild_messages())
    def test_reads_bundles_in_their_order(self, first, second):
        alone = decode(encode(first)) + decode(encode(second))
        together = decode(bundle(encode(first), encode(second)))

        assert repr(together) == repr(alone) or not together


class TestParseRequest:
    @short
    @given(wild_messages())
    def test_gives_a_request_or_says_what_is_wrong(self, message):
        try:
            outcome = parse_request(*message)
        except ProtocolError as error:
            outcome = error

        assert isinstance(outcome, Request) or (outcome.code and outcome.text and outcome.hint)


class TestRoundTrip:
    @short
    @given(requests())
    @example(Generate(job="one", prompt="rain", seed=2**32 - 1))
    def test_of_a_request_by_wire_changes_nothing(self, request):
        (message,) = decode(encode_request(request))

        assert parse_request(*message) == request

    @short
    @given(replies())
    def test_of_a_reply_by_wire_changes_nothing(self, reply):
        (message,) = decode(encode_reply(reply))

        assert parse_reply(*message) == reply


class TestDaemon:
    @pytest.mark.slow
    def test_stays_itself_under_ten_thousand_datagrams(self, tmp_path):
        report = run_fuzz(seed=7, num_datagrams=10_000, say=silent, root=tmp_path)

        assert report.failures() == []
