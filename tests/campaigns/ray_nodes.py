"""Ray nodes on this machine, each a tree of processes of its own, to kill and to start again."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.campaigns.processes import children_of
from tests.daemons import ROOT

_PORTS = range(20_000, 32_000)
"""Outside of those that Ray gives its own workers, and below those that the system gives to anybody."""
_STORE_BYTES = 100_000_000
_START_S = 180.0


class RayNodes:
    """A head with one CPU and a second node with another; nobody without the token is let in."""

    def __init__(self) -> None:
        own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
        self.environment = {**own, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self._own = tempfile.TemporaryDirectory(
            prefix="ray-", ignore_cleanup_errors=True
        )  # its sockets need a short path
        self._folder = Path(self._own.name) / "r"
        self._trees: dict[str, subprocess.Popen] = {}
        self._gcs_port, self._client_port = _free_port(), _free_port()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._trees):
            self.kill(name)
        with suppress(OSError):  # somebody who was just killed may still be writing
            self._own.cleanup()

    @property
    def address(self) -> str:
        return f"ray://127.0.0.1:{self._client_port}"

    @property
    def member_address(self) -> str:
        """Where a machine that belongs to the cluster finds it, without Ray's client."""
        return f"127.0.0.1:{self._gcs_port}"

    def start_head(self) -> None:
        """Start the head, and return when it lets clients in."""
        ports = [
            "--port",
            str(self._gcs_port),
            "--ray-client-server-port",
            str(self._client_port),
            "--temp-dir",
            str(self._folder),
        ]
        self._start("head", "--head", "--include-dashboard=false", *ports)

    def start_node(self) -> None:
        self._start("node", "--address", self.member_address)

    def kill(self, name: str) -> None:
        """`kill -9` a node with everything that runs on it."""
        tree = self._trees.pop(name)
        for pid in [*_below(tree.pid), tree.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        tree.wait()

    def _start(self, name: str, *words: str) -> None:
        command = [str(Path(sys.executable).with_name("ray")), "start", *words, "--block", "--num-cpus", "1"]
        command += [
            "--node-ip-address",
            "127.0.0.1",
            "--disable-usage-stats",
            "--object-store-memory",
            str(_STORE_BYTES),
        ]
        log = (self._folder.parent / f"{name}.log").open("wb")
        with log:
            environment = os.environ | self.environment
            self._trees[name] = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_S
        while b"Ray runtime started" not in (self._folder.parent / f"{name}.log").read_bytes():
            assert self._trees[name].poll() is None, f"the {name} ended: {self._folder.parent / f'{name}.log'}"
            assert time.monotonic() < deadline, f"the {name} did not start in time"
            time.sleep(0.2)


def _free_port() -> int:
    """A port of which nobody knows but us, most likely."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", secrets.choice(_PORTS)))
            return probe.getsockname()[1]


def _below(pid: int) -> list[int]:
    """All processes that a process started, and those that they started."""
    children = children_of(pid)
    return [*children, *(one for child in children for one in _below(child))]
