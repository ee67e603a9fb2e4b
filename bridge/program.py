"""How Retake starts itself again: as a daemon, or as its render process; from source, installed, or frozen."""

import sys
from pathlib import Path

HOME = Path(__file__).parents[1]
"""The folder to start in: `-m` finds the package there, and nothing in the user's working folder can take its place."""


def own_command(*words: str) -> list[str]:
    """Give the command line of `retake <words>`."""
    if getattr(sys, "frozen", False):
        suffix = ".exe" if sys.platform == "win32" else ""
        return [str(Path(sys.executable).with_name(f"retake{suffix}")), *words]
    return [sys.executable, "-m", "bridge", *words]
