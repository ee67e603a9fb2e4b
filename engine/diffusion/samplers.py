"""Samplers behind one signature: from a noised latent down the timesteps, one latent a step.

Every sampler is a generator: its caller sees each latent, reports progress, and stops by leaving the loop.
`impose`, if given, receives the latent after each step with the ᾱ that it has reached, and returns the one to use.
`draw` returns new unit normal noise of x's shape at every call; samplers that add no noise do not need it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from engine.diffusion.guidance import Denoise
from engine.diffusion.schedule import NoiseSchedule

Impose = Callable[[Tensor, float], Tensor]
Draw = Callable[[], Tensor]


class Sampler(Protocol):
    """x [B, Z, H, W] noised to timesteps[0] -> one latent after each timestep; the last one is clean."""

    def __call__(
        self,
        denoise: Denoise,
        x: Tensor,
        timesteps: Sequence[int],
        schedule: NoiseSchedule,
        *,
        eta: float = 0.0,
        draw: Draw | None = None,
        impose: Impose | None = None,
    ) -> Iterator[Tensor]: ...


def timesteps_for(num_steps: int, schedule: NoiseSchedule, strength: float = 1.0) -> list[int]:
    """Descending timesteps, evenly spaced from s · 999 down for strength s: round(s · num_steps) of them, at least one.

    Only the spacing differs from the reference's (it starts at 1000 - 1000 / num_steps and overruns for some counts).
    """
    start = strength * (schedule.num_train_steps - 1)
    count = max(1, round(strength * num_steps))
    if count > start:
        return list(range(math.floor(start), -1, -1))
    return [round(start - start * i / count) for i in range(count)]


def sample_ddim(
    denoise: Denoise,
    x: Tensor,
    timesteps: Sequence[int],
    schedule: NoiseSchedule,
    *,
    eta: float = 0.0,
    draw: Draw | None = None,
    impose: Impose | None = None,
) -> Iterator[Tensor]:
    """Song et al. 2021, equation 12; eta 0 is deterministic, eta 1 is as noisy as DDPM.

    The last step lands on ᾱ_0, as in the reference, when the timesteps are the reference's (ending at 1), else on 1.
    """
    final = schedule.alpha_bar(0) if timesteps[-1] == 1 else 1.0
    for t, following in zip(timesteps, [*timesteps[1:], None], strict=True):
        now = schedule.alpha_bar(t)
        after = final if following is None else schedule.alpha_bar(following)
        x0, eps = denoise(x, t)
        sigma = eta * math.sqrt((1 - after) / (1 - now) * (1 - now / after))
        x = math.sqrt(after) * x0 + math.sqrt(max(0.0, 1 - after - sigma**2)) * eps
        if sigma > 0:
            x = x + sigma * _noise(x, draw)
        x = impose(x, 1.0 if following is None else after) if impose else x
        yield x


def sample_dpm_solver_2m(
    denoise: Denoise,
    x: Tensor,
    timesteps: Sequence[int],
    schedule: NoiseSchedule,
    *,
    eta: float = 0.0,
    draw: Draw | None = None,
    impose: Impose | None = None,
) -> Iterator[Tensor]:
    """DPM-Solver++(2M), a second-order multistep in λ = ln(sqrt(ᾱ) / sqrt(1 - ᾱ)) (Lu et al. 2022, algorithm 2).

    First and last step are of first order. Deterministic: eta and draw are not used.
    """
    del eta, draw
    yield from _multistep(denoise, x, timesteps, schedule, impose, None)


def sample_dpm_solver_2m_sde(
    denoise: Denoise,
    x: Tensor,
    timesteps: Sequence[int],
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
    yield from _multistep(denoise, x, timesteps, schedule, impose, partial(_noise, draw=draw))


def _multistep(
    denoise: Denoise,
    x: Tensor,
    timesteps: Sequence[int],
    schedule: NoiseSchedule,
    impose: Impose | None,
    noise: Callable[[Tensor], Tensor] | None,
) -> Iterator[Tensor]:
    """DPM-Solver++(2M) of the ordinary differential equation, or of the stochastic one if there is noise."""
    previous_x0: Tensor | None = None
    previous_step = 0.0
    for t, following in zip(timesteps, [*timesteps[1:], None], strict=True):
        x0, _ = denoise(x, t)
        if following is None:
            x = x0
        else:
            now, after = schedule.alpha_bar(t), schedule.alpha_bar(following)
            step = _log_snr(after) - _log_snr(now)
            guess = x0
            if previous_x0 is not None:
                guess = x0 + step / (2 * previous_step) * (x0 - previous_x0)
            decay = 1.0 if noise is None else 2.0  # in λ, of what is kept of x
            kept = math.sqrt((1 - after) / (1 - now)) * math.exp((1 - decay) * step)
            x = kept * x - math.sqrt(after) * math.expm1(-decay * step) * guess
            if noise is not None:
                x = x + math.sqrt((1 - after) * -math.expm1(-2 * step)) * noise(x)
            previous_x0, previous_step = x0, step
        x = impose(x, 1.0 if following is None else after) if impose else x
        yield x


def _log_snr(alpha_bar: float) -> float:
    """λ of Lu et al. 2022: half the logarithm of signal to noise."""
    return 0.5 * math.log(alpha_bar / (1 - alpha_bar))


def _noise(x: Tensor, draw: Draw | None) -> Tensor:
    """What `draw` makes; without it drawn from PyTorch's global generator, on the CPU as everywhere."""
    return (torch.randn(x.shape) if draw is None else draw()).to(x)


ADDING_NOISE = ("dpm++2m-sde",)  # those that add fresh noise at every step, with eta 0, too
SAMPLERS: dict[str, Sampler] = {
    "dpm++2m": sample_dpm_solver_2m,
    "dpm++2m-sde": sample_dpm_solver_2m_sde,
    "ddim": sample_ddim,
}
