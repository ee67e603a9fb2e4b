"""A REAPER for each test, with the shipped scripts, a project of real audio, and a real daemon with the tiny model."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from bridge.clients.client import Client
from bridge.host.discovery import find_daemon, wait_for_daemon, wait_for_end
from bridge.wire.messages import Quit
from tests.daw_scripts.reaper.reaper_host import Host
from tests.daw_scripts.reaper.reaper_project import Project, Source

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "daw_scripts" / "reaper" / "Retake"
SEND = Path(sys.executable).with_name("retake-send")
PATIENCE_S = 120.0


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Audio files of a quarter of a second: what a project may hold."""
    folder = tmp_path_factory.mktemp("clips with spaces")
    noise = np.random.default_rng(5).uniform(-0.5, 0.5, (24_000, 6)).astype(np.float32)
    files = {
        "mono": (noise[:11_025, :1], 44_100, "mono take.wav", "PCM_24"),
        "stereo": (noise[:12_000, :2], 48_000, "stereo take.flac", "PCM_24"),
        "six": (noise[:12_000], 48_000, "six channels.wav", "FLOAT"),
        "long": (noise[:, :1], 24_000, "long take.wav", "FLOAT"),
    }
    for samples, rate, name, subtype in files.values():
        soundfile.write(folder / name, samples, rate, subtype=subtype)
    return {key: folder / name for key, (_, _, name, _) in files.items()}


def _environment(folder: Path, model: Any) -> Any:
    config = folder / "config" / "retake"
    config.mkdir(parents=True)
    (config / "retake.toml").write_text(f'model = "{model}"\nport = 0\n', encoding="utf-8")
    state = folder / "state"
    state.mkdir(mode=0o700)
    names = {"RETAKE_STATE_DIR": state, "XDG_CONFIG_HOME": folder / "config", "OMP_NUM_THREADS": "1"}
    return os.environ | {name: str(value) for name, value in names.items()}


def _stop_daemon(environment: Any) -> None:
    state = Path(environment["RETAKE_STATE_DIR"])
    runtime = find_daemon(state)
    if runtime is not None:
        with Client(runtime) as client:
            client.send(Quit())
        wait_for_end(state, PATIENCE_S)


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The environment in which a real daemon with the tiny model runs."""
    environment = _environment(tmp_path_factory.mktemp("retake"), "tiny")
    command = [sys.executable, "-m", "bridge", "daemon"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    assert wait_for_daemon(Path(environment["RETAKE_STATE_DIR"]), PATIENCE_S)
    yield environment
    _stop_daemon(environment)
    process.wait(PATIENCE_S)


@pytest.fixture
def no_daemon(tmp_path: Path) -> Iterator[Any]:
    """An environment in which no daemon runs yet; one that is started there uses the tiny model."""
    environment = _environment(tmp_path, "tiny")
    yield environment
    _stop_daemon(environment)


@pytest.fixture
def nano(tmp_path: Path) -> Iterator[Any]:
    """As before, with the shipped model."""
    environment = _environment(tmp_path, "nano")
    yield environment
    _stop_daemon(environment)


@pytest.fixture
def send_program() -> Any:
    return SEND


@pytest.fixture
def make_host(tmp_path: Path) -> Iterator[Any]:
    """Make a REAPER in an environment, with the location file that `retake install-scripts` writes."""
    made = []

    def make(environment: Any, send: Any = SEND) -> Any:
        resources = tmp_path / "REAPER resources"
        folder = resources / "Scripts" / "Retake"
        folder.mkdir(parents=True, exist_ok=True)
        if send is not None:
            (folder / "retake.json").write_text(json.dumps({"send": str(send), "version": "0.1.0"}), encoding="utf-8")
        media = tmp_path / "song" / "Media"
        media.mkdir(parents=True, exist_ok=True)
        made.append(Host(resources, [Project(media, str(tmp_path / "song" / "song.rpp"))], environment))
        return made[-1]

    yield make
    for host in made:
        host.close()


@pytest.fixture
def host(make_host: Any, daemon: Any) -> Any:
    return make_host(daemon)


@pytest.fixture
def project(host: Any) -> Any:
    """The project in view, with one track."""
    host.current.add_track()
    return host.current


@pytest.fixture
def track(project: Any) -> Any:
    return project.tracks[0]


@pytest.fixture
def item(project: Any, track: Any, clips: Any) -> Any:
    """A selected item at 2 s that plays a mono file from its start."""
    return project.add_item(track, Source.of_file(clips["mono"]), position=2.0)


@pytest.fixture
def act(host: Any) -> Callable[..., Any]:
    """Run an action by its name to its end: the answers go into its dialog."""

    def act(name: str, *answers: Any) -> None:
        host.answers.extend(answers)
        host.run(script_named(name))
        host.run_to_end()

    return act


def script_named(name: str) -> Any:
    (path,) = SCRIPTS.glob(f"Retake_{name}*.lua")
    return path


@pytest.fixture
def script() -> Any:
    """The path of an action's script by the beginning of its name."""
    return script_named


@pytest.fixture
def work_folder(host: Any) -> Any:
    return host.resources / "Data" / "Retake"
