"""What the checks know of the machine: system, environment, home, state folder. Only the standard library."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.daw_install.hosts import HostPlatform
from bridge.host.discovery import state_folder

_NOWHERE = Path("/nonexistent")


@dataclass(frozen=True)
class Surroundings:
    """Where the checks look. `state` is None if it cannot be found without a home folder."""

    machine: HostPlatform
    state: Path | None

    @property
    def environment(self) -> Mapping[str, str]:
        return self.machine.environment


def own_surroundings() -> Surroundings:
    """Return the surroundings of this process."""
    try:
        home = Path.home()
    except RuntimeError:
        home = _NOWHERE
    try:
        state = state_folder(os.environ)
    except RuntimeError:
        state = None
    return Surroundings(HostPlatform(sys.platform, os.environ, home), state)
