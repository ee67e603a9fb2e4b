"""Checking for a newer version, only when the user asks for it; UPDATES.md describes the manifest."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import BridgeError

FORMAT = 1
VARIABLE = "RETAKE_UPDATE_URL"
_TIMEOUT_S = 15.0
_MAX_BYTES = 1_000_000


class UpdateError(BridgeError):
    """The manifest did not arrive, or cannot be used."""

    code = "update_check_failed"

    def __init__(self, address: str, reason: object) -> None:
        super().__init__(f"{address or 'the update address'} gave no answer that can be used: {reason}", _HINT)


_HINT = "nothing was changed; try again later, or look at the page that you have Retake from"


@dataclass(frozen=True)
class Download:
    """One file of a release: its system, its kind of package, its size and checksum."""

    system: str
    kind: str
    url: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class UpdateManifest:
    """The latest release."""

    version: str
    released: str
    notes_url: str
    downloads: tuple[Download, ...]

    def downloads_for(self, system: str) -> tuple[Download, ...]:
        """Return the files for a system, named as sys.platform names it."""
        return tuple(download for download in self.downloads if download.system == system)


def is_newer(version: str, than: str) -> bool:
    """Compare versions by their numbers; a pre-release such as 0.2.0rc1 comes before 0.2.0."""
    return _rank(version) > _rank(than)


def _rank(version: str) -> tuple[tuple[int, ...], bool, str]:
    match = re.match(r"(\d+(?:\.\d+)*)(.*)", version)
    numbers, rest = (match[1], match[2]) if match else ("0", version)
    parts = [int(number) for number in numbers.split(".")]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts), not rest, rest


def parse_manifest(address: str, content: bytes) -> UpdateManifest:
    """Return the manifest in `content`. Raises UpdateError."""
    try:
        values = json.loads(content)
        if values["format"] != FORMAT:
            raise UpdateError(address, f"its format is {values['format']!r}, this Retake reads {FORMAT}")
        if not re.match(r"\d+(\.\d+)+", values["version"]):
            raise UpdateError(address, f"its version is {values['version']!r}")
        downloads = tuple(map(_download, values["downloads"]))
        return UpdateManifest(values["version"], str(values["released"]), _web(values["notes_url"]), downloads)
    except (ValueError, KeyError, TypeError) as error:
        raise UpdateError(address, f"it is no manifest ({type(error).__name__}: {error})") from error


def _download(values: Mapping[str, Any]) -> Download:
    if not re.fullmatch(r"[0-9a-f]{64}", values["sha256"]):
        raise ValueError(f"sha256 is {values['sha256']!r}")
    return Download(
        str(values["system"]), str(values["kind"]), _web(values["url"]), int(values["size_bytes"]), values["sha256"]
    )


def _web(address: str) -> str:
    if not address.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise ValueError(f"{address!r} is no https address")
    return address


def fetch_manifest(address: str) -> UpdateManifest:
    """Download and read the manifest; blocks on the network. Raises UpdateError."""
    try:
        request = urllib.request.Request(_web(address), headers={"User-Agent": "Retake"})  # noqa: S310 - checked
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - checked in _web
            content: bytes = answer.read(_MAX_BYTES + 1)
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise UpdateError(address, error) from error
    if len(content) > _MAX_BYTES:
        raise UpdateError(address, "it is too long for a manifest")
    return parse_manifest(address, content)
