"""Solvers behind one signature, which requests call samplers: from a noised latent down a schedule, one latent a step.

Every solver is a generator: its caller sees each latent, reports progress, and stops by leaving the loop.
`impose`, if given, receives the latent after each step with the level that it has reached, and returns the one to use.
`draw` returns new unit normal noise of x's shape at every call; solvers that add no noise do not need it.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from engine.diffusion.guidance import Denoise
from engine.diffusion.path import CLEAN, NoiseLevel
from engine.diffusion.schedule import NoiseSchedule

Impose = Callable[[Tensor, NoiseLevel], Tensor]
Draw = Callable[[], Tensor]


class Sampler(Protocol):
    """x [B, Z, ...] noised to the schedule's first level -> one latent after each step; the last one is clean."""

    def __call__(
        self,
        denoise: Denoise,
        x: Tensor,
        schedule: NoiseSchedule,
        *,
        eta: float = 0.0,
        draw: Draw | None = None,
        impose: Impose | None = None,
    ) -> Iterator[Tensor]: ...


def sample_ddim(
    denoise: Denoise,
    x: Tensor,
    schedule: NoiseSchedule,
    *,
    eta: float = 0.0,
    draw: Draw | None = None,
    impose: Impose | None = None,
) -> Iterator[Tensor]:
    """Song et al. 2021, equation 12, on any path; eta 0 is deterministic, eta 1 is as noisy as DDPM.

    x' = s' x0 + sqrt(n'² - σ²) ε + σ z, where σ = η (n' / n) sqrt(n² - (s n' / s')²) for signal s and noise n. On the
    straight path of a flow, with eta 0, this is Euler's step.
    """
    for time, now, after, is_last in schedule:
        x0, eps = denoise(x, time)
        sigma = eta * _fresh_share(now, after) if eta else 0.0
        kept = math.sqrt(max(0.0, after.noise**2 - sigma**2)) if sigma > 0 else after.noise
        x = after.signal * x0 + kept * eps
        if sigma > 0:
            x = x + sigma * _noise(x, draw)
        x = impose(x, CLEAN if is_last else after) if impose else x
        yield x


def sample_ping_pong(
    denoise: Denoise,
    x: Tensor,
    schedule: NoiseSchedule,
    *,
    eta: float = 0.0,
    draw: Draw | None = None,
    impose: Impose | None = None,
) -> Iterator[Tensor]:
    """To the clean latent, and back to the next level with fresh noise: x' = s' x0 + n' z (Song et al. 2023, §4).

    For nets that were trained to be at the end in one step; eta is not used.
    """
    del eta
    for time, _, after, _ in schedule:
        x, _ = denoise(x, time)
        if after.noise > 0:
            x = after.mix(x, _noise(x, draw))
        x = impose(x, after) if impose else x
        yield x


def sample_dpm_solver_2m(
    denoise: Denoise,
    x: Tensor,
    schedule: NoiseSchedule,
    *,
    eta: float = 0.0,
    draw: Draw | None = None,
    impose: Impose | None = None,
) -> Iterator[Tensor]:
    """DPM-Solver++(2M), a second-order multistep in λ = ln(signal / noise) (Lu et al. 2022, algorithm 2).

    First and last step are of first order. Deterministic: eta and draw are not used.
    """
    del eta, draw
    yield from _multistep(denoise, x, schedule, impose, None)


def sample_dpm_solver_2m_sde(
    denoise: Denoise,
    x: Tensor,
    schedule: NoiseSchedule,
    *,
    eta: float = 0.0,
    draw: Draw | None = None,
    impose: Impose | None = None,
) -> Iterator[Tensor]:
    """SDE-DPM-Solver++(2M): the same for the stochastic differential equation (Lu et al. 2022, §5 and appendix).

    Every step adds as much noise as DDPM does, so the net sees, and corrects, its own errors of earlier steps.
    First and last step are of first order; eta is not used.
    """
    del eta
    yield from _multistep(denoise, x, schedule, impose, partial(_noise, draw=draw))


def _multistep(
    denoise: Denoise,
    x: Tensor,
    schedule: NoiseSchedule,
    impose: Impose | None,
    noise: Callable[[Tensor], Tensor] | None,
) -> Iterator[Tensor]:
    """DPM-Solver++(2M) of the ordinary differential equation, or of the stochastic one if there is noise.

    From pure noise, where λ is infinite, the first step has its limit, and the second is of first order, too.
    """
    previous_x0: Tensor | None = None
    previous_step = 0.0
    for time, now, after, is_last in schedule:
        x0, _ = denoise(x, time)
        if is_last:
            x = x0
        else:
            step = after.log_snr - now.log_snr
            guess = x0
            if previous_x0 is not None:
                guess = x0 + step / (2 * previous_step) * (x0 - previous_x0)
            decay = 1.0 if noise is None else 2.0  # in λ, of what is kept of x
            kept = after.noise / now.noise * (1.0 if noise is None else math.exp(-step))
            x = kept * x - after.signal * math.expm1(-decay * step) * guess
            if noise is not None:
                x = x + after.noise * math.sqrt(-math.expm1(-2 * step)) * noise(x)
            previous_x0, previous_step = x0, step
        x = impose(x, CLEAN if is_last else after) if impose else x
        yield x


def _fresh_share(now: NoiseLevel, after: NoiseLevel) -> float:
    """How much of the next level's noise is new where a step is as noisy as DDPM's: σ of `sample_ddim` at eta 1."""
    old = now.signal * after.noise / after.signal
    return after.noise / now.noise * math.sqrt(max(0.0, now.noise**2 - old**2))


def _noise(x: Tensor, draw: Draw | None) -> Tensor:
    """What `draw` makes; without it drawn from PyTorch's global generator, on the CPU as everywhere."""
    return (torch.randn(x.shape) if draw is None else draw()).to(x)


ADDING_NOISE = ("dpm++2m-sde",)  # those that add fresh noise at every step, with eta 0, too
SAMPLERS: dict[str, Sampler] = {
    "dpm++2m": sample_dpm_solver_2m,
    "dpm++2m-sde": sample_dpm_solver_2m_sde,
    "ddim": sample_ddim,
}
