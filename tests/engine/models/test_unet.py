"""What the shipped model's UNet has beyond the published ones: a perceptron on time and condition, and curves."""

import math
from dataclasses import replace

import pytest
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


FOLLOWING = replace(TINY.unet, curves=("loudness", "pitch"))
X = torch.randn(2, 8, 8, 16, generator=torch.Generator().manual_seed(3))
CURVES = torch.rand(2, 2, 8, generator=torch.Generator().manual_seed(4)) * 2 - 1
CONDITION = CONDITIONS[:, 0]


@torch.no_grad()
def predicted(net: UNet, curves: torch.Tensor | None = None, x: torch.Tensor = X) -> torch.Tensor:
    return net(x, T, CONDITION, curves)


class TestCurves:
    def test_are_nothing_at_first(self, scramble):
        """So a trained net can be given some."""
        plain = scramble(UNet(TINY.unet), 1)
        following = UNet(FOLLOWING).eval()
        following.load_state_dict(following.state_dict() | plain.state_dict())

        assert torch.equal(predicted(plain), predicted(following, CURVES))

    def test_that_are_not_known_do_nothing(self, scramble):
        net = scramble(UNet(FOLLOWING), 1)

        assert torch.equal(predicted(net, torch.full_like(CURVES, math.nan)), predicted(net))

    def test_at_zero_are_not_unknown(self, scramble):
        net = scramble(UNet(FOLLOWING), 1)

        assert not torch.allclose(predicted(net, torch.zeros_like(CURVES)), predicted(net), atol=1e-3)

    @pytest.mark.parametrize("index", [0, 1])
    def test_each_has_an_effect_of_its_own(self, scramble, index):
        net, alone = scramble(UNet(FOLLOWING), 1), torch.full_like(CURVES, math.nan)
        alone[:, index] = CURVES[:, index]

        results = [predicted(net, curves) for curves in (CURVES, alone)] + [predicted(net)]

        assert all((a - b).abs().max() > 1e-3 for a, b in zip(results, results[1:] + results[:1], strict=True))

    def test_of_one_latent_do_not_change_another(self, scramble):
        net, first_only = scramble(UNet(FOLLOWING), 1), CURVES.clone()
        first_only[1] = math.nan

        torch.testing.assert_close(predicted(net, first_only)[0], predicted(net, CURVES)[0])
        torch.testing.assert_close(predicted(net, first_only)[1], predicted(net)[1])

    def test_act_where_they_are(self, scramble):
        """At the net's entrance, before its layers spread it: only in their own rows."""
        net, later = scramble(UNet(FOLLOWING), 1), CURVES.clone()
        later[:, :, 4:] *= -1
        assert net.follow is not None

        with torch.no_grad():
            change = (net.follow(later, 8) - net.follow(CURVES, 8)).abs().amax((0, 1, 3))

        rows = 8 // TINY.unet.patch_size
        assert change.shape == (rows,)
        assert change[: rows // 2].max() == 0
        assert change[rows // 2 :].min() > 0

    def test_work_in_half_precision(self, scramble):
        net = scramble(UNet(FOLLOWING), 1)
        exact = predicted(net, CURVES)

        with torch.no_grad():
            half = net.bfloat16()(X.bfloat16(), T, CONDITION.bfloat16(), CURVES)

        assert half.dtype == torch.bfloat16
        assert (half.float() - exact).norm() < 0.05 * exact.norm()

    def test_beyond_their_range_count_as_its_end(self, scramble):
        net = scramble(UNet(FOLLOWING), 1)

        assert torch.equal(predicted(net, torch.full_like(CURVES, 7.0)), predicted(net, torch.ones_like(CURVES)))
