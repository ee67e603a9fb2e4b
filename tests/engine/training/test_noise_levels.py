"""Every level of noise has the same say in the denoiser's loss: what the expectations learn, and what follows."""

import pytest
import torch
from torch import Tensor
from torch.optim import Adam

from engine.training.noise_levels import NoiseLevels

STEPS = 1000


def losses_at(t: Tensor, generator: torch.Generator) -> Tensor:
    """Large at either end and small in the middle, as a net's are; scattered by a third."""
    position = t / STEPS
    return (0.02 + 0.4 * (position - 0.5) ** 2) * (1 + torch.randn(t.shape, generator=generator) / 3)


@pytest.fixture(scope="module")
def learnt() -> NoiseLevels:
    levels, generator = NoiseLevels(STEPS), torch.Generator().manual_seed(1)
    optimiser = Adam(levels.parameters(), 0.02)
    for _ in range(1_500):
        t = torch.randint(STEPS, (32,), generator=generator)
        optimiser.zero_grad()
        levels.surprise(losses_at(t, generator), t).backward()
        optimiser.step()
    return levels


class TestNoiseLevels:
    def test_at_first_every_timestep_counts_alike(self):
        assert torch.equal(NoiseLevels(STEPS).weights(torch.arange(STEPS)), torch.ones(STEPS))

    def test_weights_are_one_on_average_and_carry_no_gradient(self, learnt):
        weights = learnt.weights(torch.arange(STEPS))
        assert float(weights.mean()) == pytest.approx(1, abs=1e-5)
        assert not weights.requires_grad

    def test_all_levels_weigh_the_same_once_they_are_known(self, learnt):
        """Before, the ends weigh six times what the middle weighs."""
        t, generator = torch.arange(STEPS).repeat(200), torch.Generator().manual_seed(2)
        losses = losses_at(t, generator)
        parts = [part.mean() for part in losses.view(200, 20, -1).transpose(0, 1)]
        weighed = [part.mean() for part in (losses * learnt.weights(t)).view(200, 20, -1).transpose(0, 1)]
        assert max(parts) / min(parts) > 4
        assert max(weighed) / min(weighed) < 1.3

    def test_what_is_learnt_never_reaches_the_net(self):
        losses = torch.tensor([0.1, 0.2], requires_grad=True)
        levels = NoiseLevels(STEPS)
        levels.surprise(losses, torch.tensor([10, 900])).backward()
        assert losses.grad is None
        assert levels.log_loss.grad is not None
