"""Foreign names of our layers: in AudioLDM's own files, and in diffusers' and transformers' folders.

The only file that knows foreign names, but for transformers' names of CLAP's layers (`engine/models/clap_names.py`). A
row is (ours, original, diffusers); where one of ours appears in several rows the foreign ones are joined along their
first axis, in that order.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from engine.models.clap_names import transformers_names
from engine.models.unet import UNetConfig
from engine.models.vae import VaeConfig
from engine.models.vocoder import HiFiGanConfig

CheckpointForm = Literal["original", "diffusers"]
Names = Callable[[str], tuple[str, ...]]  # our tensor -> the foreign ones that it is joined from; none: it has no twin
_NameRow = tuple[str, str, str]

# Prefixes of the parts in an original checkpoint
UNET, UNET_EMA, VAE, VOCODER = (
    "model.diffusion_model.",
    "model_ema.",
    "first_stage_model.",
    "first_stage_model.vocoder.",
)
CONDITIONING = "cond_stage"  # begins the name of the CLAP that conditions, also in a list: cond_stage_models.0
EMA_OF = "diffusion_model."  # prefix of a name in which the moving average then drops the dots
SCALE = "scale_factor"
ALPHAS = "alphas_cumprod"
MARK_OF_TEXT = "text_branch.embeddings.word_embeddings.weight"
MARK_OF_AUDIO = "audio_branch.patch_embed.proj.weight"
MARK_OF_TRANSFORMERS_TEXT = "text_model.embeddings.word_embeddings.weight"
MARK_OF_TRANSFORMERS_AUDIO = "audio_model.audio_encoder.patch_embed.proj.weight"
MARK_OF_UNET = "film_emb.weight"  # the layer through which CLAP's vector enters

# Put into names by trainings on several cards and by torch.compile; no layer of ours or theirs is called so
WRAPPERS = ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
# Entries among the weights that do not belong to the nets
STRAYS = (
    "position_ids", "token_type_ids", "num_batches_tracked", "text_transform.", "audio_transform.", "logit_scale",
    "spectrogram_extractor.", "logmel_extractor.", "loss.",
)  # fmt: skip

_UNET_ENDS: tuple[_NameRow, ...] = (
    ("time1", "time_embed.0", "time_embedding.linear_1"),
    ("time2", "time_embed.2", "time_embedding.linear_2"),
    ("condition", "film_emb", "class_embedding"),
    ("conv_in", "input_blocks.0.0", "conv_in"),
    ("norm_out", "out.0", "conv_norm_out"),
    ("conv_out", "out.2", "conv_out"),
)
_UNET_RESIDUAL: tuple[_NameRow, ...] = (
    ("norm1", "in_layers.0", "norm1"),
    ("conv1", "in_layers.2", "conv1"),
    ("embed", "emb_layers.1", "time_emb_proj"),
    ("norm2", "out_layers.0", "norm2"),
    ("conv2", "out_layers.3", "conv2"),
    ("shortcut", "skip_connection", "conv_shortcut"),
)
_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "out": "to_out.0"}
_TRANSFORMER = {  # the same in both
    "norm": "norm",
    "proj_in": "proj_in",
    "proj_out": "proj_out",
    **{f"norm{n}": f"transformer_blocks.0.norm{n}" for n in (1, 2, 3)},
    **{f"attention{n}.{a}": f"transformer_blocks.0.attn{n}.{b}" for n in (1, 2) for a, b in _ATTENTION.items()},
    "feed_forward.project": "transformer_blocks.0.ff.net.0.proj",
    "feed_forward.out": "transformer_blocks.0.ff.net.2",
}
_VAE_RESIDUAL: tuple[_NameRow, ...] = (
    *((name, name, name) for name in ("norm1", "conv1", "norm2", "conv2")),
    ("shortcut", "nin_shortcut", "conv_shortcut"),
)
_VAE_ENDS: tuple[_NameRow, ...] = (
    ("conv_in", "conv_in", "conv_in"),
    ("middle.1.norm", "mid.attn_1.norm", "mid_block.attentions.0.group_norm"),
    ("middle.1.query_key_value", "mid.attn_1.q", "mid_block.attentions.0.to_q"),
    ("middle.1.query_key_value", "mid.attn_1.k", "mid_block.attentions.0.to_k"),
    ("middle.1.query_key_value", "mid.attn_1.v", "mid_block.attentions.0.to_v"),
    ("middle.1.out", "mid.attn_1.proj_out", "mid_block.attentions.0.to_out.0"),
    ("head.0", "norm_out", "conv_norm_out"),
    ("head.2", "conv_out", "conv_out"),
)
OLD_VAE_ATTENTION = {  # diffusers up to 0.15 -> since then
    ".attentions.0.query.": ".attentions.0.to_q.",
    ".attentions.0.key.": ".attentions.0.to_k.",
    ".attentions.0.value.": ".attentions.0.to_v.",
    ".attentions.0.proj_attn.": ".attentions.0.to_out.0.",
}


def unet_names(config: UNetConfig, form: CheckpointForm) -> Names:
    return _by_layer(_unet_rows(config), form)


def vae_names(config: VaeConfig, form: CheckpointForm) -> Names:
    return _by_layer(_vae_rows(config), form)


def vocoder_names(config: HiFiGanConfig, form: CheckpointForm) -> Names:
    return _by_layer(_vocoder_rows(config), form)


def clap_names(form: CheckpointForm) -> Names:
    """Ours are laion-clap's, as in the original checkpoints; "diffusers" folders have transformers' towers."""
    return transformers_names if form == "diffusers" else lambda ours: (ours,)


def _by_layer(rows: Iterable[_NameRow], form: CheckpointForm) -> Names:
    layers: dict[str, tuple[str, ...]] = {}
    for ours, original, diffusers in rows:
        layers[ours] = (*layers.get(ours, ()), original if form == "original" else diffusers)

    def names(ours: str) -> tuple[str, ...]:
        layer, _, kind = ours.rpartition(".")
        return tuple(f"{foreign}.{kind}" for foreign in layers[layer])

    return names


def _unet_rows(config: UNetConfig) -> Iterator[_NameRow]:
    yield from _UNET_ENDS
    each, last = config.num_res_blocks, len(config.channel_mult) - 1
    position = 0
    for level in range(last + 1):
        for index in range(each):
            yield from _stage(f"down.{position}", f"input_blocks.{position + 1}", f"down_blocks.{level}", index)
            position += 1
        if level < last:
            original = f"input_blocks.{position + 1}.0.op"
            yield f"down.{position}", original, f"down_blocks.{level}.downsamplers.0.conv"
            position += 1
    yield from _stage("middle1", "middle_block", "mid_block", 0)
    yield from _below("middle2.res", "middle_block.2", "mid_block.resnets.1", _UNET_RESIDUAL)
    position = block = 0
    for place, level in enumerate(reversed(range(last + 1))):
        for index in range(each + 1):
            yield from _stage(f"up.{position}", f"output_blocks.{block}", f"up_blocks.{place}", index)
            position, block = position + 1, block + 1
        if level > 0:
            original = f"output_blocks.{block - 1}.{2 if level in config.attention_levels else 1}.conv"
            yield f"up.{position}.conv", original, f"up_blocks.{place}.upsamplers.0.conv"
            position += 1


def _stage(ours: str, original: str, diffusers: str, index: int) -> Iterator[_NameRow]:
    """Residual block and attention; where a stage has no attention, its rows are not used."""
    yield from _below(f"{ours}.res", f"{original}.0", f"{diffusers}.resnets.{index}", _UNET_RESIDUAL)
    attention = [(ours_inside, both, both) for ours_inside, both in _TRANSFORMER.items()]
    yield from _below(f"{ours}.attention", f"{original}.1", f"{diffusers}.attentions.{index}", attention)


def _vae_rows(config: VaeConfig) -> Iterator[_NameRow]:
    yield from ((name, name, name) for name in ("quant_conv", "post_quant_conv"))
    for half in ("encoder", "decoder"):
        yield from _below(half, half, half, _VAE_ENDS)
        for ours, nth in ((0, 1), (2, 2)):
            diffusers = f"{half}.mid_block.resnets.{nth - 1}"
            yield from _below(f"{half}.middle.{ours}", f"{half}.mid.block_{nth}", diffusers, _VAE_RESIDUAL)
    last = len(config.channel_mult) - 1
    sides = (
        ("encoder", range(last + 1), config.num_res_blocks, last, ("down", "downsample")),
        ("decoder", reversed(range(last + 1)), config.num_res_blocks + 1, 0, ("up", "upsample")),
    )
    for half, levels, each, end, (way, resample) in sides:
        position = 0
        for place, level in enumerate(levels):
            original, diffusers = f"{half}.{way}.{level}", f"{half}.{way}_blocks.{place}"
            for index in range(each):
                theirs = f"{original}.block.{index}", f"{diffusers}.resnets.{index}"
                yield from _below(f"{half}.levels.{position}", *theirs, _VAE_RESIDUAL)
                position += 1
            if level != end:
                theirs = f"{original}.{resample}.conv", f"{diffusers}.{resample}rs.0.conv"
                yield f"{half}.levels.{position}.conv", *theirs
                position += 1


def _vocoder_rows(config: HiFiGanConfig) -> Iterator[_NameRow]:
    stacks = len(config.residual_kernels)
    yield from (("conv_in", "conv_pre", "conv_pre"), ("conv_out", "conv_post", "conv_post"))
    for stage in range(len(config.rates)):
        yield f"upsample.{stage}", f"ups.{stage}", f"upsampler.{stage}"
        for stack in range(stacks):
            for index in range(len(config.dilations)):
                for ours, theirs in (("dilated", "convs1"), ("plain", "convs2")):
                    both = f"resblocks.{stage * stacks + stack}.{theirs}.{index}"
                    yield f"residual.{stage}.{stack}.{ours}.{index}", both, both


def _below(ours: str, original: str, diffusers: str, rows: Iterable[_NameRow]) -> Iterator[_NameRow]:
    """The rows, each name put below another."""
    for row in rows:
        yield f"{ours}.{row[0]}", f"{original}.{row[1]}", f"{diffusers}.{row[2]}"
