"""The pipes of a child process: its stdout belongs to whoever keeps it."""

import os
from typing import BinaryIO


def claim_stdout() -> BinaryIO:
    """Keep stdout for the keeper alone; what libraries print goes to stderr, into the log."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe
