"""Tests run side by side, one process a core: each computes on one thread, and draws the same random numbers always."""

import os
import signal
import sys

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is first imported

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as in the background of a shell; the programs under test inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _the_same_random_numbers() -> None:
    """A test that draws from PyTorch's global generator draws the same, alone or after any other."""
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)
