"""What a denoiser is trained to minimise: the square error of the noise (Ho et al. 2020, equation 14), or of v.

v = √ᾱ ε - √(1 - ᾱ) x0 (Salimans and Ho 2022, appendix D). Optionally all noise levels count equally.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from engine.diffusion.guidance import Prediction
from engine.diffusion.path import VariancePreserving
from engine.training.loop import step_optimiser
from engine.training.noise_levels import NoiseLevels
from engine.training.precision import in_mixed_precision
from engine.training.workers import Workers

_LEVELS = "levels"


class Objective:
    """The loss of a net on latents; `kept` and `optimisers` belong into the recipe's of these names."""

    def __init__(
        self, schedule: VariancePreserving, prediction: Prediction, device: torch.device, *, even_levels: bool
    ) -> None:
        self._prediction, self._device = prediction, device
        self._alphas_cumprod = schedule.alphas_cumprod.float().to(device)
        self._levels = NoiseLevels(schedule.num_train_steps).to(device) if even_levels else None
        self.kept: dict[str, nn.Module] = {_LEVELS: self._levels} if self._levels else {}
        self.optimisers: dict[str, Optimizer] = {_LEVELS: self._levels.optimiser()} if self._levels else {}

    def losses(
        self, net: nn.Module, x0: Tensor, condition: Tensor, rng: np.random.Generator, *given: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Latents [B, Z, H, W] and conditions [B, D] -> square errors [B] and the timesteps [B] that were drawn.

        What else is given, such as curves, goes to the net as it is.
        """
        t = self._timesteps(len(x0), rng)
        alpha_bar = self._alphas_cumprod[t][:, None, None, None]
        signal, spread = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
        noise = torch.randn_like(x0)
        target = noise if self._prediction == "eps" else signal * noise - spread * x0
        predicted: Tensor = in_mixed_precision(self._device, net, signal * x0 + spread * noise, t, condition, *given)
        return (predicted - target).square().mean((1, 2, 3)), t

    def mean(self, losses: Tensor, t: Tensor, workers: Workers) -> Tensor:
        """Losses [B] at timesteps [B] -> the loss to minimise; updates the levels' expectations."""
        if not self._levels:
            return losses.mean()
        loss = (losses * self._levels.weights(t)).mean()
        step_optimiser(self.optimisers[_LEVELS], self._levels.surprise(losses, t), workers)
        return loss

    def _timesteps(self, count: int, rng: np.random.Generator) -> Tensor:
        """Uniform, one from each of B equal parts of the schedule: [B]."""
        spread = (rng.permutation(count) + rng.random(count)) / count * len(self._alphas_cumprod)
        return torch.from_numpy(spread.astype(np.int64)).to(self._device)
