"""Keeps a farm to its user: Ray's token and files closed to others, a cluster of this machine on its loopback address.

Imports nothing of Ray: it reads the environment when it is imported, so that has to be set before.
"""

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from stat import S_IMODE

from bridge.farm.plan import FarmPlan

_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "1", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
"""Send no usage statistics, whatever the machine's settings; and an actor without a GPU sees none."""
_ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""What Ray calls its way of working on Windows and macOS, where it takes 127.0.0.1 for the address of the node, and so
listens there alone. Elsewhere it listens on every address, whatever `_node_ip_address` says."""
_LONGEST_FOLDER = 36
"""Characters. Ray adds some 65 for its sockets, and on macOS the path of a socket may have 103."""
_OTHERS = 0o077

log = logging.getLogger(__name__)


def environment(plan: FarmPlan) -> dict[str, str]:
    """Return the environment variables that have to be set before Ray is imported."""
    return _QUIET | (_ALONE if plan.address == "local" else {})


def token_file(surroundings: Mapping[str, str], home: Path) -> Path:
    """Return the path of Ray's token, where there may be no file."""
    return Path(surroundings.get("RAY_AUTH_TOKEN_PATH") or home / ".ray" / "auth_token")


def is_open_to_others(path: Path) -> bool:
    """Whether a file is there that other users may read or write, as far as the folders above let them in."""
    with contextlib.suppress(OSError):
        return os.name == "posix" and bool(S_IMODE(path.stat().st_mode) & _OTHERS)
    return False


def close_token(surroundings: Mapping[str, str], home: Path) -> None:
    """Remove other users' rights on Ray's token and on Ray's folder in `home`, where we may."""
    token = token_file(surroundings, home)
    if is_open_to_others(token):
        log.warning("other users could read %s, with which they can run programs as you: make a new token", token)
    for path in (token, home / ".ray"):
        with contextlib.suppress(OSError):
            if is_open_to_others(path):
                path.chmod(S_IMODE(path.stat().st_mode) & ~_OTHERS)


@contextlib.contextmanager
def closed_to_others() -> Iterator[None]:
    """Let files that are made meanwhile, by programs started here as well, be private; takes are not among them."""
    before = os.umask(_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def private_folder(state: Path | None) -> Path:
    """Make an empty private folder for the files of a cluster, because Ray opens its own ones to all users.

    It is in the state folder, if the path of that is short enough for sockets. Raises OSError, also when another user
    has made a folder of that name.
    """
    own = (state or Path(tempfile.gettempdir())) / "ray"
    if os.name == "posix" and len(os.fsencode(own)) > _LONGEST_FOLDER:
        own = Path("/tmp") / f"retake-{hashlib.sha256(os.fsencode(own)).hexdigest()[:12]}"  # noqa: S108 - made below
    shutil.rmtree(
        own, ignore_errors=True
    )  # an earlier cluster's, which has ended: we hold the lock of the farm's process
    own.mkdir(mode=0o700, parents=True)
    return own
