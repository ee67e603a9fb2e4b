"""What `retake models --json` prints is read."""

import json

import pytest

from bridge.desktop.state.model_list import (
    PullProgress,
    parse_error,
    parse_models,
    parse_passed_over,
    parse_pull_progress,
)


class TestModelList:
    def test_tells_installed_from_offered(self):
        text = """{"models": [{"name": "nano", "folder": "/n", "size_bytes": 1000000, "licence": "Apache-2.0",
            "shipped": true}], "published": [{"name": "big", "about_bytes": 2500000000, "licence": "CC", "forms": [],
            "good_at": "all", "installed": false}]}"""
        nano, big = parse_models(text)

        assert (nano.is_installed, nano.is_shipped, nano.size) == (True, True, "1.0 MB")
        assert (big.is_installed, big.size, big.about) == (False, "2.5 GB", "all")

    def test_names_the_folders_that_cannot_be_used(self):
        rows = [{"folder": f"/m/broken{n}", "reason": "config.json: it is empty"} for n in range(5)]
        told = parse_passed_over(json.dumps({"models": [], "published": [], "passed_over": rows}))

        assert "broken0 (config.json: it is empty); broken1" in told
        assert "and 2 more" in told
        assert parse_passed_over('{"models": [], "published": []}') == ""

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"models": [{}], "published": []}'])
    def test_that_is_none_is_refused(self, text):
        with pytest.raises(ValueError, match=r"."):
            parse_models(text)

    def test_reads_progress_and_passes_over_the_rest(self):
        assert parse_pull_progress('{"fraction": 0.5, "text": "half"}') == PullProgress(0.5, "half")
        assert parse_pull_progress("warning: hm") is None

    def test_finds_what_a_command_complained_of(self):
        assert parse_error('{"error": {"code": "x", "text": "t", "hint": "h"}}', "") == ("t", "h")
        assert parse_error("", '{"fraction": 0.5, "text": "half"}\nboom\n')[0] == "boom"
