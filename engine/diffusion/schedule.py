"""A schedule: at which times of a path the denoiser is asked, on the way from noise to a clean latent."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.diffusion.path import CLEAN, NoiseLevel, NoisePath, VariancePreserving


class SamplingStep(NamedTuple):
    """From one level to the next."""

    time: float  # as the net is told it
    now: NoiseLevel
    after: NoiseLevel
    is_last: bool


@dataclass(frozen=True)
class NoiseSchedule:
    """Times in the order in which they are met, and the levels there; one level more, at which the way ends."""

    times: tuple[float, ...]
    levels: tuple[NoiseLevel, ...]

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[SamplingStep]:
        for index, time in enumerate(self.times):
            yield SamplingStep(time, self.levels[index], self.levels[index + 1], is_last=index == len(self) - 1)


def lay_schedule(path: NoisePath, times: Sequence[float]) -> NoiseSchedule:
    """The schedule at these times of a path, each noisier than the next.

    It ends at the clean signal; at time 0 where the times are the reference's own, which end at 1 (Song et al. 2021).
    """
    end = path.level(0) if times[-1] == 1 else CLEAN
    return NoiseSchedule(tuple(times), (*map(path.level, times), end))


def timesteps_for(num_steps: int, path: VariancePreserving, strength: float = 1.0) -> list[int]:
    """Descending timesteps, evenly spaced from s · 999 down for strength s: round(s · num_steps) of them, at least one.

    Only the spacing differs from the reference's (it starts at 1000 - 1000 / num_steps and overruns for some counts).
    """
    start = strength * (path.num_train_steps - 1)
    count = max(1, round(strength * num_steps))
    if count > start:
        return list(range(math.floor(start), -1, -1))
    return [round(start - start * i / count) for i in range(count)]
