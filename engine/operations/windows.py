"""Sounds of any length: overlapping windows of latent rows, blended so smoothly that no seam is left.

While denoising, every step blends the predictions of all windows (MultiDiffusion, Bar-Tal et al. 2023); the VAE and the
vocoder run over the same windows, so memory does not grow with length beyond the arrays themselves.
Shape letters: B batch, K windows, Z latent channels, H latent rows, W latent columns, N mel frames, M mel bins.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.audioldm import AudioLDM
from engine.diffusion.guidance import Denoise, Denoised
from engine.operations.splice import correlation, crossfade
from engine.wav_writer import Samples

OVERLAP = 0.25  # of a window, at least
STRETCH = 1.25  # windows; up to here a sound is done in one piece
AT_ONCE = {"cpu": 1}  # windows per call of the net; one on the processor, so that no take depends on its batch
AT_ONCE_ON_GPU = 16
FADE_ROWS = 4  # latent rows over which the vocoder's windows are crossfaded, 0.16 s at the published sizes

Check = Callable[[], None]  # raises CancelledError when the request should stop


@dataclass(frozen=True)
class Windows:
    """Where windows of `length` rows begin over `rows` latent rows; the first is flush left, the last flush right."""

    rows: int
    length: int
    starts: tuple[int, ...]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """(first row, the one after the last) of each window."""
        return ((start, start + self.length) for start in self.starts)


def lay_windows(rows: int, window_rows: int, multiple: int) -> Windows:
    """Evenly spread windows that begin at multiples of `multiple`, each overlapping the next by a quarter or more."""
    if rows <= STRETCH * window_rows:
        return Windows(rows, rows, (0,))
    hop = math.floor(window_rows * (1 - OVERLAP) / multiple) * multiple
    count = math.ceil((rows - window_rows) / hop) + 1
    last = (rows - window_rows) / multiple
    return Windows(rows, window_rows, tuple(round(last * k / (count - 1)) * multiple for k in range(count)))


def blend(windows: Windows, pieces: Iterable[Tensor], dim: int) -> Tensor:
    """One piece a window, in order -> the whole; `dim` is the axis of time, in any number of cells a row.

    The weights are sin² hills, divided by their sum: what all windows agree on stays as it is.
    """
    if len(windows.starts) == 1:
        (piece,) = pieces
        return piece
    whole = total = torch.empty(0)
    for (start, end), piece in zip(windows, pieces, strict=True):
        per_row = piece.shape[dim] // windows.length
        hill = _hill(piece.shape[dim], piece.dim() - dim - 1).to(piece)
        if start == 0:
            whole = piece.new_zeros(*piece.shape[:dim], windows.rows * per_row, *piece.shape[dim + 1 :])
            total = hill.new_zeros(windows.rows * per_row, *hill.shape[1:])
        whole.narrow(dim, start * per_row, (end - start) * per_row).add_(piece * hill)
        total.narrow(0, start * per_row, (end - start) * per_row).add_(hill)
    return whole / total


def _hill(size: int, trailing_dims: int) -> Tensor:
    """sin² over `size` cells, nowhere zero, with so many axes of one cell behind it."""
    cells = (torch.arange(size) + 0.5) * (torch.pi / size)
    return torch.sin(cells).square().view(-1, *[1] * trailing_dims)


def over_windows(denoise: Denoise, windows: Windows, dtype: torch.dtype, check: Check) -> Denoise:
    """The same denoiser for latents [B, Z, H, W] with H = windows.rows, float32 outside and `dtype` inside the net."""

    def denoise_all(x: Tensor, t: int) -> Denoised:
        pieces = torch.cat([x[:, :, start:end] for start, end in windows])  # [K·B, Z, length, W]
        at_once = AT_ONCE.get(x.device.type, AT_ONCE_ON_GPU)
        done: list[Denoised] = []
        for first in range(0, len(pieces), at_once):
            check()
            done.append(denoise(pieces[first : first + at_once].to(dtype), t))
        readings = (torch.cat(reading).float().chunk(len(windows.starts)) for reading in zip(*done, strict=True))
        return Denoised(*(blend(windows, reading, dim=2) for reading in readings))

    return denoise_all


def encode_long(model: AudioLDM, waveform: Tensor, windows: Windows, check: Check) -> Tensor:
    """Waveform [B, T] -> latent [B, Z, H, W], float32, with H = windows.rows; silence fills what T lacks."""
    unit = model.samples_per_row
    padded = torch.nn.functional.pad(waveform, (0, windows.rows * unit - waveform.shape[1]))

    def pieces() -> Iterator[Tensor]:
        for start, end in windows:
            check()
            yield model.encode(padded[:, start * unit : end * unit]).float()

    return blend(windows, pieces(), dim=2)


def decode_long(model: AudioLDM, latent: Tensor, windows: Windows, check: Check) -> Tensor:
    """Latent [B, Z, H, W] -> log-mel [B, 1, N, M], float32."""

    def pieces() -> Iterator[Tensor]:
        for start, end in windows:
            check()
            yield model.decode(latent[:, :, start:end].to(model.dtype)).float()

    return blend(windows, pieces(), dim=2)


def vocode_long(
    model: AudioLDM, log_mel: Tensor, windows: Windows, seeded: Callable[[], torch.Generator], check: Check
) -> Samples:
    """Log-mel [1, 1, N, M] -> waveform [1, H · samples_per_row]; each window starts from a generator seeded alike.

    Phases of neighbouring windows need not agree: in the middle of the overlap they are crossfaded at constant power,
    and a window that would cancel its neighbour is turned upside down, which nobody hears.
    """
    frames, unit = log_mel.shape[2] // windows.rows, model.samples_per_row
    waveform = np.zeros((1, windows.rows * unit), np.float32)
    reached = 0  # samples made so far
    for start, end in windows:
        check()
        piece = model.vocode(log_mel[:, :, start * frames : end * frames].to(model.dtype), seeded()).cpu().numpy()
        offset, skipped = start * unit, 0
        if reached:
            middle, half = (offset + reached) // 2, FADE_ROWS * unit // 2
            skipped = middle - half - offset
            before, after = waveform[:, middle - half : middle + half], piece[:, skipped : skipped + 2 * half]
            if correlation(before, after) < 0:
                np.negative(piece, out=piece)
            after[:] = crossfade(before, after)
        waveform[:, offset + skipped : offset + piece.shape[1]] = piece[:, skipped:]
        reached = offset + piece.shape[1]
    return waveform
