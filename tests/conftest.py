"""Tests run side by side, one process a core (pytest-xdist): so each computes on one thread."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is first imported
