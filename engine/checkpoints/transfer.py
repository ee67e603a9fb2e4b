"""One file from a server to the disk: resumed where it stopped, retried when the connection drops, verified at the end.

By urllib, which is Python's own: huggingface_hub restarts a large file with every run and has changed its HTTP
library twice, and a GET with a Range needs no more.
"""

import hashlib
import http.client
import json
import os
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.checkpoints.connection import advice, proxies
from engine.checkpoints.download_errors import (
    DownloadDamagedError,
    DownloadRefusedError,
    DownloadUnwritableError,
    ServerUnreachableError,
    WrongFileError,
)
from engine.checkpoints.published import RemoteFile

OnBytes = Callable[[int, int | None, str], None]  # bytes so far, the total if known, a message if there is a problem

_CHUNK = 1 << 20
_LONGEST_WAIT_S = 60.0
_AUTHORISATION = "Authorization"
_PASSING = (408, 425, 429, 500, 502, 503, 504)  # answers that may be others in a moment


@dataclass(frozen=True)
class RetryLimits:
    """When to give up: after `tries` in a row that brought less than a megabyte; waits are doubled from the first."""

    tries: int = 5
    first_wait_s: float = 1.0
    timeout_s: float = 30.0  # of silence


@dataclass(frozen=True)
class Received:
    """A complete file; `checked`: against a checksum that was known before or reported by the server."""

    path: Path
    sha256: str
    checked: bool


class _DroppedError(Exception):
    """The connection dropped, or the server asks to retry later: worth another try."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class _HttpsStays(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to http, where anybody on the way could exchange the file.

    A token goes no further than to the server that it is for.
    """

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise DownloadRefusedError(req.full_url, f"it redirects to {newurl}, which is not https")
        followed = super().redirect_request(req, fp, code, msg, headers, newurl)
        if followed is not None and _origin(newurl) == _origin(req.full_url) and req.has_header(_AUTHORISATION):
            followed.add_unredirected_header(_AUTHORISATION, req.get_header(_AUTHORISATION))
        return followed


def _origin(url: str) -> tuple[str, str]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.netloc


class _PartialFile:
    """What of a file has arrived (`NAME.part`), its digests, and the server's mark of that version (`NAME.tag`)."""

    def __init__(self, target: Path) -> None:
        self.path, self._tag = (target.with_name(target.name + ending) for ending in (".part", ".tag"))
        if target.exists():  # left by an earlier pull: go on from its end
            os.replace(target, self.path)
        self.tag = self._tag.read_text(encoding="utf-8") if self._tag.exists() else ""
        self.md5_named = ""
        if self.tag and self.path.exists():
            self._forget()
            with self.path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    self._count(chunk)
        else:
            self.restart("")

    def restart(self, tag: str) -> None:
        """Restart, for the version that the server calls `tag`; data of another version is deleted."""
        self._forget()
        self.tag = tag
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_bytes(b"")
            self._tag.write_text(tag, encoding="utf-8")
        except OSError as error:
            raise DownloadUnwritableError(self.path, error) from error

    def add(self, chunk: bytes) -> None:
        try:
            with self.path.open("ab") as file:
                file.write(chunk)
        except OSError as error:
            raise DownloadUnwritableError(self.path, error) from error
        self._count(chunk)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._tag.unlink(missing_ok=True)

    def _forget(self) -> None:
        self.size, self.sha256, self.md5 = 0, hashlib.sha256(), hashlib.md5(usedforsecurity=False)

    def _count(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.sha256.update(chunk)
        self.md5.update(chunk)


def fetch(remote: RemoteFile, folder: Path, on_bytes: OnBytes, limits: RetryLimits) -> Received:
    """Download `remote` to `folder`; what an earlier call has received is not requested again.

    Raises:
        ServerUnreachableError: the retries are used up; the part that arrived is kept.
        DownloadRefusedError, WrongFileError: the server refuses, or sends another file.
        DownloadDamagedError: a checksum differs; the file is deleted.
        DownloadUnwritableError: the disk refused.
    """
    target = folder / remote.name
    part = _PartialFile(target)
    failures = 0
    while remote.size is None or part.size != remote.size:
        before = part.size
        try:
            _receive(remote, part, on_bytes, limits)
            break
        except (_DroppedError, http.client.HTTPException, OSError) as error:
            failures = 1 if part.size - before >= _CHUNK else failures + 1
            if failures >= limits.tries or _hopeless(error):
                hint = advice(remote.url, error)
                raise ServerUnreachableError(remote.url, _reason(error), part.size, hint) from error
            wait_s = max(limits.first_wait_s * 2 ** (failures - 1), getattr(error, "wait_s", 0.0))
            on_bytes(part.size, remote.size, f"{_reason(error)}; trying again in {wait_s:.0f} s")
            time.sleep(wait_s)
    checked = _check(remote, part)
    os.replace(part.path, target)
    return Received(target, part.sha256.hexdigest(), checked)


def ask(url: str, timeout_s: float) -> Any:
    """Return the JSON at `url`, or None where there is none: for optional information."""
    try:
        with _open(urllib.request.Request(url, headers={"Accept": "application/json"}), timeout_s) as response:  # noqa: S310
            return json.load(response)
    except urllib.error.HTTPError as error:
        error.close()
    except (http.client.HTTPException, OSError, ValueError):
        pass
    return None


def _receive(remote: RemoteFile, part: _PartialFile, on_bytes: OnBytes, limits: RetryLimits) -> None:
    """One try: request what is missing and append it."""
    headers = {"User-Agent": "retake", "Accept-Encoding": "identity"}
    if part.size and not part.tag:  # the rest might be of another version
        part.restart("")
    if part.size:
        headers |= {"Range": f"bytes={part.size}-", "If-Range": part.tag}
    request = urllib.request.Request(remote.url, headers=headers)  # noqa: S310
    if remote.token:
        request.add_unredirected_header(_AUTHORISATION, f"Bearer {remote.token}")
    try:
        response = _open(request, limits.timeout_s)
    except urllib.error.HTTPError as error:
        with error:
            _refused(error, remote, part)
        return
    with response:
        total = _accept(response, remote, part)
        reported = part.size
        while chunk := response.read1(_CHUNK if total is None else min(_CHUNK, total - part.size)):
            part.add(chunk)
            if part.size - reported >= _CHUNK:
                reported = part.size
                on_bytes(part.size, total, "")
    on_bytes(part.size, total, "")
    if total is not None and part.size < total:
        raise _DroppedError(f"the connection closed after {part.size} of {total} bytes")


def _accept(response: http.client.HTTPResponse, remote: RemoteFile, part: _PartialFile) -> int | None:
    """Prepare the partial file for this response; return the size of the whole file, if the server reports it."""
    if response.headers.get_content_type() == "text/html":
        raise WrongFileError(remote.url, "a web page", f"the file {remote.name}")
    total: int | None
    tag = response.headers.get("ETag", "")
    named = re.fullmatch(r'"md5:([0-9a-f]{32})"', tag)  # as Zenodo writes it
    part.md5_named = named[1] if named else ""
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        if span is None or int(span[1]) != part.size:
            part.restart("")
            raise _DroppedError("the server sent another part than was asked for")
        total = int(span[2])
    else:
        part.restart(response.headers.get("Last-Modified", "") if tag.startswith("W/") or not tag else tag)
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
    if remote.size is not None and total not in (None, remote.size):
        part.discard()
        raise WrongFileError(remote.url, f"{total} bytes", f"the {remote.size} bytes of {remote.name}")
    return total


def _refused(error: urllib.error.HTTPError, remote: RemoteFile, part: _PartialFile) -> None:
    """Nothing, when the answer means that all has arrived.

    Raises:
        _DroppedError: another try may help.
        DownloadRefusedError: none will.
    """
    if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and part.size:
        if error.headers.get("Content-Range") == f"bytes */{part.size}":
            return
        part.restart("")
        raise _DroppedError("the file on the server has changed")
    if error.code in _PASSING:
        after = error.headers.get("Retry-After", "")
        wait_s = min(float(after), _LONGEST_WAIT_S) if after.isdigit() else 0.0
        raise _DroppedError(f"the server says {error.code} {error.reason}", wait_s)
    raise DownloadRefusedError(remote.url, f"{error.code} {error.reason}", status=error.code)


def _check(remote: RemoteFile, part: _PartialFile) -> bool:
    """Whether there was a checksum to check against.

    Raises:
        DownloadDamagedError: it differs.
    """
    known = (
        ("size", str(part.size), str(remote.size or "")),
        ("SHA-256", part.sha256.hexdigest(), remote.sha256),
        ("MD5", part.md5.hexdigest(), remote.md5 or part.md5_named),
    )
    for kind, got, expected in known:
        if expected and got != expected:
            part.discard()
            raise DownloadDamagedError(remote.name, kind, got, expected)
    return any(expected for _, _, expected in known[1:])


def _open(request: urllib.request.Request, timeout_s: float) -> http.client.HTTPResponse:
    if request.type not in ("http", "https"):
        raise DownloadRefusedError(request.full_url, "only http and https addresses are read")
    opener = urllib.request.build_opener(_HttpsStays, urllib.request.ProxyHandler(proxies()))
    response: http.client.HTTPResponse = opener.open(request, timeout=timeout_s)
    return response


def _hopeless(error: Exception) -> bool:
    """A certificate that is not trusted will not be in a moment."""
    return isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError)


def _reason(error: Exception) -> str:
    """What went wrong, in the system's words, without the numbers and places that only programs read."""
    cause = getattr(error, "reason", "") or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message or 'not verified'})"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return re.sub(r"\s*\(_\w+\.c:\d+\)|\[Errno -?\d+\] ", "", str(cause)) or type(error).__name__
