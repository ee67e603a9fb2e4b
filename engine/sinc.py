"""Resampling by a short windowed sinc: how the published models, and those who measure them, change rates.

Audio elsewhere goes through soxr, whose filters are as long as they need to be. This one is short and lets images
through (-80 dB and more above the old band), but nets that were trained on sounds with these images expect them.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

LOBES = 6  # zero crossings of the sinc on either side
ROLLOFF = 0.99  # of the lower Nyquist frequency: where the low-pass begins


def resample_by_sinc(waveform: Tensor, from_rate: int, to_rate: int) -> Tensor:
    """Waveform [B, T] -> [B, ceil(T · to_rate / from_rate)], float32: torchaudio's defaults, number for number.

    Band-limited interpolation (Smith, "Digital Audio Resampling") with a sinc of six lobes under a Hann window; each
    of the `to_rate / gcd` phases of the output is a filter of its own.
    """
    common = math.gcd(from_rate, to_rate)
    old, new = from_rate // common, to_rate // common
    waveform = waveform.float()
    if old == new:
        return waveform
    filters, reach = _phases(old, new)
    padded = F.pad(waveform[:, None], (reach, reach + old))
    made = F.conv1d(padded, filters.to(waveform.device), stride=old)  # [B, new, frames]
    return made.transpose(1, 2).flatten(1)[:, : math.ceil(new * waveform.shape[1] / old)]


def _phases(old: int, new: int) -> tuple[Tensor, int]:
    """Filters [new, 1, taps] and how many samples before its own place each begins; rates without a common factor."""
    cutoff = ROLLOFF * min(old, new)
    reach = math.ceil(LOBES * old / cutoff)
    places = torch.arange(-reach, reach + old, dtype=torch.float64) / old  # of the taps, in units of 1 / common
    delays = torch.arange(0, -new, -1, dtype=torch.float64)[:, None] / new
    x = ((places + delays) * cutoff).clamp(-LOBES, LOBES)
    window = torch.cos(x * (math.pi / LOBES / 2)).square()
    filters: Tensor = torch.sinc(x) * window * (cutoff / old)
    return filters.float()[:, None], reach
