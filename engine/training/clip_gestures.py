"""The curves of training clips: measured once from their waveforms, dropped and made rough at random at every step.

A denoiser must make sounds without curves, with any of them, and with those of a hum, whose range is not the sound's.

Shape letters: K clips, B batch, C curves of a net, H latent rows, T samples.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor

from engine.gesture import CURVES, relative_curves, smooth_curves
from engine.training.workers import Workers

CURVES_FILE = "curves.npy"
_BATCH = 32  # clips that are measured at once
_NONE_SHARE = 0.5  # of clips without any curve
_KEPT_SHARE = 0.5  # of the curves of the others
_WIDTHS = (1, 3, 5, 9, 13)  # rows of 40 ms that medians are taken over
_SCALE, _OFFSET, _NOISE = 0.25, 0.05, 0.03  # deviations: of the scale's logarithm, and in units of the curves


def measure_clips(
    workers: Workers,
    folder: Path,
    shape: tuple[int, int],
    measure: Callable[[NDArray[np.int64]], Tensor],
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """curves.npy float16 [K, 3, H] of the shape (K, H), measured for so many clips as `measure_curves` does it.

    Every process measures its share. The file has its name when it is complete.
    """
    (num_clips, num_rows), partial = shape, folder / f"measuring {CURVES_FILE}"
    if workers.leads:
        open_memmap(partial, "w+", np.float16, (num_clips, len(CURVES), num_rows)).flush()
    workers.wait()
    curves = np.load(partial, mmap_mode="r+")
    for start in range(workers.rank * _BATCH, num_clips, workers.count * _BATCH):
        chosen = np.arange(start, min(start + _BATCH, num_clips))
        curves[chosen] = measure(chosen).numpy().astype(np.float16)
        if on_progress and workers.leads:
            on_progress(int(chosen[-1]) + 1, num_clips)
    curves.flush()
    workers.wait()
    if workers.leads:
        partial.replace(folder / CURVES_FILE)
    workers.wait()


class ClipGestures:
    """The measured curves of a run's clips, for a net that follows those of these names."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.measured: NDArray[np.float16] = np.load(folder / CURVES_FILE, mmap_mode="r")
        self._places = [CURVES.index(name) for name in names]

    def draw(self, chosen: NDArray[np.int64], rows: int, rng: np.random.Generator) -> Tensor:
        """The first rows of these clips' curves as a net is to see them, NaN where it is not to: [B, C, rows]."""
        measured = torch.from_numpy(self.measured[chosen, :, :rows].astype(np.float32))
        return torch.stack([self._draw_one(one, rng) for one in measured])

    def _draw_one(self, measured: Tensor, rng: np.random.Generator) -> Tensor:
        """Measured curves [3, H] -> smoothed, scaled, moved, noisy, some of them or all dropped: [C, H]."""
        smooth = smooth_curves(measured[None], int(rng.choice(_WIDTHS)))
        curves = relative_curves(smooth)[0, self._places]
        count = len(curves)
        top = torch.tensor([[1.0] if CURVES[place] == "loudness" else [0.0] for place in self._places])
        scale, offset = np.exp(_SCALE * rng.standard_normal((count, 1))), _OFFSET * rng.standard_normal((count, 1))
        noise = _NOISE * rng.standard_normal(curves.shape)
        rough = top + (curves - top) * torch.from_numpy(scale) + torch.from_numpy(offset + noise)
        kept = torch.from_numpy(_draw_kept(count, rng))[:, None]
        return torch.where(kept, rough.clamp(-1, 1).float(), math.nan)


def _draw_kept(count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which curves a net sees: none, or at least one, [C]."""
    if rng.random() < _NONE_SHARE:
        return np.zeros(count, bool)
    kept = rng.random(count) < _KEPT_SHARE
    kept[rng.integers(count)] = True
    return kept
