"""Where Retake's commands start: they import Retake's own packages, whatever a user's files are called.

A script's folder and PYTHONPATH come before site-packages, so a user's `engine.py` would take the place of ours. A
finder ahead of all others answers for our few names, and for nothing else: the user's PYTHONPATH stays in force. This
file is no part of a package because a user's `retake.py` would hide it there.
"""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

HOME = os.path.dirname(os.path.abspath(__file__))
OWN = frozenset({"retake", "engine", "bridge", "daw_scripts"})


class OwnPackages:
    """Finds our packages beside this file."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return where a top-level name of ours is; None for all others, which Python's own finders then look for."""
        return PathFinder.find_spec(name, [HOME], target) if path is None and name in OWN else None


# When this file is imported, and not in `retake` below: processes that multiprocessing starts import it as well
if OwnPackages not in sys.meta_path:
    sys.meta_path.insert(0, OwnPackages)


def retake() -> int:
    """Run `retake`."""
    from bridge.__main__ import main  # noqa: PLC0415 - found by the finder above, as in the functions below

    return main()


def retake_send() -> int:
    """Run `retake-send`."""
    from bridge.clients.send import main  # noqa: PLC0415

    return main()


def retake_sendw() -> int:
    """Run `retake-sendw`."""
    from bridge.clients.sendw import main  # noqa: PLC0415

    return main()


def retake_tray() -> int:
    """Run `retake-tray`."""
    from bridge.desktop.start import main  # noqa: PLC0415

    return main()


if __name__ == "__main__":
    raise SystemExit(retake())
