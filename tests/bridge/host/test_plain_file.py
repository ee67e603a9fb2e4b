"""Opening what another program named: a plain file, or an error at once."""

import os
import sys

import pytest

from bridge.host.plain_file import open_plain

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither these pipes nor these devices")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    return path


@pytest.fixture
def link(file, tmp_path):
    path = tmp_path / "link"
    path.symlink_to(file)
    return path


class TestFile:
    def test_is_read(self, file):
        with open_plain(file) as opened:
            assert opened.read() == b"one"

    def test_is_read_and_grows_at_its_end(self, file):
        with open_plain(file, to_append=True) as opened:
            assert opened.read() == b"one"
            opened.write(b"two")

        assert file.read_bytes() == b"onetwo"


class TestLink:
    def test_is_refused(self, link):
        with pytest.raises(OSError, match="link"):
            open_plain(link)

    def test_is_followed_on_request(self, link):
        with open_plain(link, follow_links=True) as opened:
            assert opened.read() == b"one"


class TestWhatIsNoFile:
    @pytest.mark.timeout(10)
    @pytest.mark.parametrize("to_append", [False, True], ids=["to read", "to append"])
    def test_is_refused_without_waiting(self, tmp_path, to_append):
        os.mkfifo(tmp_path / "pipe")

        for path in (tmp_path / "pipe", tmp_path):
            with pytest.raises(OSError, match=r"plain file|directory"):
                open_plain(path, to_append=to_append)

    def test_is_refused_when_it_is_a_device(self):
        with pytest.raises(OSError, match="plain file"):
            open_plain("/dev/zero")
