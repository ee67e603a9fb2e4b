"""Records what the shipped model makes on one seed: `python tests/engine/golden/make_nano.py`, after each new training.

nano.npz holds the SHA-256 of the weights and, for each of a few requests, the log-mel of its take in 16 x 16 tiles.
"""

import hashlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engine import Audio, Engine, Generate
from engine.checkpoints.catalogue import WEIGHTS_FILE, find_model
from engine.mel import LogMel, MelConfig

RECORD = Path(__file__).with_name("nano.npz")
TILES = 16
REQUESTS = {  # a second try, made or not by a hair, would be another sound on another machine
    "default": Generate("heavy rain on a tin roof", 5.12, seed=7, tries=1, model_band=True),
    "draft": Generate("a dog barks twice", 5.12, seed=7, draft=True, tries=1, model_band=True),
    "mixture": Generate(
        "footsteps on gravel while the wind howls", seed=8, steps=10, guidance=1.5, tries=1, model_band=True
    ),
}


def weights_hash() -> str:
    """SHA-256 of the shipped weights."""
    return hashlib.sha256((find_model("nano") / WEIGHTS_FILE).read_bytes()).hexdigest()


def tiles_of(take: Audio) -> NDArray[np.float32]:
    """The take's log-mel, means over 16 x 16 tiles."""
    log_mel = LogMel(MelConfig())(torch.from_numpy(np.asarray(take.samples, np.float32)))[0, 0]
    frames = len(log_mel) // TILES * TILES
    return log_mel[:frames].unflatten(0, (TILES, -1)).unflatten(2, (TILES, -1)).mean((1, 3)).numpy()


def record(path: Path = RECORD) -> None:
    engine = Engine.load("nano", "cpu")
    tiles = {name: tiles_of(engine.run(request)[0]) for name, request in REQUESTS.items()}
    np.savez(path, weights=np.array(weights_hash()), **tiles)


if __name__ == "__main__":
    record()
