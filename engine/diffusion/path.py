"""Paths of noise: how much of a latent is signal and how much noise, x = signal · x0 + noise · ε, at each time.

A level is that pair. Variance-preserving nets and flow-matching ones differ in their path alone; schedules and solvers
know levels only.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import torch
from torch import Tensor


class NoiseLevel(NamedTuple):
    """Shares of signal and noise in x = signal · x0 + noise · ε."""

    signal: float
    noise: float

    @property
    def log_snr(self) -> float:
        """λ = ln(signal / noise) (Lu et al. 2022); infinite where one of them is nothing."""
        if self.signal == 0 or self.noise == 0:
            return math.inf if self.noise == 0 else -math.inf
        return math.log(self.signal / self.noise)

    def mix(self, x0: Tensor, noise: Tensor) -> Tensor:
        """x0 and noise [B, ...] -> x [B, ...]."""
        return self.signal * x0 + self.noise * noise


CLEAN = NoiseLevel(1.0, 0.0)


class NoisePath(Protocol):
    """What a time, as the net is told it, means."""

    def level(self, time: float, /) -> NoiseLevel: ...


@dataclass(frozen=True)
class VariancePreserving:
    """x_t = sqrt(ᾱ_t) x0 + sqrt(1 - ᾱ_t) ε, at whole timesteps (Ho et al. 2020, equation 4).

    The square roots of the betas grow linearly, as in Stable Diffusion and AudioLDM.
    """

    num_train_steps: int = 1000
    beta_start: float = 0.0015
    beta_end: float = 0.0195

    @cached_property
    def alphas_cumprod(self) -> Tensor:
        """ᾱ_t, float64 [num_train_steps]."""
        ends = self.beta_start**0.5, self.beta_end**0.5
        betas = torch.linspace(*ends, self.num_train_steps, dtype=torch.float64) ** 2
        return torch.cumprod(1 - betas, dim=0)

    def alpha_bar(self, t: int) -> float:
        """ᾱ_t; t = -1 is the clean signal, 1."""
        return 1.0 if t < 0 else float(self.alphas_cumprod[t])

    def level(self, time: float, /) -> NoiseLevel:
        """At a timestep, a whole number."""
        alpha_bar = self.alpha_bar(int(time))
        return NoiseLevel(alpha_bar**0.5, (1 - alpha_bar) ** 0.5)


@dataclass(frozen=True)
class StraightFlow:
    """x_σ = (1 - σ) x0 + σ ε, the straight path of flow matching (Lipman et al. 2023; Liu et al. 2023)."""

    def level(self, time: float, /) -> NoiseLevel:
        """At σ, from 1, nothing but noise, to 0."""
        return NoiseLevel(1 - time, time)
