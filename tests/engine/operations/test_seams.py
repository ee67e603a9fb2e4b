"""No seam by measurement: where windows meet, the shipped model's sounds change no more than anywhere else."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from engine import Audio, Engine, Generate, Restyle
from engine.operations.windows import lay_windows

SECONDS, STEPS, STRENGTH = 20.48, 20, 0.6
FRAMES = 4  # of the log-mel, a latent row
MARGIN = 3  # frames on either side of an overlap that still hear it

pytestmark = pytest.mark.slow


def sounds(engine: Engine) -> list[tuple[np.ndarray, int]]:
    """Samples [1, T] of each sound, and the steps that it took; structure would make the restyle's more."""
    noise = np.random.default_rng(0).standard_normal((1, round(SECONDS * 16_000)), dtype=np.float32)
    clip = Audio(noise * np.float32(0.1), 16_000)
    words = ["rain", "wind", "engine", "applause", "drone", "crickets"]
    made = [(engine.run(Generate(word, seconds=SECONDS, steps=STEPS))[0].samples, STEPS) for word in words]
    restyled = engine.run(Restyle(clip, "fire", strength=STRENGTH, structure=0, steps=STEPS))[0].samples
    return [*made, (restyled, round(STRENGTH * STEPS))]


def changes(log_mel: np.ndarray) -> dict[str, np.ndarray]:
    """Log-mel [N, M] -> change from frame to frame, and in level from 40 ms to 40 ms, in dB: [N - 1] each."""
    power = np.concatenate([[0], np.exp(2 * log_mel).sum(axis=1).cumsum()])
    level = 10 * np.log10(np.maximum(power[4:] - power[:-4], 1e-12))  # of frames i to i + 3
    jumps = np.full(len(log_mel) - 1, np.nan)
    jumps[3:-3] = np.abs(level[4:] - level[:-4])
    return {"spectrum": np.abs(np.diff(log_mel, axis=0)).mean(axis=1), "level": jumps}


def test_where_windows_meet_nothing_changes_more_than_elsewhere() -> None:
    """In units of each sound's median change elsewhere: the median is at most 1.1, the 95th percentile within a tenth.

    Both the borders of the last step's windows and the vocoder's joins.
    """
    engine = Engine.load("nano", "cpu")
    model = engine._loaded()
    laid = lay_windows(model.rows_for(round(SECONDS * 16_000)), model.config.window_rows, model.row_multiple)
    made = sounds(engine)
    for place in ("last step", "vocoder"):
        at_borders: dict[str, list[np.ndarray]] = {"spectrum": [], "level": []}
        elsewhere: dict[str, list[np.ndarray]] = {"spectrum": [], "level": []}
        for samples, steps in made:
            log_mel = model.log_mel(torch.from_numpy(samples))[0, 0].numpy()
            near = np.zeros(len(log_mel) - 1, np.bool_)
            for before, after in pairwise(laid.moved(steps - 1) if place == "last step" else laid):
                near[after[0] * FRAMES - MARGIN : before[1] * FRAMES + MARGIN] = True
            for kind, change in changes(log_mel).items():
                counts = np.isfinite(change)
                usual = np.median(change[counts & ~near])
                at_borders[kind].append(change[counts & near] / usual)
                elsewhere[kind].append(change[counts & ~near] / usual)
        for kind, each in at_borders.items():
            here, there = np.concatenate(each), np.concatenate(elsewhere[kind])
            assert np.median(here) <= 1.1, (place, kind)
            assert np.percentile(here, 95) <= 1.1 * np.percentile(there, 95), (place, kind)
