"""`retake-sendw`: `retake-send` as a program without a console, for DAWs on Windows, where each console is a window."""

import os
import sys
from collections.abc import Sequence

from bridge.clients.send import main as send


def main(argv: Sequence[str] | None = None) -> int:
    """Run `retake-send`; its output is not visible; the reply file says what counts."""
    if sys.stdout is None or sys.stderr is None:  # as Python leaves them without a console
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the program runs
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    return send(argv)


if __name__ == "__main__":
    raise SystemExit(main())
