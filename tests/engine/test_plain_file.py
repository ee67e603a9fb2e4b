"""Opening a file that may be anything: a plain one, or an error at once that says what it is."""

import os
import sys

import pytest

from engine.plain_file import NotPlainError, open_plain, size_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither these pipes nor these devices")


class TestOpenPlain:
    def test_reads_a_file_and_says_how_long_it_is(self, tmp_path):
        (tmp_path / "file").write_bytes(b"sound")
        file, size = open_plain(tmp_path / "file")
        with file:
            content = file.read()

        assert (content, size, size_of(tmp_path / "file")) == (b"sound", 5, 5)

    @pytest.mark.timeout(10)
    def test_does_not_wait_for_a_pipe(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")

        with pytest.raises(NotPlainError, match="it is a pipe, not a file") as caught:
            open_plain(tmp_path / "pipe")
        assert caught.value.kind == "a pipe"

    @pytest.mark.parametrize(("path", "kind"), [("/", "a folder"), ("/dev/zero", "a device")])
    def test_says_what_else_there_is(self, path, kind):
        with pytest.raises(NotPlainError) as caught:
            open_plain(path)
        assert caught.value.kind == kind

    def test_raises_what_the_system_does_when_there_is_nothing(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            open_plain(tmp_path / "none")
