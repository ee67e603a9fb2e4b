"""Every operation once, as a user's shell has it: `retake-send`, a real daemon, the shipped model, a real clip.

The quick one of the two end-to-end files; `test_main_job.py` (slow) looks at each result in depth.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[2]
CLIP = ROOT / "tests" / "clips" / "footfalls.wav"
PATIENCE_S = 120.0

Send = Callable[..., list[str]]


@pytest.fixture(scope="module")
def send(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Send]:
    """Run `retake-send`, and return the lines that it prints; the first call starts the daemon."""
    state = tmp_path_factory.mktemp("state")
    folders = {"RETAKE_STATE_DIR": str(state), "XDG_CONFIG_HOME": str(state / "config")}

    def send(*words: str) -> list[str]:
        command = [sys.executable, "-m", "bridge", "send", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | folders, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    send("status", "--start")
    yield send
    send("quit")


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("generate", ["a dog barks", "seconds", "1.5"]),
        ("restyle", [str(CLIP), "heavy rain"]),
        ("inpaint", [str(CLIP), "glass breaking", "0.5", "1.25"]),
        ("vary", [str(CLIP)]),
        ("upscale", [str(CLIP), "cutoff_hz", "4000"]),
    ],
    ids=["generate", "restyle", "inpaint", "vary", "upscale"],
)
def test_makes_a_take(send: Send, tmp_path: Path, operation: str, words: list[str]) -> None:
    (line,) = send(operation, *words, "seed", "7", "--output-dir", str(tmp_path))
    take = Path(line.removeprefix("wrote "))
    story = json.loads(take.with_suffix(".json").read_text(encoding="utf-8"))
    samples, rate = soundfile.read(take, always_2d=True)

    assert sorted(tmp_path.iterdir()) == sorted([take, take.with_suffix(".json")])
    assert (story["operation"], story["seed"], story["model"]) == (operation, 7, "nano")
    if operation == "generate":
        assert (rate, samples.shape) == (48_000, (72_000, 1))
    else:
        clip, clip_rate = soundfile.read(CLIP, always_2d=True)
        assert (rate, samples.shape) == (clip_rate, clip.shape)
        assert np.any(samples != clip)
    assert np.abs(samples).max() > 0.001
