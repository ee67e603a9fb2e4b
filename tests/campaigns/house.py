"""A campaign's own little world: a state folder, clips, a folder for takes, and a daemon to kill and start."""

import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from bridge.host.discovery import Runtime, read_runtime
from tests.campaigns.processes import children_of, processes_of
from tests.daemons import PATIENCE_S, ProcessDaemon, is_alive


@dataclass
class House:
    """Folders below `root`, and the daemon that lives there."""

    root: Path
    flags: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    daemon: ProcessDaemon | None = None

    def __post_init__(self) -> None:
        for folder in (self.state, self.clips, self.takes):
            folder.mkdir(exist_ok=True)

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def clips(self) -> Path:
        return self.root / "clips"

    @property
    def takes(self) -> Path:
        return self.root / "takes"

    def start(self) -> None:
        """Start a daemon, and do not wait for it."""
        own = {"RETAKE_STATE_DIR": str(self.state), "XDG_CONFIG_HOME": str(self.root / "config")}
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **own, **self.environment}
        environment.pop("RETAKE_CONFIG", None)
        self.daemon = ProcessDaemon(self.state, *self.flags, command=self.command, environment=environment)

    def runtime(self) -> Runtime | None:
        """Where the daemon listens; None until it does."""
        runtime = read_runtime(self.state)
        return runtime if runtime is not None and self.daemon is not None and runtime.pid == self.pid else None

    def require_runtime(self) -> Runtime:
        assert self.daemon is not None
        return self.daemon.runtime

    @property
    def pid(self) -> int:
        assert self.daemon is not None
        return self.daemon.process.pid

    @property
    def worker(self) -> int | None:
        """The render process; None while there is none."""
        return next(iter(children_of(self.pid)), None)

    @property
    def is_up(self) -> bool:
        return self.daemon is not None and self.daemon.process.poll() is None

    def kill(self) -> None:
        """`kill -9` the daemon."""
        assert self.daemon is not None
        self.daemon.process.kill()
        self.daemon.process.wait()
        if self.daemon.process.stdout is not None:
            self.daemon.process.stdout.close()

    def stop(self) -> None:
        if self.daemon is not None:
            self.daemon.stop()

    def left_over(self, seconds: float) -> list[int]:
        """Processes of this house that still live so long after they should have gone."""
        deadline = time.monotonic() + seconds
        while (found := processes_of(self.state)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def journal(self, query: str) -> list[tuple[str, ...]]:
        """Ask the journal of a daemon that has stopped."""
        with sqlite3.connect(self.state / "journal.sqlite3") as database:
            rows: list[tuple[str, ...]] = database.execute(query).fetchall()
        database.close()
        return rows

    def drafts(self) -> list[Path]:
        """Files under a temporary name that somebody left behind."""
        return [path for path in self.root.rglob(".retake-*.tmp") if path.is_file()]


@contextmanager
def house(*flags: str, root: Path | None = None, command: tuple[str, ...] = (), **environment: str) -> Iterator[House]:
    """A house that is empty and quiet again at the end, whatever happened in it."""
    with tempfile.TemporaryDirectory(prefix="retake-campaign-", dir=root) as folder:
        made = House(Path(folder), flags, command, environment)
        try:
            yield made
        finally:
            for pid in processes_of(made.state):
                _resume(pid)
            made.stop()
            _wait_for_end(made)


def _resume(pid: int) -> None:
    """A process that a campaign left suspended could not leave."""
    try:
        os.kill(pid, 18)  # SIGCONT
    except ProcessLookupError:
        return


def _wait_for_end(made: House) -> None:
    for pid in made.left_over(PATIENCE_S / 2):
        if is_alive(pid):
            os.kill(pid, 9)


CLIP_SHAPES = ((16000, 1), (22050, 2), (44100, 1), (48000, 2))
"""Sample rate, Hz, and channels of the clips."""


def write_clips(folder: Path, seconds: float = 0.5) -> list[Path]:
    """Short noisy clips of several rates and shapes, band-limited to 3 kHz so that they can be upscaled."""
    paths = []
    for number, (rate, channels) in enumerate(CLIP_SHAPES):
        coarse = np.random.default_rng(number).uniform(-0.3, 0.3, (round(seconds * 6000), channels))
        times = np.arange(round(seconds * rate)) * 6000 / rate
        columns = [np.interp(times, np.arange(len(coarse)), coarse[:, channel]) for channel in range(channels)]
        paths.append(folder / f"clip{number}.wav")
        soundfile.write(paths[-1], np.stack(columns, axis=1), rate, subtype="PCM_24")
    return paths
