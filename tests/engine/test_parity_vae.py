"""The mel autoencoder against diffusers' AutoencoderKL, and its published size."""

from collections.abc import Iterator

import pytest
import torch
from diffusers import AutoencoderKL
from torch import nn

from engine.models.layers import ResBlock
from engine.models.vae import Vae, VaeConfig

NARROW = VaeConfig(base_channels=32)

RESIDUAL = {"norm1": "norm1", "conv1": "conv1", "norm2": "norm2", "conv2": "conv2", "shortcut": "conv_shortcut"}
MIDDLE = {
    "middle.1.norm": "mid_block.attentions.0.group_norm",
    "middle.1.out": "mid_block.attentions.0.to_out.0",
    **{f"middle.0.{ours}": f"mid_block.resnets.0.{theirs}" for ours, theirs in RESIDUAL.items()},
    **{f"middle.2.{ours}": f"mid_block.resnets.1.{theirs}" for ours, theirs in RESIDUAL.items()},
}
ENDS = {"conv_in": "conv_in", "head.0": "conv_norm_out", "head.2": "conv_out"}


def level_names(levels: nn.Module, blocks: str, resample: str) -> Iterator[tuple[str, str]]:
    """Names of the layers between the ends: ours and theirs."""
    block, index = 0, 0
    for position, module in enumerate(levels.children()):
        if isinstance(module, ResBlock):
            for ours, theirs in RESIDUAL.items():
                yield f"levels.{position}.{ours}", f"{blocks}.{block}.resnets.{index}.{theirs}"
            index += 1
        else:
            yield f"levels.{position}.conv", f"{blocks}.{block}.{resample}.0.conv"
            block, index = block + 1, 0


def theirs_from_ours(vae: Vae) -> dict[str, torch.Tensor]:
    names = {"quant_conv": "quant_conv", "post_quant_conv": "post_quant_conv"}
    for part, blocks, resample in (
        ("encoder", "down_blocks", "downsamplers"),
        ("decoder", "up_blocks", "upsamplers"),
    ):
        layers = {**ENDS, **MIDDLE, **dict(level_names(vae.get_submodule(f"{part}.levels"), blocks, resample))}
        names.update({f"{part}.{ours}": f"{part}.{theirs}" for ours, theirs in layers.items()})
    theirs = {}
    for key, value in vae.state_dict().items():
        layer, _, kind = key.rpartition(".")
        if layer.endswith("query_key_value"):
            attention = f"{layer.partition('.')[0]}.mid_block.attentions.0"
            for name, third in zip(("to_q", "to_k", "to_v"), value.chunk(3), strict=True):
                theirs[f"{attention}.{name}.{kind}"] = third
        else:
            theirs[f"{names[layer]}.{kind}"] = value
    return theirs


def diffusers_vae(vae: Vae) -> AutoencoderKL:
    config = vae.config
    theirs = AutoencoderKL(
        in_channels=1, out_channels=1, latent_channels=config.latent_channels, norm_num_groups=config.groups,
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=tuple(config.base_channels * mult for mult in config.channel_mult), layers_per_block=2,
    ).eval()  # fmt: skip
    theirs.load_state_dict(theirs_from_ours(vae))
    return theirs


def log_mel(frames: int) -> torch.Tensor:
    """Values like those of the front end, [2, 1, N, 64]."""
    return -5 + 3 * torch.randn(2, 1, frames, 64, generator=torch.Generator().manual_seed(3))


@torch.inference_mode()
def check_encoder(vae: Vae, relative_error, frames: int) -> None:
    ours, theirs = vae.encode(log_mel(frames)), diffusers_vae(vae).encode(log_mel(frames)).latent_dist
    assert ours.mean.shape == (2, 8, frames // 4, 16)
    assert relative_error(ours.mean, theirs.mean) <= 1e-5
    assert relative_error(ours.logvar, theirs.logvar) <= 1e-5


@torch.inference_mode()
def check_decoder(vae: Vae, relative_error, frames: int) -> None:
    latent = torch.randn(2, 8, frames // 4, 16, generator=torch.Generator().manual_seed(4))
    assert relative_error(vae.decode(latent), diffusers_vae(vae).decode(latent).sample) <= 1e-5


class TestSize:
    def test_is_the_published_one(self):
        with torch.device("meta"):
            vae = Vae(VaeConfig())
        sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in vae.named_children()}
        assert sizes == {"encoder": 22_395_024, "decoder": 32_981_505, "quant_conv": 272, "post_quant_conv": 72}
        assert sum(sizes.values()) == 55_376_873


@pytest.fixture(scope="module")
def vae(scramble) -> Vae:
    return scramble(Vae(NARROW), 1)


class TestAgreementWithDiffusers:
    def test_encode(self, vae, relative_error):
        check_encoder(vae, relative_error, frames=32)

    def test_decode(self, vae, relative_error):
        check_decoder(vae, relative_error, frames=32)

    def test_kl(self, vae):
        """The divergence is diffusers' own, which sums over a latent what we leave per element."""
        posterior = vae.encode(log_mel(32))
        theirs = diffusers_vae(vae).encode(log_mel(32)).latent_dist.kl()
        assert torch.allclose(posterior.kl().sum(dim=(1, 2, 3)), theirs, rtol=1e-4)

    @pytest.mark.slow
    def test_at_full_width(self, scramble, relative_error):
        vae = scramble(Vae(VaeConfig()), 2)
        check_encoder(vae, relative_error, frames=16)
        check_decoder(vae, relative_error, frames=16)
