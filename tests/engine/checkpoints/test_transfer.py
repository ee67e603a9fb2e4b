"""A file over a real connection: resumed by the byte, tried again, checked, and never left half under its own name."""

import hashlib
import random
import shutil
import socket
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.checkpoints.download_errors import (
    DownloadDamagedError,
    DownloadError,
    DownloadRefusedError,
    DownloadUnwritableError,
    ServerUnreachableError,
    WrongFileError,
)
from engine.checkpoints.published import RemoteFile
from engine.checkpoints.transfer import Received, RetryLimits, _HttpsStays, ask, fetch
from tests.engine.mirror import Fault, Mirror, mirror_running

CONTENT = random.Random(1).randbytes(300_000)
OTHER = random.Random(2).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
WHERE = "/files/weights.ckpt"
PAGE = b"<!DOCTYPE html><title>Please log in</title>"
QUICK = RetryLimits(tries=3, first_wait_s=0.0, timeout_s=5.0)
AT_ONCE = RetryLimits(tries=1, first_wait_s=0.0, timeout_s=5.0)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with mirror_running() as mirror:
        mirror.serve(WHERE, CONTENT)
        yield mirror


@pytest.fixture
def fetched(mirror: Mirror, tmp_path: Path) -> Any:
    """Fetch the file as a user's pull would; what is known of it beforehand can be given."""

    def fetch_now(limits: RetryLimits = QUICK, **known: Any) -> Received:
        remote = RemoteFile(mirror.url + WHERE, "weights.ckpt", **known)
        return fetch(remote, tmp_path, lambda *_: None, limits)

    return fetch_now


def kept(folder: Path) -> int:
    """How much of the file is there to go on from."""
    part = folder / "weights.ckpt.part"
    return part.stat().st_size if part.exists() else 0


class TestWhole:
    @pytest.mark.parametrize(
        "ways",
        [
            pytest.param({}, id="plainly"),
            pytest.param({"chunked": True}, id="in chunks, its size untold"),
            pytest.param({"tag": ""}, id="without any mark of its version"),
            pytest.param({"tag": 'W/"weak"'}, id="with a weak mark"),
            pytest.param({"ranges": False}, id="by a server that knows no ranges"),
        ],
    )
    def test_arrives_under_its_name(self, mirror: Mirror, fetched: Any, tmp_path: Path, ways: dict[str, Any]) -> None:
        mirror.change(WHERE, **ways)
        received = fetched()

        assert received.path.read_bytes() == CONTENT
        assert received.sha256 == SHA256
        assert not received.checked
        assert kept(tmp_path) == 0

    def test_tells_how_far_it_is(self, mirror: Mirror, tmp_path: Path) -> None:
        news: list[tuple[int, int | None, str]] = []
        mirror.fail(WHERE, Fault(cut_after=100_000))
        fetch(RemoteFile(mirror.url + WHERE, "weights.ckpt"), tmp_path, lambda *new: news.append(new), QUICK)

        arrived = [so_far for so_far, _, _ in news]
        assert arrived == sorted(arrived)
        assert arrived[-1] == len(CONTENT)
        assert [trouble for _, _, trouble in news if trouble] == [
            "the connection closed after 100000 of 300000 bytes; trying again in 0 s"
        ]

    def test_follows_a_redirect_and_resumes_behind_it(self, mirror: Mirror, fetched: Any) -> None:
        mirror.serve("/elsewhere", CONTENT)
        mirror.change(WHERE, redirect=mirror.url + "/elsewhere")
        mirror.fail("/elsewhere", Fault(cut_after=123_456))

        assert fetched().path.read_bytes() == CONTENT
        assert mirror.bytes_sent("/elsewhere") == len(CONTENT)

    def test_is_checked_against_the_checksum_that_the_server_names(self, mirror: Mirror, fetched: Any) -> None:
        md5 = hashlib.md5(CONTENT).hexdigest()
        mirror.change(WHERE, tag=f'"md5:{md5}"')

        assert fetched().checked


class TestResuming:
    @pytest.mark.parametrize(
        "ways", [pytest.param({}, id="known size"), pytest.param({"chunked": True}, id="size untold")]
    )
    def test_no_byte_is_sent_twice_however_often_the_line_drops(
        self, mirror: Mirror, fetched: Any, ways: dict[str, Any]
    ) -> None:
        mirror.change(WHERE, **ways)
        mirror.fail(WHERE, Fault(cut_after=70_000), Fault(cut_after=100_000))

        assert fetched(sha256=SHA256).path.read_bytes() == CONTENT
        assert mirror.bytes_sent(WHERE) == len(CONTENT)
        assert mirror.asked(WHERE) == 3

    def test_a_later_call_goes_on_from_where_the_first_gave_up(
        self, mirror: Mirror, fetched: Any, tmp_path: Path
    ) -> None:
        mirror.fail(WHERE, Fault(cut_after=200_000))
        with pytest.raises(ServerUnreachableError, match=r"0\.2 MB are kept"):
            fetched(AT_ONCE)
        assert kept(tmp_path) == 200_000
        assert not (tmp_path / "weights.ckpt").exists()
        mirror.answers.clear()

        assert fetched(AT_ONCE, sha256=SHA256).checked
        assert mirror.bytes_sent(WHERE) == 100_000

    @pytest.mark.parametrize(
        "known", [pytest.param({}, id="size unknown"), pytest.param({"size": len(CONTENT)}, id="size known")]
    )
    def test_what_lies_there_whole_is_not_sent_again(self, mirror: Mirror, fetched: Any, known: dict[str, Any]) -> None:
        first = fetched(**known)
        mirror.answers.clear()

        assert fetched(**known) == first
        assert mirror.bytes_sent(WHERE) == 0

    @pytest.mark.parametrize(
        "ways",
        [
            pytest.param({"content": OTHER}, id="a changed file"),
            pytest.param({"content": OTHER[:100_000]}, id="a changed file, shorter than what has arrived"),
            pytest.param({"content": OTHER, "tag": ""}, id="no mark of the version any more"),
        ],
    )
    def test_starts_anew_rather_than_joining_two_versions(
        self, mirror: Mirror, fetched: Any, ways: dict[str, Any]
    ) -> None:
        mirror.fail(WHERE, Fault(cut_after=200_000))
        with pytest.raises(ServerUnreachableError):
            fetched(AT_ONCE)
        mirror.change(WHERE, **ways)

        assert fetched().path.read_bytes() == ways["content"]

    def test_a_part_without_a_mark_is_not_gone_on_from(self, mirror: Mirror, fetched: Any) -> None:
        mirror.change(WHERE, tag="")
        mirror.fail(WHERE, Fault(cut_after=200_000))

        assert fetched().path.read_bytes() == CONTENT
        assert [answer.asked_range for answer in mirror.answers] == ["", ""]


class TestTrouble:
    def test_passing_trouble_of_the_server_is_waited_for(self, mirror: Mirror, fetched: Any) -> None:
        mirror.fail(WHERE, Fault(status=503, headers={"Retry-After": "0"}), Fault(status=429))

        assert fetched().path.read_bytes() == CONTENT

    def test_patience_has_an_end(self, mirror: Mirror, fetched: Any) -> None:
        mirror.fail(WHERE, *[Fault(status=503)] * 9)
        with pytest.raises(ServerUnreachableError, match="the server says 503"):
            fetched()

        assert mirror.asked(WHERE) == QUICK.tries

    def test_silence_is_not_waited_for_forever(self, mirror: Mirror, fetched: Any) -> None:
        mirror.fail(WHERE, Fault(stall_s=30.0))

        with pytest.raises(ServerUnreachableError, match="timed out"):
            fetched(RetryLimits(tries=1, first_wait_s=0.0, timeout_s=0.2))

    def test_nobody_there(self, tmp_path: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # but nobody listens
            remote = RemoteFile(f"http://127.0.0.1:{taken.getsockname()[1]}/file", "weights.ckpt")
            with pytest.raises(ServerUnreachableError, match="refused"):
                fetch(remote, tmp_path, lambda *_: None, QUICK)

    @pytest.mark.parametrize("spelled", ["http://user:secret@{}", "{}"], ids=["whole", "without-its-scheme"])
    def test_a_dead_proxy_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelled: str) -> None:
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # but nobody listens
            where = f"127.0.0.1:{taken.getsockname()[1]}"
            for name in ("http_proxy", "https_proxy"):
                monkeypatch.setenv(name, spelled.format(where))
            for url in ("http://retake.invalid/file", "https://retake.invalid/file"):
                with pytest.raises(ServerUnreachableError, match="refused") as told:
                    fetch(RemoteFile(url, "weights.ckpt"), tmp_path, lambda *_: None, AT_ONCE)

                assert f"the proxy http://{where} " in told.value.hint
                assert "secret" not in told.value.text + told.value.hint
                assert "Errno" not in told.value.text

    @pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl for a certificate")
    def test_a_certificate_that_is_not_trusted_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        both = tmp_path / "both.pem"
        words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {both} -out {tmp_path}/c.pem"
        subprocess.run(["openssl", *words.split()], check=True, capture_output=True)
        both.write_text(both.read_text() + (tmp_path / "c.pem").read_text())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        with mirror_running(context) as mirror:
            mirror.serve(WHERE, CONTENT)
            with pytest.raises(ServerUnreachableError) as told:
                fetch(RemoteFile(mirror.url + WHERE, "weights.ckpt"), tmp_path, lambda *_: None, QUICK)

        assert "certificate is not trusted" in told.value.text
        assert "_ssl.c" not in told.value.text
        assert "SSL_CERT_FILE" in told.value.hint

    @pytest.mark.parametrize(
        ("fault", "known", "ways", "error", "words"),
        [
            pytest.param(Fault(status=404), {}, {}, DownloadRefusedError, "404", id="not there"),
            pytest.param(Fault(status=403), {}, {}, DownloadRefusedError, "403", id="forbidden"),
            pytest.param(Fault(), {}, {"content": PAGE, "kind": "text/html; charset=utf-8"}, WrongFileError,
                         "sent a web page; expected the file weights.ckpt", id="a login page"),
            pytest.param(Fault(), {"sha256": SHA256}, {"content": PAGE}, DownloadDamagedError,
                         "its SHA-256 is", id="a login page that calls itself a file"),
            pytest.param(Fault(), {"size": 300_001}, {}, WrongFileError,
                         "sent 300000 bytes; expected the 300001 bytes", id="a file of another size"),
            pytest.param(Fault(), {"sha256": "0" * 64}, {}, DownloadDamagedError,
                         f"its SHA-256 is {SHA256}; expected 000", id="another file of that size"),
            pytest.param(Fault(), {"md5": "0" * 32}, {}, DownloadDamagedError, "its MD5 is", id="another MD5"),
            pytest.param(Fault(), {}, {"tag": f'"md5:{"0" * 32}"'}, DownloadDamagedError, "its MD5 is",
                         id="not what the server itself names"),
            pytest.param(Fault(), {"size": 400_000}, {"chunked": True}, DownloadDamagedError,
                         "its size is 300000; expected 400000", id="too short, its size untold"),
        ],
    )  # fmt: skip
    def test_the_wrong_thing_is_an_error_and_nothing_is_left(
        self, mirror: Mirror, fetched: Any, tmp_path: Path, fault: Fault, known: dict[str, Any],
        ways: dict[str, Any], error: type[DownloadError], words: str,
    ) -> None:  # fmt: skip
        mirror.change(WHERE, **ways)
        mirror.fail(WHERE, fault)
        with pytest.raises(error, match=words) as caught:
            fetched(**known)

        assert caught.value.hint
        assert mirror.asked(WHERE) == 1
        assert kept(tmp_path) == 0
        assert not (tmp_path / "weights.ckpt").exists()

    def test_a_file_that_ends_too_early_every_time_is_given_up(
        self, mirror: Mirror, fetched: Any, tmp_path: Path
    ) -> None:
        mirror.change(WHERE, claimed_size=400_000, ranges=False)

        with pytest.raises(ServerUnreachableError, match="closed after 300000 of 400000 bytes"):
            fetched()
        assert not (tmp_path / "weights.ckpt").exists()

    def test_a_damaged_part_is_found_at_the_end_and_fetched_anew(
        self, mirror: Mirror, fetched: Any, tmp_path: Path
    ) -> None:
        mirror.fail(WHERE, Fault(cut_after=200_000))
        with pytest.raises(ServerUnreachableError):
            fetched(AT_ONCE, sha256=SHA256)
        with (tmp_path / "weights.ckpt.part").open("r+b") as part:
            part.write(b"rotten")

        with pytest.raises(DownloadDamagedError):
            fetched(sha256=SHA256)
        assert fetched(sha256=SHA256).path.read_bytes() == CONTENT

    def test_a_disk_that_refuses_is_no_trouble_of_the_line(self, mirror: Mirror, tmp_path: Path) -> None:
        (tmp_path / "weights.ckpt.part").mkdir()

        with pytest.raises(DownloadUnwritableError, match=r"weights\.ckpt\.part could not be written"):
            fetch(RemoteFile(mirror.url + WHERE, "weights.ckpt"), tmp_path, lambda *_: None, QUICK)

    def test_only_web_addresses_are_read(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("secret", encoding="utf-8")
        remote = RemoteFile((tmp_path / "secret").as_uri(), "weights.ckpt")

        with pytest.raises(DownloadRefusedError, match="only http and https"):
            fetch(remote, tmp_path, lambda *_: None, QUICK)

    def test_a_secure_address_does_not_lead_to_an_insecure_one(self) -> None:
        request = urllib.request.Request("https://example.org/file")
        with pytest.raises(DownloadRefusedError, match="which is not https"):
            _HttpsStays().redirect_request(request, None, 302, "Found", {}, "http://example.org/file")


class TestAsking:
    def test_json_is_read(self, mirror: Mirror) -> None:
        assert ask(mirror.serve_json("/api/records/1", {"files": []}), 5.0) == {"files": []}

    @pytest.mark.parametrize("path", [pytest.param("/none", id="not there"), pytest.param(WHERE, id="no JSON")])
    def test_nothing_is_an_answer_too(self, mirror: Mirror, path: str) -> None:
        assert ask(mirror.url + path, 5.0) is None
