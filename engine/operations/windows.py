"""Sounds of any length: windows of latent rows that move from step to step, so that no border stays anywhere.

Within a step neighbouring windows overlap by a sixteenth only, over which their predictions are crossfaded; from step
to step all borders move on by the golden ratio of the distance between two (SpotDiffusion, Frolov et al. 2024; the
overlap is MultiDiffusion's, Bar-Tal et al. 2023). A second of sound costs nearly the same at every length.

Measured on nano, 9 sounds of 20 s (6 generated, 3 restyled), rows in the last step's overlaps against all other rows of
the same sounds, the median of three differences: from mel frame to mel frame, from 40 ms to 40 ms in level, from half
second to half second in the mean log-mel; then the last one's 95th percentiles, the mean CLAP score and the cost.

    windows                                 frame  level  half s   p95 half s     CLAP   rows computed a row
    one window (where borders would be)      0.96   0.93    0.97   1.99 / 2.05   0.650   1.00
    fixed, overlap 1/4                       0.99   0.97    1.27   2.43 / 2.07   0.672   1.25, up to 1.37
    fixed, overlap 1/16                      0.96   1.04    1.76   3.96 / 2.19   0.678   1.06
    every other step half a window on        0.96   1.14    1.28   4.34 / 2.20   0.686   1.07
    golden, overlap 1/32                     0.99   1.20    1.13   2.12 / 2.17   0.682   1.04
    golden, overlap 1/16                     1.02   1.08    1.09   2.11 / 2.20   0.683   1.08

Shape letters: B batch, Z latent channels, H latent rows, W latent columns.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, groupby

import torch
from torch import Tensor

from engine.device import release_cached_memory
from engine.diffusion.guidance import Denoise, Denoised, DenoiseFollowing

OVERLAP = 1 / 16  # of a window
LONGEST_ALONE = 1.25  # windows; up to this length a sound is one window
SHORTEST = (
    1 / 8
)  # of the distance between borders; what a moved border would leave at an end is joined to its neighbour
GOLDEN = (math.sqrt(5) - 1) / 2  # multiples of it, modulo 1, keep apart from each other as far as any numbers can
AT_ONCE = {"cpu": 1}  # windows per call of the net; one on the processor, so that no take depends on its batch
AT_ONCE_ON_GPU = 16

CancelCheck = Callable[[], None]  # raises CancelledError when the request should stop


@dataclass(frozen=True)
class Windows:
    """Windows over `rows` latent rows: the first flush left, the last flush right, neighbours overlap by `overlap`."""

    rows: int
    longest: int  # rows that the model was trained on
    multiple: int  # of which windows begin and end
    starts: tuple[int, ...]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """(first row, the one after the last) of each window."""
        ends = [start + self.overlap for start in self.starts[1:]]
        return zip(self.starts, [*ends, self.rows], strict=True)

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def overlap(self) -> int:
        """Rows that two neighbours share."""
        return _overlap(self.longest, self.multiple)

    def moved(self, step: int) -> "Windows":
        """Return the windows as they are placed at a step; at step 0 unmoved."""
        return lay_windows(self.rows, self.longest, self.multiple, step * GOLDEN % 1)


def lay_windows(rows: int, window_rows: int, multiple: int, shift: float = 0.0) -> Windows:
    """As few windows as possible, evenly spread; `shift` moves their borders by that share of their distance."""
    if rows <= LONGEST_ALONE * window_rows:
        return Windows(rows, window_rows, multiple, (0,))
    own = rows - _overlap(window_rows, multiple)
    num = math.ceil(own / (window_rows - _overlap(window_rows, multiple)))
    places = [k + shift for k in range(num) if SHORTEST <= k + shift <= num - SHORTEST]
    borders = (round(own / num * place / multiple) * multiple for place in places)
    return Windows(rows, window_rows, multiple, (0, *borders))


def _overlap(window_rows: int, multiple: int) -> int:
    return math.ceil(OVERLAP * window_rows / multiple) * multiple


def blend(windows: Windows, contents: Iterable[Tensor], dim: int) -> Tensor:
    """What each window holds, in order -> the whole; `dim` is the axis of time, in any number of cells a row.

    In the overlaps sin² rises while cos² falls: what both windows agree on stays as it is.
    """
    if len(windows) == 1:
        (content,) = contents
        return content
    whole = torch.empty(0)
    for (start, end), content in zip(windows, contents, strict=True):
        per_row = content.shape[dim] // (end - start)
        ramp = _ramp(windows.overlap * per_row, content.dim() - dim - 1).to(content)
        if start == 0:
            whole = content.new_zeros(*content.shape[:dim], windows.rows * per_row, *content.shape[dim + 1 :])
        faded = content.clone()
        if start > 0:
            faded.narrow(dim, 0, len(ramp)).mul_(ramp)
        if end < windows.rows:
            faded.narrow(dim, content.shape[dim] - len(ramp), len(ramp)).mul_(1 - ramp)
        whole.narrow(dim, start * per_row, content.shape[dim]).add_(faded)
    return whole


def _ramp(size: int, trailing_dims: int) -> Tensor:
    """Return sin² from 0 to 1 over `size` cells, reaching neither, with `trailing` axes of size 1 appended."""
    cells = (torch.arange(size) + 0.5) * (torch.pi / 2 / size)
    return torch.sin(cells).square().view(-1, *[1] * trailing_dims)


def over_windows(
    denoise: DenoiseFollowing, windows: Windows, check: CancelCheck, curves: Tensor | None = None
) -> Denoise:
    """The same denoiser for latents [B, Z, H, W] with H = windows.rows, following curves [B, C, H] where given.

    The windows move with every call.
    """
    steps = count()

    def denoise_all(x: Tensor, time: float) -> Denoised:
        moved = windows.moved(next(steps))
        done: list[Denoised] = []
        for _, group in groupby(moved, key=lambda window: window[1] - window[0]):
            alike = list(group)
            contents = torch.cat([x[:, :, start:end] for start, end in alike])
            followed = None if curves is None else torch.cat([curves[:, :, start:end] for start, end in alike])
            x0, eps = in_batches(denoise, contents, time, check, curves=followed)
            done += map(Denoised, x0.chunk(len(alike)), eps.chunk(len(alike)))
        return Denoised(*(blend(moved, reading, dim=2) for reading in zip(*done, strict=True)))

    return denoise_all


def in_batches(
    denoise: DenoiseFollowing,
    contents: Tensor,
    time: float,
    check: CancelCheck,
    at_once: int | None = None,
    curves: Tensor | None = None,
) -> Denoised:
    """Contents of windows [B, ...] -> denoised, in batches that fit the device, smaller if memory runs out.

    Where there are curves [B, ...], each batch comes with its own.
    """
    at_once = at_once or AT_ONCE.get(contents.device.type, AT_ONCE_ON_GPU)
    done: list[Denoised] = []
    left = contents
    while len(left):
        check()
        try:
            first = len(contents) - len(left)
            given = () if curves is None else (curves[first : first + at_once],)
            done.append(denoise(left[:at_once], time, *given))
        except torch.OutOfMemoryError:
            if at_once == 1:
                raise
            at_once //= 2
            release_cached_memory(contents.device)
            continue
        left = left[at_once:]
    return Denoised(*(torch.cat(reading) for reading in zip(*done, strict=True)))
