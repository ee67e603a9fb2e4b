"""Whether a UDP port on the loopback address is free, and which program has it otherwise."""

import contextlib
import os
import re
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bridge.daemon.osc_server import LOOPBACK
from bridge.host.program import start_flags

_UNKNOWN = "a program that the system does not name"
_LOOK_S = 10.0


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def owner_of(port: int, system: str) -> str:
    """Return the program that has a port and its process id, as far as this user may know."""
    with contextlib.suppress(OSError, ValueError, IndexError, subprocess.SubprocessError):
        if system == "linux":
            return _owner_on_linux(port)
        if system == "darwin":
            return _owner_on_mac(_output(["/usr/sbin/lsof", "-nP", f"-iUDP:{port}", "-Fpc"]))
        if system == "win32":
            return _owner_on_windows(_output(["netstat", "-ano", "-p", "UDP"]), port)
    return _UNKNOWN


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(  # noqa: S603 - the system's own program
        command, capture_output=True, text=True, timeout=_LOOK_S, check=False, creationflags=start_flags()
    )
    return done.stdout


def _owner_on_linux(port: int) -> str:
    """Find the socket in the kernel's list by its port, then the process that has it open."""
    rows = (line.split() for line in Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:])
    wanted = {f"socket:[{row[9]}]" for row in rows if int(row[1].partition(":")[2], 16) == port}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(os.readlink(file) in wanted for file in (process / "fd").iterdir()):
                name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                return f"{name} (pid {process.name})"
    return _UNKNOWN


def _owner_on_mac(listed: str) -> str:
    """Read lsof's fields: a line `p<pid>`, then a line `c<command>`."""
    pid, name = re.search(r"^p(\d+)$", listed, re.MULTILINE), re.search(r"^c(.+)$", listed, re.MULTILINE)
    return f"{name[1]} (pid {pid[1]})" if pid and name else _UNKNOWN


def _owner_on_windows(listed: str, port: int) -> str:
    """Read netstat's rows: protocol, own address, other address, pid."""
    found = re.search(rf"^\s*UDP\s+\S+:{port}\s+\S+\s+(\d+)\s*$", listed, re.MULTILINE)
    return f"the process with pid {found[1]}" if found else _UNKNOWN
