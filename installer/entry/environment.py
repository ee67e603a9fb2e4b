"""Runs before each program: what it starts has the user's environment, not the bundle's; certificates are found."""

import os
import sys

_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # Alpine, macOS
)
"""Our OpenSSL was built on Debian, and would look only where Debian keeps them."""


def _restore(variable: str) -> None:
    """Undo what the bootloader set for the loader of this process, which has read it by now."""
    before = os.environ.pop(f"{variable}_ORIG", None)
    if before is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = before


if sys.platform.startswith("linux"):
    _restore("LD_LIBRARY_PATH")
if sys.platform != "win32" and not os.environ.get("SSL_CERT_FILE"):
    _found = next((file for file in _CERTIFICATES if os.path.isfile(file)), None)
    if _found is not None:
        os.environ["SSL_CERT_FILE"] = _found
