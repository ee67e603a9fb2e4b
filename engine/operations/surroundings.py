"""What surrounds a region of a clip: the sound on either side of it, and the constant offset that it rests on.

Shape letters: C channels, T samples.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from engine.requests.regions import Region
from engine.wav_writer import Samples

REACH_S = 0.5  # seconds on either side
SHORTEST_S = 0.02  # seconds; a shorter side is not representative


def beside(
    samples: Samples, region: Region, sample_rate: int, others: Iterable[Region] = ()
) -> tuple[Samples, Samples]:
    """Half a second of samples [C, T] before and after a region, where no other region is: [C, t] each."""
    start, end = region
    reach = round(REACH_S * sample_rate)
    first, last = max(0, start - reach), min(samples.shape[1], end + reach)
    stays = np.ones(last - first, np.bool_)
    for other_start, other_end in (region, *others):
        stays[max(0, other_start - first) : max(0, other_end - first)] = False
    before, after = stays[: start - first], stays[end - first :]
    return samples[:, first:start][:, before], samples[:, end:last][:, after]


def offset_line(sides: Sequence[Samples], own: Samples, sample_rate: int) -> Samples:
    """The offset of a region: straight from that of the side before it to that of the side after, [C, t] or [C, 1].

    At a clip's start or end it is the one side's; without any side it is the region's own, as it was.
    """
    offsets = [_offset(side) for side in sides if side.shape[1] >= SHORTEST_S * sample_rate]
    ramp = (np.arange(own.shape[1]) + 0.5) / own.shape[1]
    line = (
        offsets[0] + (offsets[-1] - offsets[0]) * ramp if offsets else own.mean(axis=1, keepdims=True, dtype=np.float64)
    )
    offset: Samples = line.astype(own.dtype)
    return offset


def _offset(side: Samples) -> Samples:
    """A mean under a bell, which low notes leave alone, [C, 1]."""
    bell = np.hanning(side.shape[1] + 2)[1:-1]
    mean: Samples = (side @ bell / bell.sum())[:, None]
    return mean
