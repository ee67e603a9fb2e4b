"""Daemons to test against: one in a thread with a stand-in for the render process, one as a process of its own."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bridge.clients.client import Client
from bridge.daemon.assembly import build
from bridge.host.discovery import InstanceLock, Runtime, read_runtime
from bridge.host.settings import Settings
from bridge.wire.messages import Done, Fail, Quit, Reply, Request
from bridge.wire.osc_codec import decode, encode_request
from bridge.wire.parsing import parse_reply

ROOT = Path(__file__).parents[1]
STAND_IN = ROOT / "tests" / "bridge" / "stand_in_worker.py"
PATIENCE_S = 60.0
"""For a machine with much else to do; nothing here takes that long by itself."""


class Ear:
    """A client that remembers everything it hears."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.heard: list[Reply] = []

    def send_raw(self, datagram: bytes) -> None:
        self.socket.sendto(datagram, (self.runtime.host, self.runtime.port))

    def say(self, request: Request, token: str | None = None) -> None:
        object.__setattr__(request, "token", self.runtime.token if token is None else token)
        self.send_raw(encode_request(request))

    def hear(self, timeout_s: float = PATIENCE_S) -> Reply | None:
        """The next reply; None when none comes in time."""
        self.socket.settimeout(timeout_s)
        try:
            (message,) = decode(self.socket.recv(65536))
        except TimeoutError:
            return None
        self.heard.append(parse_reply(*message))
        return self.heard[-1]

    def wait_for(self, *kinds: type[Reply], job: str | None = None) -> Any:
        """The next reply of one of these kinds (about that job)."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            reply = self.hear()
            if isinstance(reply, kinds) and (job is None or getattr(reply, "job", None) == job):
                return reply
        raise AssertionError(f"no {kinds} among {self.heard}")

    def wait_for_end(self, job: str) -> Any:
        return self.wait_for(Done, Fail, job=job)

    def close(self) -> None:
        self.socket.close()


class ThreadedDaemon:
    """The whole daemon on an event loop in a thread; its render process is a stand-in."""

    def __init__(self, settings: Settings, state_dir: Path) -> None:
        self.settings = settings
        self.state_dir = state_dir
        self.lock = InstanceLock(state_dir)
        assert self.lock.acquire()
        self.is_up = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.thread.start()
        assert self.is_up.wait(PATIENCE_S)

    async def _serve(self) -> None:
        self.daemon = await build(self.settings, self.state_dir, [sys.executable, str(STAND_IN)])
        self.loop = asyncio.get_running_loop()
        self.loop.call_soon(self.is_up.set)
        await self.daemon.serve()

    @property
    def runtime(self) -> Runtime:
        return self.daemon.runtime

    @property
    def worker_pid(self) -> int | None:
        return self.daemon.supervisor.pid

    def stop(self) -> None:
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.daemon.closing.set)
            self.thread.join(PATIENCE_S)
        self.lock.release()
        assert not self.thread.is_alive()


class ProcessDaemon:
    """`retake daemon` as a process, with the tiny preset, or whatever else `command` starts."""

    def __init__(
        self, state_dir: Path, *flags: str, command: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        self.state_dir = state_dir
        self.started_at = time.monotonic()
        usual = [sys.executable, "-m", "bridge", "daemon", "--port", "0", "--model", "tiny"]
        self.process = subprocess.Popen(
            [*(command or usual), *flags], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment
        )

    @property
    def runtime(self) -> Runtime:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            runtime = read_runtime(self.state_dir)
            if runtime is not None and runtime.pid == self.process.pid:
                return runtime
            time.sleep(0.005)
        raise AssertionError("the daemon did not publish where it is")

    def children(self) -> list[int]:
        tasks = Path(f"/proc/{self.process.pid}/task")
        return [int(pid) for file in tasks.glob("*/children") for pid in file.read_text().split()]

    def stop(self) -> None:
        if self.process.poll() is None:
            with Client(self.runtime) as client:
                client.send(Quit())
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
