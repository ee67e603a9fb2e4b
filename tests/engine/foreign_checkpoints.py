"""Checkpoints as others write them, made of their own modules: diffusers', transformers' and laion-clap's.

The names of the original file are written here a second time, from diffusers' names (reference: the key map of
diffusers' conversion script), so that a slip in the engine's tables cannot hide.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch import Tensor, nn
from transformers import ClapTextConfig, ClapTextModelWithProjection, SpeechT5HifiGan, SpeechT5HifiGanConfig

from engine.models.clap_sizes import TEXT_TOWERS
from engine.models.clap_tokenizer import RobertaTokenizer
from tests.engine.laion_module import whole_laion_clap

SCALE = 0.9393
HEADS = (2, 2, 3, 5)  # of a narrow net: one for 32 channels, at levels 1 to 3 and in the middle


@dataclass
class Modules:
    """The four nets of a diffusers folder."""

    unet: UNet2DConditionModel
    vae: AutoencoderKL
    vocoder: SpeechT5HifiGan
    text_encoder: ClapTextModelWithProjection


def diffusers_modules(
    scramble: Any, *, base: int = 32, heads: tuple[int, ...] | int = HEADS, vae: int = 32, vocoder: int = 64,
    text: str = "roberta-test", embedding: int = 64, seed: int = 1,
) -> Modules:  # fmt: skip
    """Random weights; narrow unless told otherwise."""
    widths, tower = tuple(base * mult for mult in (1, 2, 3, 5)), TEXT_TOWERS[text]
    unet = UNet2DConditionModel(
        in_channels=8, out_channels=8, block_out_channels=widths, layers_per_block=2, sample_size=128,
        down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * 3),
        up_block_types=(*["CrossAttnUpBlock2D"] * 3, "UpBlock2D"),
        cross_attention_dim=widths, attention_head_dim=heads, class_embed_type="simple_projection",
        projection_class_embeddings_input_dim=embedding, class_embeddings_concat=True,
    )  # fmt: skip
    autoencoder = AutoencoderKL(
        in_channels=1, out_channels=1, latent_channels=8, layers_per_block=2, scaling_factor=SCALE,
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(vae, 2 * vae, 4 * vae),
    )  # fmt: skip
    hifigan = SpeechT5HifiGanConfig(
        model_in_dim=64, sampling_rate=16000, upsample_initial_channel=vocoder, upsample_rates=[5, 4, 2, 2, 2],
        upsample_kernel_sizes=[16, 16, 8, 4, 4], normalize_before=False,
    )  # fmt: skip
    roberta = ClapTextConfig(
        vocab_size=tower.vocabulary_size, num_hidden_layers=tower.num_layers, intermediate_size=tower.feed_forward,
        projection_dim=embedding,
    )  # fmt: skip
    nets = unet, autoencoder, SpeechT5HifiGan(hifigan), ClapTextModelWithProjection(roberta)
    return Modules(*(scramble(net, seed + index) for index, net in enumerate(nets)))


def laion_clap(
    scramble: Any, audio: str = "HTSAT-test", text: str = "roberta-test", embedding: int = 64, seed: int = 11
) -> Any:
    """laion-clap's own module with both towers."""
    return scramble(whole_laion_clap(text, audio, embedding), seed)


def write_tokenizer(folder: Path) -> Path:
    folder.mkdir(parents=True)
    RobertaTokenizer.bytes_only().write(folder)
    return folder


def write_diffusers_folder(modules: Modules, folder: Path, *, pickled: bool = False) -> Path:
    """A pipeline's folder; with `pickled` as older versions of diffusers wrote it: .bin, and old names in the VAE."""
    for part in ("unet", "vae", "vocoder", "text_encoder"):
        getattr(modules, part).save_pretrained(folder / part)
        if pickled:
            (weights,) = (folder / part).glob("*.safetensors")
            weights.unlink()
            tensors = getattr(modules, part).state_dict()
            if part == "vae":
                tensors = {_old_vae_name(name): tensor for name, tensor in tensors.items()}
            torch.save(tensors, folder / part / weights.name.replace("model.safetensors", "pytorch_model.bin")
                       .replace("diffusion_pytorch_pytorch", "diffusion_pytorch"))  # fmt: skip
    DDIMScheduler(beta_start=0.0015, beta_end=0.0195, beta_schedule="scaled_linear").save_pretrained(
        folder / "scheduler"
    )
    write_tokenizer(folder / "tokenizer")
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "AudioLDMPipeline"}))
    return folder


def _old_vae_name(name: str) -> str:
    for new, old in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
        name = name.replace(f"attentions.0.{new}.", f"attentions.0.{old}.")
    return name


# --- the original file -----------------------------------------------------------------------------------------------

_RESNET = (
    ("norm1.", "in_layers.0."), ("conv1.", "in_layers.2."), ("time_emb_proj.", "emb_layers.1."),
    ("norm2.", "out_layers.0."), ("conv2.", "out_layers.3."), ("conv_shortcut.", "skip_connection."),
)  # fmt: skip
_UNET = (
    (r"time_embedding\.linear_1", "time_embed.0"),
    (r"time_embedding\.linear_2", "time_embed.2"),
    (r"class_embedding", "film_emb"),
    (r"conv_in", "input_blocks.0.0"),
    (r"conv_norm_out", "out.0"),
    (r"conv_out", "out.2"),
    (r"down_blocks\.(\d)\.resnets\.(\d)", lambda m: f"input_blocks.{1 + 3 * int(m[1]) + int(m[2])}.0"),
    (r"down_blocks\.(\d)\.attentions\.(\d)", lambda m: f"input_blocks.{1 + 3 * int(m[1]) + int(m[2])}.1"),
    (r"down_blocks\.(\d)\.downsamplers\.0\.conv", lambda m: f"input_blocks.{3 + 3 * int(m[1])}.0.op"),
    (r"mid_block\.resnets\.(\d)", lambda m: f"middle_block.{2 * int(m[1])}"),
    (r"mid_block\.attentions\.0", "middle_block.1"),
    (r"up_blocks\.(\d)\.resnets\.(\d)", lambda m: f"output_blocks.{3 * int(m[1]) + int(m[2])}.0"),
    (r"up_blocks\.(\d)\.attentions\.(\d)", lambda m: f"output_blocks.{3 * int(m[1]) + int(m[2])}.1"),
    (r"up_blocks\.(\d)\.upsamplers\.0\.conv", lambda m: f"output_blocks.{2 + 3 * int(m[1])}.2.conv"),
)
_VAE = (
    (r"encoder\.down_blocks\.(\d)\.resnets", lambda m: f"encoder.down.{m[1]}.block"),
    (r"encoder\.down_blocks\.(\d)\.downsamplers\.0", lambda m: f"encoder.down.{m[1]}.downsample"),
    (r"decoder\.up_blocks\.(\d)\.resnets", lambda m: f"decoder.up.{2 - int(m[1])}.block"),
    (r"decoder\.up_blocks\.(\d)\.upsamplers\.0", lambda m: f"decoder.up.{2 - int(m[1])}.upsample"),
    (r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{1 + int(m[1])}"),
    (r"mid_block\.attentions\.0\.group_norm", "mid.attn_1.norm"),
    (r"mid_block\.attentions\.0\.to_([qkv])", lambda m: f"mid.attn_1.{m[1]}"),
    (r"mid_block\.attentions\.0\.to_out\.0", "mid.attn_1.proj_out"),
    (r"conv_shortcut", "nin_shortcut"),
    (r"conv_norm_out", "norm_out"),
)


def original_unet(unet: UNet2DConditionModel) -> dict[str, Tensor]:
    renamed = {}
    for name, tensor in unet.state_dict().items():
        for pattern, replacement in _UNET:
            original, hits = re.subn(f"^{pattern}", replacement, name)
            if hits:
                break
        if "resnets" in name:
            for new, old in _RESNET:
                original = original.replace(new, old)
        renamed[original] = tensor
    return renamed


def original_vae(vae: AutoencoderKL) -> dict[str, Tensor]:
    renamed = {}
    for name, tensor in vae.state_dict().items():
        original = name
        for pattern, replacement in _VAE:
            original = re.sub(pattern, replacement, original)
        is_map = "mid.attn_1" in original and tensor.ndim == 2
        renamed[original] = tensor[:, :, None, None] if is_map else tensor  # 1 x 1 convolutions there
    return renamed


def original_vocoder(vocoder: SpeechT5HifiGan, *, weight_norm: bool = False) -> dict[str, Tensor]:
    """Weight norm as HiFi-GAN trains with it, or folded, as the published checkpoints are."""
    renamed = {}
    for name, tensor in vocoder.state_dict().items():
        if name in ("mean", "scale"):
            continue
        original = name.replace("upsampler.", "ups.")
        if weight_norm and name.endswith("weight"):
            renamed[f"{original}_v"] = 3 * tensor  # any length: the norm takes it out
            renamed[f"{original}_g"] = torch.linalg.vector_norm(tensor, dim=(1, 2), keepdim=True)
        else:
            renamed[original] = tensor
    return renamed


def original_checkpoint(
    modules: Modules,
    clap: nn.Module,
    *,
    averaged: bool = True,
    stage: str = "cond_stage_model",
    weight_norm: Any = False,
) -> dict[str, Tensor]:
    """The state dict of the original file, with all that lies about in it.

    The moving average of the UNet is what `modules.unet` holds, and the raw weights are others, if there are both.
    """
    unet = original_unet(modules.unet)
    alphas = DDIMScheduler(beta_start=0.0015, beta_end=0.0195, beta_schedule="scaled_linear").alphas_cumprod
    strays = {
        "betas": torch.zeros(1000), "alphas_cumprod": alphas, "logvar": torch.zeros(1000),
        "first_stage_model.loss.logvar": torch.zeros(()), "first_stage_model.loss.discriminator.main.0.weight":
        torch.zeros(3), f"{stage}.model.text_branch.embeddings.position_ids": torch.arange(514)[None],
        f"{stage}.model.logit_scale_a": torch.tensor(1.0),
    }  # fmt: skip
    if averaged:
        strays |= {"model_ema.decay": torch.tensor(0.9999), "model_ema.num_updates": torch.tensor(7)}
        strays |= {f"model_ema.diffusion_model{name.replace('.', '')}": tensor for name, tensor in unet.items()}
        unet = {name: tensor + 0.5 for name, tensor in unet.items()}
    return {
        **{f"model.diffusion_model.{name}": tensor for name, tensor in unet.items()},
        **{f"first_stage_model.{name}": tensor for name, tensor in original_vae(modules.vae).items()},
        **{
            f"first_stage_model.vocoder.{name}": tensor
            for name, tensor in original_vocoder(modules.vocoder, weight_norm=weight_norm).items()
        },
        **{f"{stage}.model.{name}": tensor for name, tensor in clap.state_dict().items()},
        "scale_factor": torch.tensor(SCALE),
        **strays,
    }
