"""Fixtures that start daemons and stop them again, and clients to talk to them."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.host.settings import Settings
from bridge.wire.messages import Generate
from tests.daemons import PATIENCE_S, Ear, ProcessDaemon, ThreadedDaemon, is_alive


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder, found through the environment as in real life; no settings of this machine's user are read."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("RETAKE_STATE_DIR", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return folder


@pytest.fixture
def start_daemon(state_dir: Path) -> Iterator[Callable[..., ThreadedDaemon]]:
    """Start a daemon in a thread; keyword arguments are settings."""
    started = []

    def start(**settings: Any) -> ThreadedDaemon:
        started.append(ThreadedDaemon(Settings(port=0, **settings), state_dir))
        return started[-1]

    yield start
    for daemon in started:
        daemon.stop()


@pytest.fixture
def daemon(start_daemon: Callable[..., ThreadedDaemon]) -> ThreadedDaemon:
    return start_daemon(cancel_grace_s=0.5)


@pytest.fixture
def connect() -> Iterator[Callable[[Any], Ear]]:
    """Make clients, and close them in the end."""
    made = []

    def make(daemon: Any) -> Ear:
        made.append(Ear(daemon.runtime))
        return made[-1]

    yield make
    for ear in made:
        ear.close()


@pytest.fixture
def ear(daemon: ThreadedDaemon, connect: Callable[[Any], Ear]) -> Ear:
    return connect(daemon)


@pytest.fixture
def start_process(state_dir: Path) -> Iterator[Callable[..., ProcessDaemon]]:
    started = []

    def start(*flags: str) -> ProcessDaemon:
        started.append(ProcessDaemon(state_dir, *flags))
        return started[-1]

    yield start
    for daemon in started:
        daemon.stop()


@pytest.fixture
def wait_until() -> Callable[..., None]:
    def wait(condition: Callable[[], Any], seconds: float = PATIENCE_S) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come true in time"
            time.sleep(0.01)

    return wait


@pytest.fixture
def alive() -> Callable[[int], bool]:
    return is_alive


@pytest.fixture
def read_json() -> Callable[[Path], Any]:
    return lambda path: json.loads(Path(path).read_text(encoding="utf-8"))


@pytest.fixture
def generate() -> Callable[..., Generate]:
    """A request for a job whose prompt tells the stand-in what to do."""
    return lambda job, prompt="fine", **keys: Generate(job=job, prompt=prompt, **keys)
