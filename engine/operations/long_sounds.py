"""Front end, autoencoder and vocoder over sounds of any length, window by window: memory does not grow with length.

Nets with a limited receptive field are joined exactly: front end and HiFi-GAN return what they would for the whole.
The autoencoder (its norms and attention see all rows) and Griffin-Lim (its phases are random) are crossfaded where
windows overlap.
Shape letters: B batch, T samples, Z latent channels, H latent rows, W latent columns, N mel frames, M mel bins.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.audioldm import AudioLDM
from engine.operations.splice import correlation, crossfade
from engine.operations.windows import CancelCheck, Windows, blend
from engine.wav_writer import Samples

Seeded = Callable[[], torch.Generator]


def log_mel_long(model: AudioLDM, waveform: Tensor, windows: Windows, check: CancelCheck) -> Tensor:
    """Waveform [B, T] -> log-mel [B, 1, N, M], float32, exactly as if computed at once; T is padded with silence."""
    unit, frames = model.samples_per_row, model.config.vae.stride
    context = math.ceil(model.log_mel.pad / unit)
    contents = []
    for start, end in _tiles(windows):
        check()
        first, last = max(0, start - context), min(windows.rows, end + context)
        content = waveform[:, first * unit : last * unit].to(model.device)
        log_mel = model.log_mel(F.pad(content, (0, (last - first) * unit - content.shape[1]))).float()
        contents.append(log_mel[:, :, (start - first) * frames : (end - first) * frames])
    return torch.cat(contents, dim=2)


def encode_long(model: AudioLDM, waveform: Tensor, windows: Windows, check: CancelCheck) -> Tensor:
    """Waveform [B, T] -> latent [B, Z, H, W], float32, with H = windows.rows; silence fills what T lacks."""
    frames, log_mel = model.config.vae.stride, log_mel_long(model, waveform, windows, check)

    def contents() -> Iterator[Tensor]:
        for start, end in windows:
            check()
            yield model.encode(log_mel[:, :, start * frames : end * frames])

    return blend(windows, contents(), dim=2)


def decode_long(model: AudioLDM, latent: Tensor, windows: Windows, check: CancelCheck) -> Tensor:
    """Latent [B, Z, H, W] -> log-mel [B, 1, N, M], float32."""

    def contents() -> Iterator[Tensor]:
        for start, end in windows:
            check()
            yield model.decode(latent[:, :, start:end])

    return blend(windows, contents(), dim=2)


def vocode_long(model: AudioLDM, log_mel: Tensor, windows: Windows, seeded: Seeded, check: CancelCheck) -> Samples:
    """Log-mel [1, 1, N, M] -> waveform [1, H · samples_per_row]; each window starts from a generator seeded alike."""
    if model.vocoder.reach is None:
        return _vocode_crossfaded(model, log_mel, windows, seeded, check)
    hop, frames = model.config.mel.hop, log_mel.shape[2] // windows.rows
    waveform = np.empty((1, log_mel.shape[2] * hop), np.float32)
    for start, end in ((first * frames, last * frames) for first, last in _tiles(windows)):
        check()
        first = max(0, start - model.vocoder.reach)
        seen = log_mel[:, :, first : end + model.vocoder.reach]
        made = model.vocode(seen, seeded())[:, (start - first) * hop : (end - first) * hop]
        waveform[:, start * hop : end * hop] = made.cpu().numpy()
    return waveform


def _vocode_crossfaded(
    model: AudioLDM, log_mel: Tensor, windows: Windows, seeded: Seeded, check: CancelCheck
) -> Samples:
    """Phases of neighbouring windows need not agree: in the overlap's middle half they are faded at constant power.

    A window that would cancel its neighbour is turned upside down, which is inaudible.
    """
    frames, unit = log_mel.shape[2] // windows.rows, model.samples_per_row
    waveform = np.zeros((1, windows.rows * unit), np.float32)
    skipped, faded = windows.overlap * unit // 4, windows.overlap * unit // 2
    for start, end in windows:
        check()
        content = model.vocode(log_mel[:, :, start * frames : end * frames], seeded()).cpu().numpy()
        offset = start * unit
        if start > 0:
            offset, content = offset + skipped, content[:, skipped:]
            before, after = waveform[:, offset : offset + faded], content[:, :faded]
            if correlation(before, after) < 0:
                np.negative(content, out=content)
            after[:] = crossfade(before, after)
        waveform[:, offset : end * unit] = content
    return waveform


def _tiles(windows: Windows) -> list[tuple[int, int]]:
    """All rows in windows of even length that touch without overlap, none longer than the model's."""
    num = len(windows)
    borders = [windows.rows * k // num for k in range(num + 1)]
    return list(pairwise(borders))
