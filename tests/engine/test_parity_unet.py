"""The UNet against diffusers' UNet2DConditionModel with the original head counts, and its published sizes."""

from collections.abc import Iterator

import pytest
import torch
from diffusers import UNet2DConditionModel

from engine.models.layers import SpatialTransformer
from engine.models.unet import UNet, UNetConfig, _Stage

# Narrow nets with the published block structure and the published numbers of heads at levels 1, 2, 3 and the middle.
NARROW = {
    "s and l": (UNetConfig(base_channels=32, head_dim=8, condition_size=24), (4, 8, 12, 20)),
    "m": (UNetConfig(base_channels=48, head_dim=8, condition_size=24, groups=16), (6, 12, 18, 30)),
}
FULL_S = (UNetConfig(), (4, 8, 12, 20))

RESIDUAL = {
    "norm1": "norm1", "conv1": "conv1", "embed": "time_emb_proj",
    "norm2": "norm2", "conv2": "conv2", "shortcut": "conv_shortcut",
}  # fmt: skip
ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "out": "to_out.0"}
TRANSFORMER = {
    "norm": "norm", "proj_in": "proj_in", "proj_out": "proj_out",
    **{f"norm{n}": f"transformer_blocks.0.norm{n}" for n in (1, 2, 3)},
    **{f"attention{n}.{ours}": f"transformer_blocks.0.attn{n}.{theirs}"
       for n in (1, 2) for ours, theirs in ATTENTION.items()},
    "feed_forward.project": "transformer_blocks.0.ff.net.0.proj",
    "feed_forward.out": "transformer_blocks.0.ff.net.2",
}  # fmt: skip
ENDS = {
    "time1": "time_embedding.linear_1", "time2": "time_embedding.linear_2", "condition": "class_embedding",
    "conv_in": "conv_in", "norm_out": "conv_norm_out", "conv_out": "conv_out",
}  # fmt: skip


def stage_names(ours: str, theirs: str, index: int, *, attends: bool) -> Iterator[tuple[str, str]]:
    """Names of one stage's layers: ours and theirs."""
    for a, b in RESIDUAL.items():
        yield f"{ours}.res.{a}", f"{theirs}.resnets.{index}.{b}"
    if attends:
        for a, b in TRANSFORMER.items():
            yield f"{ours}.attention.{a}", f"{theirs}.attentions.{index}.{b}"


def layer_names(unet: UNet) -> dict[str, str]:
    """Our layer names -> diffusers'."""
    names = dict(ENDS)
    for side, resample in (("down", "downsamplers.0.conv"), ("up", "upsamplers.0.conv")):
        block, index = 0, 0
        for position, module in enumerate(getattr(unet, side)):
            ours, theirs = f"{side}.{position}", f"{side}_blocks.{block}"
            if isinstance(module, _Stage):
                names.update(stage_names(ours, theirs, index, attends=isinstance(module.attention, SpatialTransformer)))
                index += 1
            else:
                names[f"{ours}.conv" if side == "up" else ours] = f"{theirs}.{resample}"
                block, index = block + 1, 0
    names.update(stage_names("middle1", "mid_block", 0, attends=True))
    names.update(stage_names("middle2", "mid_block", 1, attends=False))
    return names


def theirs_from_ours(unet: UNet) -> dict[str, torch.Tensor]:
    names = layer_names(unet)
    return {
        f"{names[key.rpartition('.')[0]]}.{key.rpartition('.')[2]}": value for key, value in unet.state_dict().items()
    }


def diffusers_unet(config: UNetConfig, heads: tuple[int, ...]) -> UNet2DConditionModel:
    """Diffusers' AudioLDM UNet; its `attention_head_dim` means, for historical reasons, the number of heads."""
    widths = tuple(config.base_channels * mult for mult in config.channel_mult)
    return UNet2DConditionModel(
        in_channels=8, out_channels=8, block_out_channels=widths, layers_per_block=2,
        down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * 3),
        up_block_types=(*["CrossAttnUpBlock2D"] * 3, "UpBlock2D"),
        cross_attention_dim=widths, attention_head_dim=heads, norm_num_groups=config.groups,
        class_embed_type="simple_projection", projection_class_embeddings_input_dim=config.condition_size,
        class_embeddings_concat=True,
    ).eval()  # fmt: skip


@torch.inference_mode()
def outputs_of_both(unet: UNet, heads: tuple[int, ...], rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Predictions of our net and of diffusers' with the same weights, on latents [2, 8, rows, 16]."""
    theirs = diffusers_unet(unet.config, heads)
    theirs.load_state_dict(theirs_from_ours(unet))
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(2, 8, rows, 16, generator=generator)
    condition = torch.randn(2, unet.config.condition_size, generator=generator)
    t = torch.tensor([7, 901])
    return unet(x, t, condition), theirs(x, t, encoder_hidden_states=None, class_labels=condition).sample


class TestSize:
    @pytest.mark.parametrize(
        ("config", "parameters"),
        [
            (UNetConfig(), 185_036_552),
            (UNetConfig(base_channels=192), 415_954_568),
            (UNetConfig(base_channels=256, head_dim=64), 739_139_080),
        ],
        ids=["s", "m", "l"],
    )
    def test_is_the_published_one(self, config, parameters):
        with torch.device("meta"):
            assert sum(p.numel() for p in UNet(config).parameters()) == parameters


class TestAgreementWithDiffusers:
    @pytest.mark.parametrize("size", NARROW)
    def test_narrow_nets_of_the_published_structure(self, size, scramble, relative_error):
        config, heads = NARROW[size]
        assert relative_error(*outputs_of_both(scramble(UNet(config), 1), heads, rows=16)) <= 1e-5

    def test_the_number_of_heads_matters(self, scramble, relative_error):
        """Eight heads everywhere, as diffusers' published configs say, is another net with the same shapes."""
        unet = scramble(UNet(NARROW["s and l"][0]), 1)
        assert relative_error(*outputs_of_both(unet, (8, 8, 8, 8), rows=16)) > 1e-4

    @pytest.mark.slow
    def test_audioldm_s_at_full_width(self, scramble, relative_error):
        config, heads = FULL_S
        assert relative_error(*outputs_of_both(scramble(UNet(config), 2), heads, rows=8)) <= 1e-5
