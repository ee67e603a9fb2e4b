"""The noise schedule: x_t = sqrt(ᾱ_t) x0 + sqrt(1 - ᾱ_t) ε (Ho et al. 2020, equation 4)."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class NoiseSchedule:
    """The square roots of the betas grow linearly, as in Stable Diffusion and AudioLDM."""

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

    def add_noise(self, x0: Tensor, t: int, noise: Tensor) -> Tensor:
        """x0 and noise [B, ...] -> x_t [B, ...]."""
        return mix_noise(x0, self.alpha_bar(t), noise)


def mix_noise(x0: Tensor, alpha_bar: float, noise: Tensor) -> Tensor:
    """sqrt(ᾱ) x0 + sqrt(1 - ᾱ) noise."""
    return float(alpha_bar**0.5) * x0 + float((1 - alpha_bar) ** 0.5) * noise
