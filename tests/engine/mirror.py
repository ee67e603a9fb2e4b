"""A real server on this machine, in the place of Zenodo and of the Hub; it keeps count, and misbehaves when told to."""

import hashlib
import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Served:
    """One file as the server gives it; every field after `content` is a way to give it."""

    content: bytes
    tag: str | None = None  # None: a strong ETag of the content; "": none
    kind: str = "application/octet-stream"
    ranges: bool = True
    claimed_size: int | None = None  # in the headers, when it is a lie
    chunked: bool = False  # without any size
    redirect: str = ""  # to this address
    token: str = ""  # given only to who has this one

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha1(self.content).hexdigest()}"' if self.tag is None else self.tag


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer."""

    cut_after: int | None = None  # bytes, then the line drops
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    stall_s: float = 0.0  # silence before the answer
    hang_s: float = 0.0  # silence after what is sent, with the line open


@dataclass(frozen=True)
class Answer:
    """What was asked, and what was sent."""

    path: str
    asked_range: str
    status: int
    num_bytes: int
    token: str = ""  # that was shown


class Mirror:
    """The server's files by path, the faults that wait for each, and all answers so far."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, Served] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.answers: list[Answer] = []
        self.wake = threading.Event()

    def serve(self, path: str, content: bytes, **ways: Any) -> str:
        """Put a file there; its address."""
        self.files[path] = Served(content, **ways)
        return self.url + path

    def serve_json(self, path: str, value: Any) -> str:
        return self.serve(path, json.dumps(value).encode(), kind="application/json")

    def change(self, path: str, **ways: Any) -> None:
        self.files[path] = replace(self.files[path], **ways)

    def fail(self, path: str, *faults: Fault) -> None:
        self.faults.setdefault(path, []).extend(faults)

    def bytes_sent(self, path: str) -> int:
        return sum(answer.num_bytes for answer in self.answers if answer.path == path)

    def asked(self, path: str) -> int:
        return sum(answer.path == path for answer in self.answers)


@contextmanager
def mirror_running(context: ssl.SSLContext | None = None) -> Iterator[Mirror]:
    server = _Server(("127.0.0.1", 0), _Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if context is None else "https"
    server.mirror = mirror = Mirror(f"{scheme}://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield mirror
    finally:
        mirror.wake.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that hangs up, such as one that does not trust us, is no news."""


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET(body=False)

    def do_GET(self, *, body: bool = True) -> None:
        mirror: Mirror = self.server.mirror  # type: ignore[attr-defined]
        path = urlsplit(self.path).path
        waiting = mirror.faults.get(path)
        fault = waiting.pop(0) if waiting and body else Fault()
        if fault.stall_s:
            mirror.wake.wait(fault.stall_s)
        served = mirror.files.get(path)
        if fault.status != 200 or served is None:
            status, headers, content = (fault.status if served else 404), fault.headers, b""
        else:
            status, headers, content = self._answer(served)
        content = content if body else b""
        sent = content if fault.cut_after is None else content[: fault.cut_after]
        mirror.answers.append(Answer(path, self.headers.get("Range", ""), status, len(sent), self._token()))
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if "Transfer-Encoding" in headers:
                ending = b"\r\n0\r\n\r\n" if sent == content else b""
                sent = b"%x\r\n" % len(content) + sent + ending
            self.wfile.write(sent)
            self.wfile.flush()
            if fault.hang_s:
                mirror.wake.wait(fault.hang_s)
        except ConnectionError:
            pass
        self.close_connection = True

    def _token(self) -> str:
        return str(self.headers.get("Authorization", "")).removeprefix("Bearer ")

    def _answer(self, served: Served) -> tuple[int, dict[str, str], bytes]:
        headers = {"Content-Type": served.kind} | ({"ETag": served.etag} if served.etag else {})
        if served.token and self._token() != served.token:
            return (403 if self._token() else 401), {"X-Error-Code": "GatedRepo"}, b""
        if served.redirect:
            return 302, {"Location": served.redirect}, b""
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted and served.ranges and self.headers.get("If-Range", served.etag) == served.etag:
            start, size = int(wanted[1]), len(served.content)
            if start >= size:
                return 416, {"Content-Range": f"bytes */{size}"}, b""
            part = served.content[start:]
            span = {"Content-Range": f"bytes {start}-{size - 1}/{size}", "Content-Length": str(len(part))}
            return 206, headers | span, part
        if served.chunked:
            self.protocol_version = "HTTP/1.1"
            return 200, headers | {"Transfer-Encoding": "chunked"}, served.content
        size = len(served.content) if served.claimed_size is None else served.claimed_size
        return 200, headers | {"Content-Length": str(size)}, served.content
