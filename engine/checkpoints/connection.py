"""Connections to servers: proxies, trusted certificates, and advice where a connection fails."""

import re
import ssl
import urllib.parse
import urllib.request
from collections.abc import Iterator

CERTIFICATE = (
    "something in between, such as a company's proxy or a virus scanner, opens encrypted connections: set SSL_CERT_FILE"
    " to a file with its certificate, see that the clock of this computer is right, and pull again"
)
CONNECTION = "check the connection and pull again"


def proxies() -> dict[str, str]:
    """The system's proxies by scheme; one without a scheme of its own is spoken to by http, as other programs do."""
    found = urllib.request.getproxies()
    return {scheme: where if "://" in where else f"http://{where}" for scheme, where in found.items()}


def proxy_of(url: str) -> str:
    """The proxy that a request for `url` goes through, without its password; nothing where it goes straight."""
    parts = urllib.parse.urlsplit(url)
    if urllib.request.proxy_bypass(parts.netloc):
        return ""
    known = proxies()
    return re.sub(r"//[^/@]*@", "//", known.get(parts.scheme) or known.get("all", ""))


def advice(url: str, error: BaseException) -> str:
    """What to do about a server that could not be reached."""
    causes = list(_causes(error))
    message = " ".join(str(cause) for cause in causes).lower()
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes) or "certificate" in message:
        return CERTIFICATE
    proxy = proxy_of(url)
    if proxy:
        scheme = urllib.parse.urlsplit(url).scheme
        return (
            f"it goes through the proxy {proxy} of this system: see that the proxy runs and lets you in, or set"
            f" {scheme}_proxy to another one (http://host:port), and pull again"
        )
    return CONNECTION


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what urllib wraps, and what each came from."""
    while error is not None:
        yield error
        reason = getattr(error, "reason", None)
        error = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
