"""A studio for tests: a session in a real Ardour, our scripts as they are installed, and the real daemon with nano."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.e2e.ardour.ardour_config import seed_config
from tests.e2e.ardour.ardour_host import Ardour, running, wait_for
from tests.e2e.ardour.ardour_session import RATE, Clip, make_session

ROOT = Path(__file__).parents[3]
PICTURES = ROOT / ".ci" / "artifacts" / "ardour"
TOOLS = ("ardour", "ardour7-lua", "Xvfb", "xdotool", "import")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
SEND = (sys.executable, "-m", "bridge.clients.send")
ACTIONS = ("restyle", "generate", "inpaint", "again", "cancel", "vary", "settings")
"""In the order of their places in Ardour's menu."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests where Ardour and a virtual screen are installed; `.ci/run` installs them."""
    if MISSING:
        for item in items:
            if Path(item.fspath).parent == Path(__file__).parent:
                item.add_marker(pytest.mark.skip(reason=f"not installed: {', '.join(MISSING)}"))


class Studio:
    """What a test may use: Ardour, the folder of its session, and the clips that lie in it."""

    def __init__(self, folder: Path, pictures: Path, *, with_collector: bool) -> None:
        self.config = folder / "config"
        self.environment = self._environment(folder)
        (folder / "home").mkdir()
        self.clips = _make_clips(folder)
        (self.config / "ardour7").mkdir(parents=True)  # as Ardour's first start leaves it
        hooks = [Path(__file__).with_name("driver_hook.lua")]
        self._run(sys.executable, "-m", "bridge", "install-scripts", "ardour", "--path", str(self.config / "ardour7"))
        self.scripts = self.config / "ardour7" / "scripts"
        hooks += [self.scripts / "retake_collector.lua"] if with_collector else []
        seed_config(self.config, [self.scripts / f"retake_{name}.lua" for name in ACTIONS], hooks)
        self.session = make_session(folder / "song", list(self.clips.values()), self.environment)
        self.takes = self.session.parent / "retake" / "takes"
        self.pending = self.session.parent / "retake" / "pending.json"
        self.ardour = Ardour(folder, self.session, self.environment, pictures)

    @staticmethod
    def _environment(folder: Path) -> dict[str, str]:
        own = {name: str(folder / word) for name, word in (("HOME", "home"), ("XDG_CONFIG_HOME", "config"))}
        own |= {"XDG_CACHE_HOME": str(folder / "cache"), "XDG_DATA_HOME": str(folder / "data"), "LC_ALL": "C.UTF-8"}
        own |= {"RETAKE_STATE_DIR": str(folder / "state"), "ARDOUR_TRY_AUTOSTART_ENGINE": "1", "OMP_NUM_THREADS": "1"}
        path = [it for it in os.environ["PATH"].split(os.pathsep) if not (Path(it) / "retake-send").exists()]
        return {**os.environ, **own, "PATH": os.pathsep.join(path)}

    def _run(self, *command: str) -> None:
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def daemon(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "bridge", "daemon", "--port", "0", "--model", "nano"]
        daemon = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL)
        wait_for((Path(self.environment["RETAKE_STATE_DIR"]) / "runtime.json").exists, "the daemon is there")
        return daemon

    def act(self, name: str) -> None:
        self.ardour.act(f"LuaAction/script-{ACTIONS.index(name) + 1}")

    def restyle(self, prompt: str, *, candidates: int = 1) -> None:
        """Fill in the dialog of Restyle as a user does, and press OK."""
        self.act("restyle")
        window = self.ardour.dialog("Retake: Restyle")
        self.ardour.type(window, prompt)
        self.ardour.press(window, "Tab", "Tab")
        self.ardour.type(window, str(candidates))
        self.ardour.picture("restyle-dialog")
        self.ardour.close(window, "alt+o")
        wait_for(lambda: self.settings("restyle") == (prompt, candidates), f"the dialog says {prompt}, {candidates}")

    @contextlib.contextmanager
    def busy_daemon(self) -> Iterator[None]:
        """Have the daemon work on something else meanwhile, so that no take comes too early for a test."""
        reply = self.session.parent / f"front-{uuid.uuid4()}.json"
        words = ["generate", "wind", "seconds", "10", "candidates", "16", "reply", str(reply)]
        self._run(*SEND, *words, "--job", reply.stem, "--output-dir", str(reply.parent), "--no-wait")
        wait_for(lambda: reply.exists() and '"running"' in reply.read_text(encoding="utf-8"), "the daemon is busy")
        try:
            yield
        finally:
            self._run(*SEND, "cancel", reply.stem)

    def remember(self, kind: str, **values: object) -> None:
        """Fill in a dialog beforehand."""
        file = self.config / "ardour7" / "retake-settings.json"
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        file.write_text(json.dumps(known | {kind: known.get(kind, {}) | values}), encoding="utf-8")

    def settings(self, kind: str) -> tuple[str, int] | None:
        """Read what our scripts remember of a dialog."""
        file = self.config / "ardour7" / "retake-settings.json"
        values = json.loads(file.read_text(encoding="utf-8")).get(kind) if file.exists() else None
        return values and (values["prompt"], values["candidates"])


def _make_clips(folder: Path) -> dict[str, Clip]:
    """Put a stereo clip and a mono one on a track each, both cut and away from the start."""
    clips = {}
    for track, name in ((1, "footfalls"), (2, "speech")):
        samples, _ = soundfile.read(ROOT / "tests" / "clips" / f"{name}.wav", dtype="float32")
        soundfile.write(folder / f"{name}.wav", np.asarray(samples[: 3 * RATE]), RATE, subtype="FLOAT")
        length = min(len(samples), 3 * RATE) - 12_000 - 1
        position = 108_007 if track == 1 else 408_001  # never at the same time: a mix tells each of them
        clips[name] = Clip(folder / f"{name}.wav", track, position, 12_000, length)
    return clips


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Studio]:
    assert not MISSING
    name = request.module.__name__.rpartition(".")[2]
    with_collector = getattr(request.module, "WITH_COLLECTOR", False)
    studio = Studio(tmp_path_factory.mktemp("studio"), PICTURES / name, with_collector=with_collector)
    with studio.daemon() as daemon:
        try:
            with running(studio.ardour):
                yield studio
        finally:
            daemon.terminate()
            assert daemon.wait(60) == 0


@pytest.fixture(autouse=True)
def clean(studio: Studio, request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test begins with the two clips alone on their tracks; what the screen showed at its end is kept."""
    before = studio.ardour.regions()
    yield
    studio.ardour.picture(request.node.name)
    for _ in range(10):
        if studio.ardour.regions() == before:
            return
        studio.ardour.undo()
    raise AssertionError(studio.ardour.regions())
