"""The stdout of a child process, which belongs to its parent: replies go there, and nothing else may."""

import os
from typing import BinaryIO


def claim_stdout() -> BinaryIO:
    """Return stdout, and send what libraries print there to stderr instead, and so into the log.

    By number, not only as `sys.stdout`: libraries in C print past Python, and a stray word would spoil a line.
    """
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe
