"""The UNet against diffusers' UNet2DConditionModel with the original head counts, and its published sizes."""

from dataclasses import replace

import pytest
import torch

from engine.models.unet import UNet, UNetConfig
from tests.engine.twins import diffusers_unet

# Narrow nets with the published block structure and the published numbers of heads at levels 1, 2, 3 and the middle.
NARROW = {
    "s and l": (UNetConfig(base_channels=32, head_dim=8, condition_size=24), (4, 8, 12, 20)),
    "m": (UNetConfig(base_channels=48, head_dim=8, condition_size=24, groups=16), (6, 12, 18, 30)),
}
FULL = {
    "s": (UNetConfig(), (4, 8, 12, 20)),
    "m": (UNetConfig(base_channels=192), (6, 12, 18, 30)),
    "l": (UNetConfig(base_channels=256, head_dim=64), (4, 8, 12, 20)),
}
DIFFUSERS_HEADS = (8, 8, 8, 8)  # what the published configs there say


def scrambled(config: UNetConfig, scramble, seed: int) -> UNet:
    """A net whose memory is filled once: three gigabytes for L."""
    with torch.device("meta"):
        unet = UNet(config)
    return scramble(unet.to_empty(device="cpu"), seed)


@torch.inference_mode()
def outputs_of_both(unet: UNet, heads: tuple[int, ...], rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Predictions of our net and of diffusers' with the same weights, on latents [2, 8, rows, 16]."""
    theirs = diffusers_unet(unet, heads)
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(2, 8, rows, 16, generator=generator)
    condition = torch.randn(2, unet.config.condition_size, generator=generator)
    t = torch.tensor([7, 901])
    return unet(x, t, condition), theirs(x, t, encoder_hidden_states=None, class_labels=condition).sample


class TestSize:
    @pytest.mark.parametrize(
        ("size", "parameters"), [("s", 185_036_552), ("m", 415_954_568), ("l", 739_139_080)], ids=list(FULL)
    )
    def test_is_the_published_one(self, size, parameters):
        with torch.device("meta"):
            assert sum(p.numel() for p in UNet(FULL[size][0]).parameters()) == parameters


class TestAgreementWithDiffusers:
    @pytest.mark.parametrize("size", NARROW)
    def test_narrow_nets_of_the_published_structure(self, size, scramble, relative_error):
        config, heads = NARROW[size]
        assert relative_error(*outputs_of_both(scrambled(config, scramble, 1), heads, rows=16)) <= 1e-5

    def test_the_number_of_heads_matters(self, scramble, relative_error):
        """Eight heads everywhere, as diffusers' published configs say, is another net with the same shapes."""
        unet = scrambled(NARROW["s and l"][0], scramble, 1)
        assert relative_error(*outputs_of_both(unet, DIFFUSERS_HEADS, rows=16)) > 1e-4

    @pytest.mark.parametrize("size", NARROW)
    def test_diffusers_own_number_of_heads_can_be_asked_for(self, size, scramble, relative_error):
        unet = scrambled(replace(NARROW[size][0], num_heads=8), scramble, 1)
        assert relative_error(*outputs_of_both(unet, DIFFUSERS_HEADS, rows=16)) <= 1e-5

    @pytest.mark.slow
    @pytest.mark.parametrize("size", FULL)
    def test_the_published_nets_at_full_width(self, size, scramble, relative_error):
        config, heads = FULL[size]
        assert relative_error(*outputs_of_both(scrambled(config, scramble, 2), heads, rows=16)) <= 1e-5

    @pytest.mark.slow
    def test_audioldm_s_at_full_width_with_diffusers_own_number_of_heads(self, scramble, relative_error):
        unet = scrambled(UNetConfig(num_heads=8), scramble, 2)
        assert relative_error(*outputs_of_both(unet, DIFFUSERS_HEADS, rows=16)) <= 1e-5
