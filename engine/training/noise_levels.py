"""The expected loss of the denoiser at each noise level, learned during training, so that all levels count equally.

Under v-prediction the loss of a good net is ten times larger at the least noise, where much cannot be predicted, than
in the middle of the schedule, where fine structure is decided: unweighted, the middle is learned last. So each level's
loss is divided by its expectation, which a parameter follows (Kendall et al. 2018, with one task a level, as Karras et
al. 2024 do for diffusion).
"""

import torch
from torch import Tensor, nn
from torch.optim import Adam

_FASTER = 20.0  # than the net's rate: the expected losses must follow what it learns
_PARTS = 20  # of the schedule; within one the expectation is taken as the same


class NoiseLevels(nn.Module):
    """The natural logarithm of the expected loss in each of 20 equal parts of a schedule."""

    def __init__(self, num_train_steps: int) -> None:
        super().__init__()
        self.num_train_steps = num_train_steps
        self.log_loss = nn.Parameter(torch.zeros(_PARTS))

    def optimiser(self) -> Adam:
        """What follows the losses; its rate is a multiple of the loop's."""
        return Adam([{"params": [self.log_loss], "rate_factor": _FASTER}])

    def weights(self, t: Tensor) -> Tensor:
        """Timesteps [B] -> factors of their losses [B], without gradient; 1 on average over the schedule."""
        factors = (-self.log_loss.detach()).softmax(0) * _PARTS
        return factors[self._part_of(t)]

    def surprise(self, losses: Tensor, t: Tensor) -> Tensor:
        """Losses [B] at timesteps [B] -> what the parameters are trained to minimise; least at the expected losses."""
        expected = self.log_loss[self._part_of(t)]
        return (losses.detach() * torch.exp(-expected) + expected).mean()

    def _part_of(self, t: Tensor) -> Tensor:
        return t * _PARTS // self.num_train_steps
