"""Requests and replies: what is accepted, what is refused, and with which words."""

import math
import sys

import pytest

from bridge.errors import ProtocolError
from bridge.wire.messages import (
    REPLIES,
    Ack,
    Cancel,
    Done,
    Fail,
    Generate,
    Inpaint,
    JobEntry,
    JobQuery,
    JobReply,
    Jobs,
    Models,
    ModelsReply,
    Notice,
    Notify,
    Preview,
    PreviewReply,
    Progress,
    Quit,
    Restyle,
    Status,
    StatusReply,
    Stop,
    Sync,
    Synced,
    Unload,
    Upscale,
    UseModel,
    Vary,
    Version,
    VersionReply,
)
from bridge.wire.parsing import job_of, parse_reply, parse_request, to_message

REQUEST_EXAMPLES = [
    Generate(job="j", prompt="rain"),
    Generate(job="j", prompt="雨", seconds=2, seed=2**40, negative="", token="t", client="REAPER"),
    Restyle(job="j", clip="/c.wav", prompt="p", strength=0.25, start_s=0.1, end_s=1 / 3, keep_air=False),
    Inpaint(job="j", clip="/c.wav", prompt="p", start_s=1, end_s=2, region=((3.5, 4.0), (5.0, 6.1)), low_hz=200),
    Inpaint(job="j", clip="/c.wav", prompt="", like="/l.wav", start_s=1, end_s=2, region=((3.0, 4.0, 300.0, 1e3),)),
    Generate(job="j", prompt="", like="/l.wav", like_weight=0),
    Vary(job="j", clip="/c.wav"),
    Vary(job="j", clip="/c.wav", strength=0.3, prompt="rain", keep_air=True),
    Upscale(job="j", clip="/c.wav"),
    Upscale(job="j", clip="/c.wav", prompt="birds", cutoff_hz=4000, start_s=1, end_s=2, output_rate=48_000),
    Cancel(job="j"),
    JobQuery(job="j"),
    Jobs(),
    Jobs(text="rain", state="done", limit=3),
    UseModel(model="s"),
    Unload(),
    Generate(job="j", prompt="rain", priority="batch", deadline_unix=1764075600.25),
    Sync(number=-3),
    Notify(on=False),
    Status(),
    Version(),
    Models(),
    Preview(path="/c.wav"),
    Preview(path="/c.wav", device="Headphones", level_db=-6, start_s=0.1, end_s=2, loop=True, token="t"),
    Stop(),
    Quit(token="t"),
]
REPLY_EXAMPLES = [
    Ack("j", 2),
    Progress("j", 0.5, "step 3/20"),
    Notice("j", "unknown"),
    Done("/retake/restyle", "j", ("/a.wav", "/b.wav")),
    Done("/retake/quit", ""),
    Fail("/retake/restyle", "j", "code", "text", "hint"),
    JobReply("j", "running", 0.5, "step 3/20"),
    JobEntry("j", "failed", "/retake/restyle", "rain", "2026-11-25T13:05:00+00:00", "", "file_missing"),
    Synced(4),
    StatusReply("1", "idle", "nano", "cpu", 0),
    VersionReply("1", 1),
    ModelsReply(("nano", "s")),
    PreviewReply("playing", "/c.wav", 0.25, 3.5, -6.5),
]


@pytest.mark.parametrize("request_", REQUEST_EXAMPLES, ids=lambda request: request.address)
def test_a_request_survives_the_wire(request_):
    again = parse_request(*to_message(request_))

    assert again == request_
    assert again.token == request_.token


@pytest.mark.parametrize("reply", REPLY_EXAMPLES, ids=lambda reply: reply.address)
def test_a_reply_survives_the_wire(reply):
    assert parse_reply(*to_message(reply)) == reply


def test_every_kind_of_reply_has_an_example():
    assert {type(reply) for reply in REPLY_EXAMPLES} == set(REPLIES.values())


class TestAcceptance:
    def test_a_whole_number_is_a_float(self):
        assert parse_request("/retake/generate", ["j", "rain", "seconds", 3]).seconds == 3.0

    def test_keys_come_in_any_order(self):
        one = parse_request("/retake/generate", ["j", "rain", "seed", 3, "steps", 4])
        assert parse_request("/retake/generate", ["j", "rain", "steps", 4, "seed", 3]) == one

    def test_regions_are_collected(self):
        request = parse_request(
            "/retake/inpaint", ["j", "/c.wav", "p", 0, 1.0, "region", "2 3", "seed", 1, "region", "4 5"]
        )
        assert request.regions == ((0.0, 1.0), (2.0, 3.0), (4.0, 5.0))

    def test_a_region_may_have_a_band_of_its_own(self):
        request = parse_request("/retake/inpaint", ["j", "/c.wav", "p", 0, 1.0, "region", "2 3 300 900"])
        assert request.regions == ((0.0, 1.0), (2.0, 3.0, 300.0, 900.0))

    @pytest.mark.parametrize("address", ["/retake/vary", "/retake/upscale"])
    def test_a_clip_alone_is_enough(self, address):
        assert parse_request(address, ["j", "/c.wav"]).prompt == ""

    def test_an_empty_prompt_is_a_prompt(self):
        assert parse_request("/retake/generate", ["j", "", "like", "/l.wav"]).like == "/l.wav"

    @pytest.mark.parametrize("value", [1, True], ids=["one", "true"])
    def test_a_switch_is_a_number_or_a_truth(self, value):
        assert parse_request("/retake/notify", [value]).on is True

    def test_the_token_is_no_part_of_what_is_asked(self):
        assert Generate(job="j", prompt="p", token="a") == Generate(job="j", prompt="p", token="b")
        assert "secret" not in repr(Generate(job="j", prompt="p", token="secret"))


@pytest.mark.parametrize(("key", "value", "meant"), [("seed", 3.0, 3), ("steps", 2.0, 2), ("seed", 2.0**24, 2**24)])
def test_a_whole_number_may_come_as_a_float(key, value, meant):
    request = parse_request("/retake/generate", ["j", "p", key, value])

    assert (getattr(request, key), type(getattr(request, key))) == (meant, int)


def test_a_switch_may_come_as_a_float():
    assert parse_request("/retake/restyle", [*RESTYLE, "keep_air", 1.0]).keep_air is True


@pytest.mark.skipif(sys.platform == "win32", reason="names of files are Unicode there")
@pytest.mark.parametrize("number", [1.0, 0.0, 1, True])
@pytest.mark.parametrize("name", ["stop", "jobs", "status", "version", "models"])
def test_a_button_that_sends_a_number_along_is_answered(name, number):
    address = f"/retake/{name}"

    assert parse_request(address, [number]) == parse_request(address, [])


@pytest.mark.parametrize("name", ["quit", "unload"])
def test_a_lone_number_ends_nothing(name):
    with pytest.raises(ProtocolError):
        parse_request(f"/retake/{name}", [1.0])


def test_a_path_may_hold_bytes_that_are_no_text():
    assert parse_request("/retake/vary", ["j", "/caf\udce9.wav"]).clip == "/caf\udce9.wav"


RESTYLE = ["j", "/c.wav", "p"]
REFUSED = {
    "unknown address": ("/retake/restile", [], "unknown_address", "did you mean /retake/restyle?"),
    "address of nothing": ("/", [], "unknown_address", "known addresses"),
    "no arguments": ("/retake/restyle", [], "missing_argument", "job clip prompt"),
    "too few arguments": ("/retake/inpaint", [*RESTYLE, 1.0], "missing_argument", "end_s"),
    "number as job": ("/retake/restyle", [7, "/c.wav", "p"], "wrong_type", "job as a string"),
    "empty job": ("/retake/restyle", ["", "/c.wav", "p"], "bad_value", "1 to 100 printable"),
    "endless job": ("/retake/cancel", ["j" * 101], "bad_value", "1 to 100 printable"),
    "job of two lines": ("/retake/cancel", ["a\nb"], "bad_value", "1 to 100 printable"),
    "number as prompt": ("/retake/restyle", ["j", "/c.wav", 1.0], "wrong_type", "a string"),
    "blob as prompt": ("/retake/generate", ["j", b"rain"], "wrong_type", "a string"),
    "nothing as prompt": ("/retake/generate", ["j", None], "wrong_type", "string"),
    "array as prompt": ("/retake/generate", ["j", [["rain"]]], "wrong_type", "a string"),
    "relative clip": ("/retake/restyle", ["j", "c.wav", "p"], "relative_path", "whole path"),
    "empty clip": ("/retake/restyle", ["j", "", "p"], "bad_value", "an absolute path"),
    "relative folder": ("/retake/generate", ["j", "p", "output_dir", "out"], "relative_path", "whole path"),
    "string as seed": ("/retake/restyle", [*RESTYLE, "seed", "3"], "wrong_type", "an integer"),
    "fraction as seed": ("/retake/restyle", [*RESTYLE, "seed", 3.5], "wrong_type", "an integer"),
    "float that skips integers as seed": ("/retake/restyle", [*RESTYLE, "seed", 2.0**25], "wrong_type", "an integer"),
    "integer of 65 bits as seed": ("/retake/restyle", [*RESTYLE, "seed", 2**64], "bad_value", "at most 64 bits"),
    "fraction as switch": ("/retake/restyle", [*RESTYLE, "keep_air", 0.5], "bad_value", "0 or 1"),
    "prompt in Latin-1": ("/retake/generate", ["j", "caf\udce9"], "bad_value", "in UTF-8"),
    "prompt with half a character": ("/retake/generate", ["j", "\ud83d"], "bad_value", "in UTF-8"),
    "job in another encoding": ("/retake/cancel", ["caf\udce9"], "bad_value", "in UTF-8"),
    "truth as seed": ("/retake/restyle", [*RESTYLE, "seed", True], "wrong_type", "an integer"),
    "nothing as seed": ("/retake/restyle", [*RESTYLE, "seed", None], "wrong_type", "integer"),
    "string as strength": ("/retake/restyle", [*RESTYLE, "strength", "0.5"], "wrong_type", "a float"),
    "NaN as strength": ("/retake/restyle", [*RESTYLE, "strength", math.nan], "bad_value", "a finite float"),
    "infinity as start": ("/retake/inpaint", [*RESTYLE, 0.0, math.inf], "bad_value", "a finite float"),
    "two as switch": ("/retake/restyle", [*RESTYLE, "keep_air", 2], "bad_value", "0 or 1"),
    "word as switch": ("/retake/restyle", [*RESTYLE, "keep_air", "yes"], "wrong_type", "0 or 1"),
    "misspelt key": ("/retake/restyle", [*RESTYLE, "sede", 3], "unknown_key", "did you mean seed?"),
    "key of another": ("/retake/generate", ["j", "p", "strength", 0.5], "unknown_key", "known keys"),
    "number as key": ("/retake/restyle", [*RESTYLE, 3, 3], "wrong_type", "the name of a key"),
    "key twice": ("/retake/restyle", [*RESTYLE, "seed", 3, "seed", 3], "duplicate_key", "send seed once"),
    "key alone": ("/retake/restyle", [*RESTYLE, "seed"], "missing_value", "pairs"),
    "too many arguments": ("/retake/status", [1, 2], "wrong_type", "key"),
    "reversed region": ("/retake/inpaint", [*RESTYLE, 2.0, 1.0], "bad_region", "before its end"),
    "empty region": ("/retake/inpaint", [*RESTYLE, 2.0, 2.0], "bad_region", "before its end"),
    "negative region": ("/retake/inpaint", [*RESTYLE, -1.0, 2.0], "bad_region", "before its end"),
    "reversed second region": ("/retake/inpaint", [*RESTYLE, 1, 2, "region", "4 3"], "bad_region", "before its end"),
    "region of one number": ("/retake/inpaint", [*RESTYLE, 1, 2, "region", "4"], "bad_value", "two or four"),
    "region of three numbers": ("/retake/inpaint", [*RESTYLE, 1, 2, "region", "4 5 6"], "bad_value", "two or four"),
    "region of words": ("/retake/inpaint", [*RESTYLE, 1, 2, "region", "a b"], "bad_value", "two or four"),
    "reversed region with a band": (
        "/retake/inpaint",
        [*RESTYLE, 1, 2, "region", "4 3 300 900"],
        "bad_region",
        "before its end",
    ),
    "relative clip to be like": ("/retake/generate", ["j", "", "like", "l.wav"], "relative_path", "whole path"),
    "number as clip to be like": ("/retake/generate", ["j", "", "like", 3], "wrong_type", "a string"),
    "prompt as a fixed argument": ("/retake/vary", ["j", "/c.wav", "rain"], "unknown_key", "known keys"),
    "float as rate": ("/retake/upscale", ["j", "/c.wav", "output_rate", 48000.5], "wrong_type", "an integer"),
    "float as bits": ("/retake/generate", ["j", "rain", "output_bits", 24.5], "wrong_type", "an integer"),
    "region of NaN": ("/retake/inpaint", [*RESTYLE, 1, 2, "region", "nan 4"], "bad_value", "finite"),
    "region as number": ("/retake/inpaint", [*RESTYLE, 1, 2, "region", 3.0], "wrong_type", "string"),
}


@pytest.mark.parametrize("args", [[*RESTYLE, "s\udcfce", 3], [*RESTYLE, "seed", "s\udcfce"]], ids=["key", "value"])
def test_a_byte_that_is_no_text_is_shown_as_that_byte(args):
    with pytest.raises(ProtocolError) as refusal:
        parse_request("/retake/restyle", args)

    assert r"'s\xfce'" in refusal.value.text


@pytest.mark.parametrize(("address", "args", "code", "advice"), REFUSED.values(), ids=REFUSED)
def test_is_refused_with_code_and_hint(address, args, code, advice):
    with pytest.raises(ProtocolError) as refusal:
        parse_request(address, args)

    assert refusal.value.code == code
    assert advice in refusal.value.hint
    assert refusal.value.text


@pytest.mark.parametrize(
    ("address", "args", "job"),
    [
        ("/retake/restyle", ["j"], "j"),
        ("/retake/restyle", [3], ""),
        ("/retake/restyle", [], ""),
        ("/retake/sync", ["j"], ""),
        ("/nowhere", ["j"], ""),
    ],
)
def test_a_faulty_request_is_traced_to_its_job(address, args, job):
    assert job_of(address, args) == job


def test_a_value_that_exists_is_valid():
    """Not only the parser: no code can construct a request that is wrong."""
    with pytest.raises(ProtocolError):
        Restyle(job="j", clip="relative.wav", prompt="p")
    with pytest.raises(ProtocolError):
        Generate(job="j", prompt="p", seed="3")


@pytest.mark.parametrize("bits", ["24", 24, 24.0])
def test_bits_are_a_word_or_a_number(bits):
    assert parse_request("/retake/generate", ["j", "rain", "output_bits", bits]).output_bits == "24"
