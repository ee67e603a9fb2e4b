"""From the shapes of foreign weights to our configs: what a checkpoint is can be seen from what it holds."""

from itertools import count, takewhile
from typing import Any

from engine.checkpoints.foreign_files import Weights
from engine.checkpoints.foreign_names import clap_names
from engine.checkpoints.import_errors import WeightsShapeError
from engine.models.clap import ClapConfig
from engine.models.clap_sizes import AUDIO_TOWERS, TEXT_TOWERS, AudioTower, TextTower
from engine.models.unet import UNetConfig
from engine.models.vae import VaeConfig
from engine.models.vocoder import HiFiGanConfig

_WIDE_HEADS = 256  # base channels from which the published models have heads of 64 instead of 32
_GROUPS = 32


def unet_config(weights: Weights, num_heads: int | None = None, groups: int = _GROUPS) -> UNetConfig:
    """The UNet's config; the number of heads cannot be seen, so it is the originals' unless `num_heads` is given."""
    levels = _original_levels(weights) if weights.form == "original" else _diffusers_levels(weights)
    if not levels or not all(len(level) == len(levels[0]) > 0 for level in levels):
        raise WeightsShapeError(weights.part, [f"{[len(level) for level in levels]} residual blocks a level"])
    first, condition = (
        ("input_blocks.0.0", "film_emb") if weights.form == "original" else ("conv_in", "class_embedding")
    )
    base, latent_channels = weights.size(f"{first}.weight")[:2]
    attends = [stage[0][1] for stage in levels]
    return UNetConfig(
        base_channels=base,
        channel_mult=tuple(level[0][0] // base for level in levels),
        num_res_blocks=len(levels[0]),
        attention_levels=tuple(index for index, attention in enumerate(attends) if attention),
        head_dim=64 if base >= _WIDE_HEADS else 32,
        latent_channels=latent_channels,
        condition_size=weights.size(f"{condition}.weight")[1],
        groups=groups,
        num_heads=num_heads,
    )


def _original_levels(weights: Weights) -> list[list[tuple[int, bool]]]:
    """For each residual block of each level: width, and whether attention follows."""
    levels: list[list[tuple[int, bool]]] = [[]]
    for index in count(1):
        block = f"input_blocks.{index}"
        if weights.get(f"{block}.0.op.weight") is not None:
            levels.append([])
        elif weights.get(f"{block}.0.in_layers.2.weight") is not None:
            width = weights.size(f"{block}.0.in_layers.2.weight")[0]
            levels[-1].append((width, weights.get(f"{block}.1.proj_in.weight") is not None))
        else:
            return levels
    return levels


def _diffusers_levels(weights: Weights) -> list[list[tuple[int, bool]]]:
    levels = []
    for level in _while_there(weights, "down_blocks.{}.resnets.0.conv1.weight"):
        block = f"down_blocks.{level}"
        levels.append(
            [
                (
                    weights.size(f"{block}.resnets.{index}.conv1.weight")[0],
                    weights.get(f"{block}.attentions.{index}.proj_in.weight") is not None,
                )
                for index in _while_there(weights, block + ".resnets.{}.conv1.weight")
            ]
        )
    return levels


def vae_config(weights: Weights, groups: int = _GROUPS) -> VaeConfig:
    level, block = (
        ("encoder.down.{}", ".block.{}.conv1.weight")
        if weights.form == "original"
        else ("encoder.down_blocks.{}", ".resnets.{}.conv1.weight")
    )
    base = weights.size("encoder.conv_in.weight")[0]
    first = block.format(0)
    levels = _while_there(weights, level + first)
    return VaeConfig(
        base_channels=base,
        channel_mult=tuple(weights.size(level.format(index) + first)[0] // base for index in levels),
        num_res_blocks=len(_while_there(weights, level.format(0) + block)),
        latent_channels=weights.size("quant_conv.weight")[0] // 2,
        groups=groups,
    )


def vocoder_config(weights: Weights, settings: dict[str, Any] | None = None) -> HiFiGanConfig:
    """The vocoder's config; upsampling rates and dilations come from `settings`, or are the published ones.

    Raises:
        WeightsShapeError: there are no settings, and the kernels are not those of the published vocoder.
    """
    published, settings = HiFiGanConfig(), settings or {}
    channels, num_mels = weights.size("conv_pre.weight")[:2]
    stage = "ups.{}.weight" if weights.form == "original" else "upsampler.{}.weight"
    kernels = tuple(weights.size(stage.format(index))[2] for index in _while_there(weights, stage))
    stacks = len(_while_there(weights, "resblocks.{}.convs1.0.weight")) // max(len(kernels), 1)
    residual = tuple(weights.size(f"resblocks.{index}.convs1.0.weight")[2] for index in range(stacks))
    if "upsample_rates" not in settings and kernels != published.kernels:
        raise WeightsShapeError(weights.part, [f"kernels {kernels} instead of {published.kernels}"])
    dilations = settings.get("resblock_dilation_sizes", [published.dilations])
    return HiFiGanConfig(
        num_mels=num_mels,
        channels=channels,
        rates=tuple(settings.get("upsample_rates", published.rates)),
        kernels=kernels,
        residual_kernels=residual,
        dilations=tuple(dilations[0]),
    )


def clap_config(text: Weights, audio: Weights | None, norm_eps: float = 1e-5) -> ClapConfig:
    """Which of the known towers these are.

    Raises:
        WeightsShapeError: none of them.
    """
    (projection,) = clap_names(text.form)("text_projection.2.weight")
    return ClapConfig(
        audio_tower=None if audio is None else _audio_tower(audio),
        text_tower=_text_tower(text),
        embedding_dim=text.size(projection)[0],
        text_norm_eps=norm_eps,
    )


def _text_tower(weights: Weights) -> str:
    def theirs(ours: str) -> str:
        return clap_names(weights.form)(f"text_branch.{ours}.weight")[0]

    vocabulary, width = weights.size(theirs("embeddings.word_embeddings"))
    layers = _while_there(weights, theirs("encoder.layer.{}.attention.self.query"))
    seen = TextTower(
        num_layers=len(layers),
        vocabulary_size=vocabulary,
        feed_forward=weights.size(theirs("encoder.layer.0.intermediate.dense"))[0],
        num_positions=weights.size(theirs("embeddings.position_embeddings"))[0],
        width=width,
    )
    known = {tower: name for name, tower in TEXT_TOWERS.items()}
    if seen not in known:
        raise WeightsShapeError(weights.part, [f"{len(layers)} layers, {vocabulary} tokens, width {width}"])
    return known[seen]


def _audio_tower(weights: Weights) -> str:
    def theirs(ours: str) -> str:
        return clap_names(weights.form)(f"audio_branch.{ours}.weight")[0]

    stages = _while_there(weights, theirs("layers.{}.blocks.0.norm1"))
    depths = tuple(len(_while_there(weights, theirs(f"layers.{stage}.blocks.{{}}.norm1"))) for stage in stages)
    dim = weights.size(theirs("patch_embed.proj"))[0]
    for name, tower in AUDIO_TOWERS.items():
        if (tower.dim, tower.depths) == (dim, depths):
            return name
    published = AudioTower()
    expected = f"{published.dim} and {published.depths}"
    raise WeightsShapeError(
        weights.part, [f"HTSAT of width {dim} and depths {depths}; for example {expected} is known"]
    )


def _while_there(weights: Weights, pattern: str) -> list[int]:
    """Indices from 0 for which there is a tensor of that name."""
    return list(takewhile(lambda index: weights.get(pattern.format(index)) is not None, count()))
