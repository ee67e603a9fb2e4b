"""From words and request files to requests."""

import json
import os
import re
from pathlib import Path

import pytest

from bridge.clients.build_request import request_from_file, request_from_words
from bridge.errors import ProtocolError, RequestFileError
from bridge.wire.messages import Cancel, Generate, Inpaint, Restyle, Status, Upscale, Vary


class TestWords:
    def test_become_a_request(self):
        words = ["/c.wav", "glass", "1", "2.5", "region", "3 4", "seed", "7", "keep_air", "yes", "region", "5 6"]

        assert request_from_words("inpaint", words, "j", {}) == Inpaint(
            job="j", clip="/c.wav", prompt="glass", start_s=1, end_s=2.5, region=((3, 4), (5, 6)), seed=7, keep_air=True
        )

    def test_draw_a_seed_where_that_is_asked_for(self):
        seeds = {request_from_words("generate", ["rain", "seed", "random"], "j", {}).seed for _ in range(9)}

        assert len(seeds) > 1
        assert all(0 <= seed < 1_000_000 for seed in seeds)

    def test_of_other_commands_name_their_job(self):
        assert request_from_words("cancel", ["other"], "unused", {}) == Cancel(job="other")
        assert request_from_words("status", [], "unused", {}) == Status()

    def test_hold_paths_relative_to_here(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        request = request_from_words("restyle", ["a/../c.wav", "p", "reply", "r.json"], "j", {"output_dir": "out"})

        assert request == Restyle(
            job="j",
            clip=str(tmp_path / "c.wav"),
            prompt="p",
            reply=str(tmp_path / "r.json"),
            output_dir=str(tmp_path / "out"),
        )

    def test_need_no_prompt_where_the_clip_says_it(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        clip = str(tmp_path / "c.wav")

        assert request_from_words("vary", ["c.wav", "strength", "0.3"], "j", {}) == Vary(
            job="j", clip=clip, strength=0.3
        )
        words = ["c.wav", "cutoff_hz", "4000", "prompt", "birds"]
        assert request_from_words("upscale", words, "j", {}) == Upscale(
            job="j", clip=clip, cutoff_hz=4000, prompt="birds"
        )

    def test_may_name_a_clip_instead_of_a_prompt(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        words = ["", "like", "l.wav", "like_weight", "0.7"]

        assert request_from_words("generate", words, "j", {}) == Generate(
            job="j", prompt="", like=str(tmp_path / "l.wav"), like_weight=0.7
        )

    def test_may_look_like_numbers_where_words_are_meant(self):
        assert request_from_words("generate", ["808"], "j", {}).prompt == "808"

    @pytest.mark.parametrize(
        ("operation", "words", "code"),
        [
            ("restile", [], "unknown_address"),
            ("restyle", ["c.wav"], "missing_argument"),
            ("generate", ["p", "seed", "many"], "wrong_type"),
            ("generate", ["p", "seed", "1.5"], "wrong_type"),
            ("generate", ["p", "sede", "1"], "unknown_key"),
            ("generate", ["p", "seed"], "missing_value"),
            ("generate", ["p", "seed", "1", "seed", "1"], "duplicate_key"),
            ("restyle", ["", "p"], "bad_value"),
            ("restyle", ["c.wav", "p", "keep_air", "maybe"], "wrong_type"),
            ("inpaint", ["c.wav", "p", "2", "1"], "bad_region"),
        ],
    )
    def test_that_follow_no_protocol_are_refused(self, operation, words, code):
        with pytest.raises(ProtocolError) as refusal:
            request_from_words(operation, words, "j", {"output_dir": "/out"})
        assert refusal.value.code == code


class TestFile:
    @pytest.fixture
    def write(self, tmp_path):
        def write(content):
            path = tmp_path / "request.json"
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
            return path

        return write

    def test_becomes_a_request(self, write):
        path = write(
            {"operation": "inpaint", "job": "j", "clip": "/c.wav", "prompt": "p", "start_s": 1, "end_s": 2.0}
            | {"region": [[3, 4], "5 6"], "seed": 3, "keep_air": True}
        )

        assert request_from_file(path, None, "fresh", {}) == Inpaint(
            job="j", clip="/c.wav", prompt="p", start_s=1, end_s=2, region=((3, 4), (5, 6)), seed=3, keep_air=True
        )

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_may_come_from_any_editor(self, write, encoding):
        file = write({})
        file.write_bytes('{"operation": "generate", "prompt": "Grüße", "seed": 1.0}'.encode(encoding))

        assert request_from_file(file, "j", "", {}) == Generate(job="j", prompt="Grüße", seed=1)

    @pytest.mark.skipif(os.name != "posix", reason="names of files are Unicode there")
    def test_may_name_clips_by_bytes_that_are_no_text(self, write):
        file = write({})
        file.write_bytes(b'{"operation": "vary", "clip": "/caf\xe9.wav"}')
        assert request_from_file(file, "j", "", {}) == Vary(job="j", clip=os.fsdecode(b"/caf\xe9.wav"))
        file.write_bytes(b'{"operation": "generate", "prompt": "caf\xe9"}')
        with pytest.raises(ProtocolError, match="prompt is not UTF-8"):
            request_from_file(file, "j", "", {})

    def test_may_have_bands_for_regions_and_a_clip_for_a_prompt(self, write):
        path = write(
            {"operation": "inpaint", "clip": "/c.wav", "like": "/l.wav", "start_s": 1, "end_s": 2}
            | {"region": [[3, 4, 300, 900], "5 6 100 200", [7, 8]]}
        )

        assert request_from_file(path, None, "j", {}) == Inpaint(
            job="j",
            clip="/c.wav",
            prompt="",
            like="/l.wav",
            start_s=1,
            end_s=2,
            region=((3, 4, 300, 900), (5, 6, 100, 200), (7, 8)),
        )

    def test_of_a_varied_clip_needs_no_prompt(self, write):
        path = write({"operation": "vary", "clip": "/c.wav"})

        assert request_from_file(path, None, "j", {}) == Vary(job="j", clip="/c.wav")

    @pytest.mark.parametrize(("chosen", "expected"), [(None, "fresh"), ("mine", "mine")])
    def test_without_a_job_gets_one(self, write, chosen, expected):
        path = write({"operation": "generate", "prompt": "p"})

        assert request_from_file(path, chosen, "fresh", {}) == Generate(job=expected, prompt="p")

    def test_holds_paths_relative_to_here(self, write):
        path = write({"operation": "restyle", "clip": "c.wav", "prompt": "p"})

        assert request_from_file(path, None, "j", {}).clip == os.path.abspath("c.wav")

    @pytest.mark.parametrize("content", ["", "[]", "{}", '"x"', "\0", '{"operation": 3, "prompt": "p"}'])
    def test_that_is_no_request_is_refused(self, write, content):
        with pytest.raises((RequestFileError, ProtocolError)):
            request_from_file(write(content), None, "j", {})

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"[]",
            b"3",
            b"null",
            b"{}",
            b'{"operation": 3}',
            b'{"operation": []}',
            b"\xff\xfe\xd8",
            b"[" * 9999,
        ],
        ids=["empty", "open", "list", "number", "null", "bare", "number-as-name", "list-as-name", "bytes", "deep"],
    )
    def test_that_is_no_request_is_refused_without_a_word_of_python(self, tmp_path, content):
        file = tmp_path / "request.json"
        file.write_bytes(content)
        with pytest.raises((RequestFileError, ProtocolError)) as told:
            request_from_file(file, None, "j", {})

        assert not re.search(r"codec|object has|attribute|unhashable|Error|recursion|char \d", told.value.text)

    @pytest.mark.skipif(os.name != "posix", reason="/dev/zero is a file without an end")
    @pytest.mark.timeout(20)
    def test_does_not_read_a_file_without_an_end(self):
        with pytest.raises(RequestFileError, match="it is longer than 1,000,000 bytes"):
            request_from_file(Path("/dev/zero"), None, "job", {})

    def test_that_is_missing_is_refused(self, tmp_path):
        with pytest.raises(RequestFileError, match="missing"):
            request_from_file(tmp_path / "missing.json", None, "j", {})

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            ({"operation": "generate"}, "missing_argument"),
            ({"operation": "generate", "prompt": 3}, "wrong_type"),
            ({"operation": "generate", "prompt": "p", "seed": "3"}, "wrong_type"),
            ({"operation": "generate", "prompt": "p", "sede": 3}, "unknown_key"),
            ({"operation": "generate", "prompt": "p", "seed": None}, "wrong_type"),
            (
                {"operation": "inpaint", "clip": "/c", "prompt": "p", "start_s": 0, "end_s": 1, "region": 3},
                "wrong_type",
            ),
        ],
    )
    def test_that_follows_no_protocol_is_refused(self, write, content, code):
        with pytest.raises(ProtocolError) as refusal:
            request_from_file(write(content), None, "j", {})
        assert refusal.value.code == code
