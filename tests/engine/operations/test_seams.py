"""No seam by measurement: where windows meet, the shipped model's sounds change no more than anywhere else."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from engine import Audio, Engine, Generate, Restyle
from engine.operations.windows import lay_windows

SECONDS, STEPS, STRENGTH = 20.48, 20, 0.6
SEEDS = (1, 2)  # a sound has three borders: one take of each kind would be chance
FRAMES = 4  # of the log-mel, a latent row
SHIFT = 61  # frames from one place that is compared to the next
MARGIN = 3  # frames on either side of an overlap that still hear it

pytestmark = pytest.mark.slow


def sounds(engine: Engine) -> list[tuple[np.ndarray, int]]:
    """Samples [1, T] of each sound, and the steps that it took; structure would make the restyle's more."""
    noise = np.random.default_rng(0).standard_normal((1, round(SECONDS * 16_000)), dtype=np.float32)
    clip = Audio(noise * np.float32(0.1), 16_000)
    words = ["rain", "wind", "engine", "applause", "drone", "crickets"]
    asked = [Generate(word, seconds=SECONDS, steps=STEPS, seed=seed) for seed in SEEDS for word in words]
    made = [(engine.run(request)[0].samples, STEPS) for request in asked]
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
    """Median and 95th percentile, in units of each sound's own median change, beside those of 24 other places.

    Both the borders of the last step's windows and the vocoder's joins. Sounds have events, and a few borders meet more
    of them than others do: so the borders may not stand out from the places that are not borders.
    """
    engine = Engine.load("nano", "cpu")
    model = engine._loaded()
    laid = lay_windows(model.rows_for(round(SECONDS * 16_000)), model.config.window_rows, model.row_multiple)
    made = [
        (changes(model.log_mel(torch.from_numpy(samples))[0, 0].numpy()), steps) for samples, steps in sounds(engine)
    ]
    for place in ("last step", "vocoder"):
        masks = []
        for change, steps in made:
            near = np.zeros(len(change["level"]), np.bool_)
            for before, after in pairwise(laid.moved(steps - 1) if place == "last step" else laid):
                near[after[0] * FRAMES - MARGIN : before[1] * FRAMES + MARGIN] = True
            masks.append(near)
        for kind in ("spectrum", "level"):
            found = [change[kind] / np.nanmedian(change[kind]) for change, _ in made]
            here, *there = (
                [np.nanpercentile(at_masks(found, masks, shift), share) for share in (50, 95)]
                for shift in (0, *range(SHIFT, 25 * SHIFT, SHIFT))
            )
            assert (np.array(here) <= 1.05 * np.max(there, axis=0)).all(), (place, kind, here, there)


def at_masks(found: list[np.ndarray], masks: list[np.ndarray], shift: int) -> np.ndarray:
    """The changes of all sounds where their masks are, moved by `shift` frames around the end."""
    return np.concatenate([change[np.roll(mask, shift)] for change, mask in zip(found, masks, strict=True)])
