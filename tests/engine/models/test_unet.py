"""What the shipped model's UNet has beyond the published ones: a perceptron on time and condition together."""

from dataclasses import replace

import torch

from engine.models.unet import UNet
from engine.presets import TINY

T = torch.tensor([7, 901])
CONDITIONS = torch.randn(2, 1, TINY.unet.condition_size, generator=torch.Generator().manual_seed(2))


def test_it_is_nothing_at_first(scramble):
    """So a trained net can be given one."""
    plain = scramble(UNet(TINY.unet), 1)
    deeper = UNet(replace(TINY.unet, embedding_hidden=8)).eval()
    deeper.load_state_dict(plain.state_dict(), strict=False)
    x = torch.randn(2, 8, 8, 16, generator=torch.Generator().manual_seed(3))

    with torch.no_grad():
        assert torch.equal(plain(x, T, CONDITIONS[0].expand(2, -1)), deeper(x, T, CONDITIONS[0].expand(2, -1)))


def test_it_lets_a_condition_do_something_else_at_each_level_of_noise(scramble):
    plain = scramble(UNet(TINY.unet), 1)
    deeper = scramble(UNet(replace(TINY.unet, embedding_hidden=8)), 1)

    def effect(net: UNet) -> torch.Tensor:
        """What changes in the embedding from one condition to the other, at either t: [2, E]."""
        one, other = (net._embed(T, condition.expand(2, -1)) for condition in CONDITIONS)
        return one - other

    with torch.no_grad():
        early, late = effect(plain)
        assert early.abs().max() > 0.1
        assert torch.allclose(early, late, atol=1e-5)
        early, late = effect(deeper)
        assert not torch.allclose(early, late, atol=1e-2)
