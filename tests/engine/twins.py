"""The independent implementations that ours are held against, with our weights in them: diffusers and transformers.

They share no code with ours; only the names of the weights are translated here.
"""

from collections.abc import Iterator
from typing import TypeVar

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from transformers import (
    ClapAudioConfig,
    ClapModel,
    ClapTextConfig,
    ClapTextModelWithProjection,
    SpeechT5HifiGan,
    SpeechT5HifiGanConfig,
)
from transformers.models.clap.configuration_clap import ClapConfig as TransformersClapConfig

from engine.models.clap import LaionClap
from engine.models.clap_sizes import AUDIO_TOWERS, TEXT_TOWERS
from engine.models.layers import ResBlock, SpatialTransformer
from engine.models.unet import UNet, _Stage
from engine.models.vae import Vae
from engine.models.vocoder import HiFiGan

AnyModule = TypeVar("AnyModule", bound=nn.Module)

UNET_RESIDUAL = {
    "norm1": "norm1", "conv1": "conv1", "embed": "time_emb_proj",
    "norm2": "norm2", "conv2": "conv2", "shortcut": "conv_shortcut",
}  # fmt: skip
UNET_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "out": "to_out.0"}
UNET_TRANSFORMER = {
    "norm": "norm", "proj_in": "proj_in", "proj_out": "proj_out",
    **{f"norm{n}": f"transformer_blocks.0.norm{n}" for n in (1, 2, 3)},
    **{f"attention{n}.{ours}": f"transformer_blocks.0.attn{n}.{theirs}"
       for n in (1, 2) for ours, theirs in UNET_ATTENTION.items()},
    "feed_forward.project": "transformer_blocks.0.ff.net.0.proj",
    "feed_forward.out": "transformer_blocks.0.ff.net.2",
}  # fmt: skip
UNET_ENDS = {
    "time1": "time_embedding.linear_1", "time2": "time_embedding.linear_2", "condition": "class_embedding",
    "conv_in": "conv_in", "norm_out": "conv_norm_out", "conv_out": "conv_out",
}  # fmt: skip


def _stage_names(ours: str, theirs: str, index: int, *, attends: bool) -> Iterator[tuple[str, str]]:
    """Names of one stage's layers: ours and theirs."""
    for a, b in UNET_RESIDUAL.items():
        yield f"{ours}.res.{a}", f"{theirs}.resnets.{index}.{b}"
    if attends:
        for a, b in UNET_TRANSFORMER.items():
            yield f"{ours}.attention.{a}", f"{theirs}.attentions.{index}.{b}"


def _unet_names(unet: UNet) -> dict[str, str]:
    """Our layer names -> diffusers'."""
    names = dict(UNET_ENDS)
    for side, resample in (("down", "downsamplers.0.conv"), ("up", "upsamplers.0.conv")):
        block, index = 0, 0
        for position, module in enumerate(getattr(unet, side)):
            ours, theirs = f"{side}.{position}", f"{side}_blocks.{block}"
            if isinstance(module, _Stage):
                names.update(
                    _stage_names(ours, theirs, index, attends=isinstance(module.attention, SpatialTransformer))
                )
                index += 1
            else:
                names[f"{ours}.conv" if side == "up" else ours] = f"{theirs}.{resample}"
                block, index = block + 1, 0
    names.update(_stage_names("middle1", "mid_block", 0, attends=True))
    names.update(_stage_names("middle2", "mid_block", 1, attends=False))
    return names


def _unet_weights(unet: UNet) -> dict[str, Tensor]:
    names = _unet_names(unet)
    return {
        f"{names[key.rpartition('.')[0]]}.{key.rpartition('.')[2]}": value for key, value in unet.state_dict().items()
    }


def diffusers_unet(unet: UNet, heads: tuple[int, ...]) -> UNet2DConditionModel:
    """Diffusers' AudioLDM UNet around our weights, which it shares; its `attention_head_dim` is the number of heads."""
    config = unet.config
    widths = tuple(config.base_channels * mult for mult in config.channel_mult)
    with torch.device("meta"):
        theirs = UNet2DConditionModel(
            in_channels=8, out_channels=8, block_out_channels=widths, layers_per_block=2,
            down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * 3),
            up_block_types=(*["CrossAttnUpBlock2D"] * 3, "UpBlock2D"),
            cross_attention_dim=widths, attention_head_dim=heads, norm_num_groups=config.groups,
            class_embed_type="simple_projection", projection_class_embeddings_input_dim=config.condition_size,
            class_embeddings_concat=True,
        )  # fmt: skip
    theirs.load_state_dict(_unet_weights(unet), assign=True)
    return theirs.eval()


VAE_RESIDUAL = {"norm1": "norm1", "conv1": "conv1", "norm2": "norm2", "conv2": "conv2", "shortcut": "conv_shortcut"}
VAE_MIDDLE = {
    "middle.1.norm": "mid_block.attentions.0.group_norm",
    "middle.1.out": "mid_block.attentions.0.to_out.0",
    **{f"middle.0.{ours}": f"mid_block.resnets.0.{theirs}" for ours, theirs in VAE_RESIDUAL.items()},
    **{f"middle.2.{ours}": f"mid_block.resnets.1.{theirs}" for ours, theirs in VAE_RESIDUAL.items()},
}
VAE_ENDS = {"conv_in": "conv_in", "head.0": "conv_norm_out", "head.2": "conv_out"}


def _level_names(levels: nn.Module, blocks: str, resample: str) -> Iterator[tuple[str, str]]:
    """Names of the layers between the ends: ours and theirs."""
    block, index = 0, 0
    for position, module in enumerate(levels.children()):
        if isinstance(module, ResBlock):
            for ours, theirs in VAE_RESIDUAL.items():
                yield f"levels.{position}.{ours}", f"{blocks}.{block}.resnets.{index}.{theirs}"
            index += 1
        else:
            yield f"levels.{position}.conv", f"{blocks}.{block}.{resample}.0.conv"
            block, index = block + 1, 0


def _vae_weights(vae: Vae) -> dict[str, Tensor]:
    names = {"quant_conv": "quant_conv", "post_quant_conv": "post_quant_conv"}
    for part, blocks, resample in (
        ("encoder", "down_blocks", "downsamplers"),
        ("decoder", "up_blocks", "upsamplers"),
    ):
        layers = {**VAE_ENDS, **VAE_MIDDLE, **dict(_level_names(vae.get_submodule(f"{part}.levels"), blocks, resample))}
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


def diffusers_vae(vae: Vae, scaling_factor: float = 1.0) -> AutoencoderKL:
    config = vae.config
    theirs = AutoencoderKL(
        in_channels=1, out_channels=1, latent_channels=config.latent_channels, norm_num_groups=config.groups,
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=tuple(config.base_channels * mult for mult in config.channel_mult), layers_per_block=2,
        scaling_factor=scaling_factor,
    ).eval()  # fmt: skip
    theirs.load_state_dict(_vae_weights(vae))
    return theirs


VOCODER_NAMES = {
    "conv_in": "conv_pre",
    "conv_out": "conv_post",
    "upsample": "upsampler",
    "dilated": "convs1",
    "plain": "convs2",
}


def _vocoder_weights(vocoder: HiFiGan) -> dict[str, Tensor]:
    """Our state dict -> transformers' names; there the residual stacks of all stages stand in one list."""
    stacks = len(vocoder.config.residual_kernels)
    theirs = {"mean": torch.zeros(vocoder.config.num_mels), "scale": torch.ones(vocoder.config.num_mels)}
    for key, value in vocoder.state_dict().items():
        first, *rest = key.split(".")
        if first == "residual":
            stage, stack, kind, *rest = rest
            first, rest = "resblocks", [str(int(stage) * stacks + int(stack)), VOCODER_NAMES[kind], *rest]
        theirs[".".join([VOCODER_NAMES.get(first, first), *rest])] = value
    return theirs


def transformers_vocoder(vocoder: HiFiGan) -> SpeechT5HifiGan:
    ours = vocoder.config
    config = SpeechT5HifiGanConfig(
        model_in_dim=ours.num_mels, sampling_rate=16000, upsample_initial_channel=ours.channels,
        upsample_rates=list(ours.rates), upsample_kernel_sizes=list(ours.kernels),
        resblock_kernel_sizes=list(ours.residual_kernels),
        resblock_dilation_sizes=[list(ours.dilations)] * len(ours.residual_kernels),
        leaky_relu_slope=0.1, normalize_before=False,
    )  # fmt: skip
    theirs = SpeechT5HifiGan(config).eval()
    theirs.load_state_dict(_vocoder_weights(vocoder))
    return theirs


CLAP_RENAMED = (
    ("text_branch.", "text_model."),
    ("audio_branch.", "audio_model.audio_encoder."),
    ("attn.relative_position", "attention.self.relative_position"),
    ("attn.qkv", "attention.self.qkv"),
    ("attn.proj.", "attention.output.dense."),
    ("mlp.fc1.", "intermediate.dense."),
    ("mlp.fc2.", "output.dense."),
    ("norm1.", "layernorm_before."),
    ("norm2.", "layernorm_after."),
    ("bn0.", "batch_norm."),
    ("projection.0.", "projection.linear1."),
    ("projection.2.", "projection.linear2."),
)
CLAP_WITHOUT_PARTNER = ("tscam_conv", "head.", "attn_mask")


def _clap_weights(ours: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our state dict (laion-clap's names) -> transformers' names."""
    theirs = {}
    for key, value in ours.items():
        name = key
        if key.startswith("audio_branch.") and any(part in key for part in CLAP_WITHOUT_PARTNER):
            continue
        for old, new in CLAP_RENAMED:
            if not (key.startswith("text_branch.") and old != "text_branch."):
                name = name.replace(old, new)
        if "qkv" in name:
            for part, third in zip(("query", "key", "value"), value.chunk(3), strict=True):
                theirs[name.replace("qkv", part)] = third
        else:
            theirs[name] = value
    return theirs


def _text_config(clap: LaionClap) -> ClapTextConfig:
    text = TEXT_TOWERS[clap.config.text_tower]
    return ClapTextConfig(
        vocab_size=text.vocabulary_size, hidden_size=text.width, num_hidden_layers=text.num_layers,
        num_attention_heads=text.num_heads, intermediate_size=text.feed_forward, projection_dim=clap.embedding_dim,
        max_position_embeddings=text.num_positions, layer_norm_eps=1e-5,
    )  # fmt: skip


def transformers_clap(clap: LaionClap) -> ClapModel:
    """Both towers."""
    assert clap.config.audio_tower is not None
    audio, width = AUDIO_TOWERS[clap.config.audio_tower], clap.embedding_dim
    audio_config = ClapAudioConfig(
        patch_embeds_hidden_size=audio.dim, hidden_size=audio.width, depths=list(audio.depths),
        num_attention_heads=list(audio.num_heads), projection_dim=width,
    )  # fmt: skip
    config = TransformersClapConfig(
        text_config=_text_config(clap).to_dict(), audio_config=audio_config.to_dict(), projection_dim=width
    )
    return _with_weights(ClapModel(config), _clap_weights(clap.state_dict()))


def transformers_text_tower(clap: LaionClap) -> ClapTextModelWithProjection:
    """The text tower alone, as a diffusers folder has it."""
    weights = {key: value for key, value in _clap_weights(clap.state_dict()).items() if key.startswith("text_")}
    return _with_weights(ClapTextModelWithProjection(_text_config(clap)), weights)


def _with_weights(theirs: AnyModule, weights: dict[str, Tensor]) -> AnyModule:
    """All of them find their place; what stays empty is neither used nor learned."""
    missing, unexpected = theirs.load_state_dict(weights, strict=False)
    assert not unexpected
    ids = {f"text_model.embeddings.{name}_ids" for name in ("position", "token_type")}
    assert set(missing) <= {"logit_scale_a", "logit_scale_t", *ids}
    return theirs.eval()
