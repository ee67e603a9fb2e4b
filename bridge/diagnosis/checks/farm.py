"""Whether the render farm of the settings can be reached, and whether its ports are open to more than its network."""

import importlib.util
import os
import socket
from collections.abc import Iterator

from bridge.diagnosis.checks.finding import Finding, ok, problem, warning
from bridge.diagnosis.checks.settings_file import valid_settings
from bridge.diagnosis.checks.surroundings import Surroundings
from bridge.farm.privacy import is_open_to_others, token_file

_TIMEOUT_S = 3.0


def check_farm(surroundings: Surroundings) -> Iterator[Finding]:
    address = valid_settings(surroundings).farm
    if not address:
        yield ok("render farm", "none is set; this machine renders on its own")
        return
    if importlib.util.find_spec("ray") is None:
        yield problem("render farm", f"the setting farm is {address}, but Ray is not installed", _INSTALL)
        return
    if address not in {"auto", "local"}:
        yield from _try_connection(address)
    if os.environ.get("RAY_AUTH_MODE", "token") != "token":
        yield warning("farm access", "RAY_AUTH_MODE lets any program in that reaches Ray's ports", _ACCESS)
    token = token_file(os.environ, surroundings.machine.home)
    if is_open_to_others(token):
        text = f"other users may read {token}, and with it run programs as you on every node"
        yield warning("farm token", text, f'chmod 600 "{token}", and give the farm a new one; bridge/FARM.md says how')
    if address in {"auto", "local"}:
        yield ok("render farm", f"{address}: Ray is installed")


_INSTALL = "`pip install 'retake[farm]'`, in the same environment as Retake"
_ACCESS = "unset it, and give every node the same token; bridge/FARM.md says how"


def _try_connection(address: str) -> Iterator[Finding]:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        with socket.create_connection((host, int(port)), _TIMEOUT_S):
            yield ok("render farm", f"{address} answers")
    except (OSError, OverflowError) as error:
        yield problem(
            "render farm",
            f"{address} cannot be reached: {error}",
            f"start the head on {host} (bridge/FARM.md), or check that no firewall blocks it",
        )
