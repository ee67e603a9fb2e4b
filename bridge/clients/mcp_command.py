"""`retake mcp`: says in a sentence what is missing before the server is loaded."""

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec


def main(argv: Sequence[str] | None = None) -> int:
    """Serve on stdin and stdout until the client closes them; 1 without the package."""
    argparse.ArgumentParser(
        prog="retake mcp",
        description="Offer Retake's operations as tools of the Model Context Protocol, on stdin and stdout. An"
        ' assistant starts it itself; its configuration names the command "retake" with the argument "mcp".',
    ).parse_args(argv)
    if find_spec("mcp") is None:
        print('the package mcp is not installed\nhint: pip install "retake[mcp]"', file=sys.stderr)
        return 1
    from bridge.clients.mcp_server import serve  # noqa: PLC0415 - the package is an extra

    serve()
    return 0
