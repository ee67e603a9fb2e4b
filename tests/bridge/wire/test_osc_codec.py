"""Datagrams: what python-osc writes we read, what is not OSC is dropped, and replies fit into 4,000 bytes."""

import os
import random
import struct
import time

import pytest
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import build_msg

from bridge.wire.messages import Done, Fail, Generate, ModelsReply, Notice, Progress, Vary
from bridge.wire.osc_codec import MAX_DATAGRAM, _build, decode, encode_reply, encode_request
from bridge.wire.parsing import Message, parse_reply, parse_request


def bundle(*elements: bytes) -> bytes:
    return b"#bundle\0" + b"\0" * 8 + b"".join(struct.pack(">i", len(part)) + part for part in elements)


def test_a_message_comes_with_its_arguments():
    assert decode(build_msg("/a", [1, "zwei", True]).dgram) == [("/a", (1, "zwei", True))]


def test_a_message_without_type_tags_has_no_arguments():
    assert decode(b"/retake/status\0\0") == [("/retake/status", ())]


def test_a_bundle_gives_its_messages_in_order_whenever_they_were_meant_for():
    builder = OscBundleBuilder(time.time() + 3600)
    inner = OscBundleBuilder(IMMEDIATELY)
    inner.add_content(build_msg("/two"))
    for content in (build_msg("/one"), inner.build(), build_msg("/three")):
        builder.add_content(content)

    assert [message.address for message in decode(builder.build().dgram)] == ["/one", "/two", "/three"]


@pytest.mark.parametrize("number", [0.1, 0.6, 1 / 3, 2.5, 1e-7, 123.456, 16777216.0])
def test_a_32_bit_float_gets_its_shortest_spelling(number):
    [(_, (heard,))] = decode(build_msg("/a", [number]).dgram)

    assert struct.pack(">f", heard) == struct.pack(">f", number)
    assert len(repr(heard)) <= len(repr(struct.unpack(">f", struct.pack(">f", number))[0]))
    if len(repr(number)) < 9:
        assert heard == number


def test_a_request_keeps_times_exact():
    request = Generate(job="j", prompt="p", seconds=123.45678901234567)

    assert parse_request(*decode(encode_request(request))[0]) == request


@pytest.mark.parametrize(
    ("tags", "content", "args"),
    [
        ("sS", b"a\0\0\0b\0\0\0", ("a", "b")),
        ("hd", struct.pack(">qd", 2**40, 0.1), (2**40, 0.1)),
        ("TFNI", b"", (True, False, None, None)),
        ("[i[s]]i", struct.pack(">i4si", 1, b"a", 2), ([1, ["a"]], 2)),
        ("ri", struct.pack(">Ii", 2**31, 7), (b"\x80\0\0\0", 7)),
        ("iZi", struct.pack(">iii", 1, 2, 3), (1, struct.pack(">ii", 2, 3))),
        ("s", b"caf\xe9\0\0\0\0", ("caf\udce9",)),
        ("s", "雨".encode("cp932") + b"\0\0", ("\udc89J",)),
    ],
    ids=["symbol", "64 bits", "without data", "arrays", "colour", "a tag of nobody's", "Latin-1", "code page 932"],
)
def test_arguments_of_every_kind_are_read(tags, content, args):
    head = f",{tags}".encode()

    assert decode(b"/a\0\0" + head + b"\0" * (4 - len(head) % 4) + content) == [("/a", args)]


def test_a_path_keeps_its_bytes_there_and_back():
    request = Vary(job="j", clip=os.fsdecode(b"/caf\xe9.wav"))
    datagram = encode_request(request)

    assert b"/caf\xe9.wav\0" in datagram
    assert parse_request(*decode(datagram)[0]) == request
    done = Done("/retake/vary", "j", (request.clip,))
    assert parse_reply(*decode(encode_reply(done))[0]) == done


def test_writes_what_python_osc_writes():
    args = ("j", "rain", 3, 2**40, True, False, None, 0.5, "雨")

    assert _build(Message("/a", args), "f", "strict") == build_msg("/a", args).dgram


GARBAGE = {
    "nothing": b"",
    "zeros": bytes(64),
    "text": b"GET / HTTP/1.1\r\n\r\n",
    "address without end": b"/retake/status",
    "address that is not UTF-8": b"/\xff\xfe\0",
    "missing arguments": b"/a\0\0,iii\0\0\0\0\0\0\0\1",
    "string without end": b"/a\0\0,s\0\0abcd",
    "blob beyond the end": b"/a\0\0,b\0\0\x7f\xff\xff\xff",
    "open bracket": b"/a\0\0,[\0\0",
    "closed bracket": b"/a\0\0,]\0\0",
    "no comma": b"/a\0\0i\0\0\0\0\0\0\1",
    "bundle cut off": b"#bundle\0\0\0",
    "bundle of negative element": bundle() + struct.pack(">i", -4),
    "bundle of empty element": bundle() + struct.pack(">i", 0),
    "bundle of endless element": bundle() + struct.pack(">i", 2**31 - 1) + b"/a\0\0,\0\0\0",
    "bundles in bundles": bundle(bundle(bundle(bundle(bundle(bundle(bundle(bundle(bundle(bundle()))))))))),
}


@pytest.mark.parametrize("datagram", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.timeout(10)
def test_garbage_gives_nothing(datagram):
    assert decode(datagram) == []


@pytest.mark.timeout(60)
def test_bitten_datagrams_never_raise_nor_hang():
    luck = random.Random(1)
    honest = [encode_request(Generate(job="j", prompt="rain", seed=3, seconds=1.5)), bundle(b"/a\0\0,\0\0\0")]
    for _ in range(5_000):
        datagram = bytearray(luck.choice(honest))
        for _ in range(luck.randint(1, 6)):
            datagram[luck.randrange(len(datagram))] = luck.randrange(256)
        decode(bytes(datagram[: luck.randint(0, len(datagram))]))


class TestReply:
    @pytest.mark.parametrize(
        "reply",
        [
            Fail("/retake/restyle", "j" * 100, "code", "t" * 9000, "ü" * 9000),
            Fail("/" + "a" * 9000, "", "unknown_address", "t", "h"),
            Notice("j", "雨" * 5000),
        ],
        ids=["sentences", "address", "another-script"],
    )
    def test_of_many_words_is_cut_to_size(self, reply):
        datagram = encode_reply(reply)

        assert len(datagram) <= MAX_DATAGRAM
        assert "…" in str(parse_reply(*decode(datagram)[0]))

    def test_of_many_paths_leaves_the_last_out_and_counts_all(self):
        paths = tuple(f"/{'folder/' * 60}{number}.wav" for number in range(16))
        datagram = encode_reply(Done("/retake/restyle", "j", paths))
        heard = parse_reply(*decode(datagram)[0])

        assert len(datagram) <= MAX_DATAGRAM
        assert decode(datagram)[0].args[2] == 16
        assert heard.paths == paths[: len(heard.paths)]
        assert heard.paths

    def test_of_a_name_that_is_not_unicode_is_still_sent(self):
        name = b"/caf\xe9.wav".decode("utf-8", "surrogateescape")

        assert decode(encode_reply(ModelsReply((name,))))[0].args[1] == "/caf\\udce9.wav"

    def test_spells_fractions_as_32_bit_floats(self):
        assert b",sfs" in encode_reply(Progress("j", 0.1, "loading"))
