"""The window remembers its preferences."""

import os
import sys

import pytest

from bridge.desktop.state.preferences import Preferences, read_preferences, write_preferences


class TestPreferences:
    def test_are_kept(self, tmp_path):
        write_preferences(tmp_path / "new" / "p.json", Preferences(theme="dark", audition_level_db=-3.0))

        assert read_preferences(tmp_path / "new" / "p.json") == Preferences(theme="dark", audition_level_db=-3.0)

    @pytest.mark.parametrize(
        "text", ["", "[]", '{"theme": "pink"}', '{"closing": 3, "was": 1}'], ids=["empty", "list", "choice", "type"]
    )
    def test_that_are_damaged_are_as_in_the_beginning(self, tmp_path, text):
        (tmp_path / "p.json").write_text(text)

        assert read_preferences(tmp_path / "p.json") == Preferences()

    @pytest.mark.timeout(20)
    @pytest.mark.skipif(sys.platform == "win32", reason="no such files")
    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda file: file.write_text("[" * 100_000)])
    def test_that_are_no_file_or_endless_keep_no_window_waiting(self, tmp_path, make):
        make(tmp_path / "p.json")

        assert read_preferences(tmp_path / "p.json") == Preferences()
