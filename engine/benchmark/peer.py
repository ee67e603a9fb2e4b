"""diffusers' AudioLDM pipeline at the size of one of our models, with random weights of its own; needs diffusers."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from diffusers import AudioLDMPipeline, AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch import nn
from transformers import (
    ClapTextConfig,
    ClapTextModelWithProjection,
    PreTrainedTokenizerFast,
    SpeechT5HifiGan,
    SpeechT5HifiGanConfig,
)

from engine.audioldm import AudioLDMConfig
from engine.models.clap import ClapConfig
from engine.models.clap_sizes import TEXT_TOWERS
from engine.models.clap_tokenizer import PAD, RobertaTokenizer
from engine.models.vocoder import HiFiGanConfig

_PROMPT_TOKENS = 77
OnPeerStep = Callable[[int, int, torch.Tensor], None]  # (step index, timestep, latents)


class Peer:
    """The pipeline with the benchmark's settings."""

    def __init__(self, config: AudioLDMConfig) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self._pipeline = AudioLDMPipeline(
                vae=_vae(config), text_encoder=_text_tower(config), tokenizer=_tokenizer(), unet=_unet(config),
                scheduler=_scheduler(config), vocoder=_vocoder(config),
            )  # fmt: skip
        self._pipeline.set_progress_bar_config(disable=True)

    @property
    def stages(self) -> dict[str, nn.Module]:
        """Its nets, under our names."""
        pipe = self._pipeline
        return {"text": pipe.text_encoder, "unet": pipe.unet, "vae": pipe.vae.decoder, "vocoder": pipe.vocoder}

    def generate(
        self, prompt: str, seconds: float, steps: int, guidance: float, candidates: int, on_step: OnPeerStep
    ) -> torch.Tensor:
        """Waveforms [candidates, T]."""
        made = self._pipeline(
            prompt, audio_length_in_s=seconds, num_inference_steps=steps, guidance_scale=guidance,
            num_waveforms_per_prompt=candidates, callback=on_step, output_type="pt",
        )  # fmt: skip
        waveforms: torch.Tensor = made.audios
        return waveforms


def _unet(config: AudioLDMConfig) -> nn.Module:
    ours = config.unet
    widths = tuple(ours.base_channels * mult for mult in ours.channel_mult)
    net: nn.Module = UNet2DConditionModel(
        in_channels=ours.latent_channels, out_channels=ours.latent_channels, block_out_channels=widths,
        layers_per_block=ours.num_res_blocks, norm_num_groups=ours.groups,
        down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * 3),
        up_block_types=(*["CrossAttnUpBlock2D"] * 3, "UpBlock2D"),
        cross_attention_dim=widths, attention_head_dim=tuple(width // ours.head_dim for width in widths),
        class_embed_type="simple_projection", projection_class_embeddings_input_dim=ours.condition_size,
        class_embeddings_concat=True,
    )  # fmt: skip
    return net.eval()


def _vae(config: AudioLDMConfig) -> nn.Module:
    ours = config.vae
    net: nn.Module = AutoencoderKL(
        in_channels=1, out_channels=1, latent_channels=ours.latent_channels, layers_per_block=ours.num_res_blocks,
        block_out_channels=tuple(ours.base_channels * mult for mult in ours.channel_mult),
        down_block_types=("DownEncoderBlock2D",) * len(ours.channel_mult),
        up_block_types=("UpDecoderBlock2D",) * len(ours.channel_mult), norm_num_groups=ours.groups,
    )  # fmt: skip
    return net.eval()


def _vocoder(config: AudioLDMConfig) -> nn.Module:
    ours = config.vocoder
    assert isinstance(ours, HiFiGanConfig), "diffusers has HiFi-GAN only"
    net: nn.Module = SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=ours.num_mels, sampling_rate=config.mel.sample_rate, upsample_initial_channel=ours.channels,
            upsample_rates=list(ours.rates), upsample_kernel_sizes=list(ours.kernels),
            resblock_kernel_sizes=list(ours.residual_kernels),
            resblock_dilation_sizes=[list(ours.dilations)] * len(ours.residual_kernels), normalize_before=False,
        )
    )  # fmt: skip
    return net.eval()


def _text_tower(config: AudioLDMConfig) -> nn.Module:
    assert isinstance(config.clap, ClapConfig), "diffusers has LAION's CLAP only"
    ours = TEXT_TOWERS[config.clap.text_tower]
    net: nn.Module = ClapTextModelWithProjection(
        ClapTextConfig(
            vocab_size=ours.vocabulary_size, hidden_size=ours.width, num_hidden_layers=ours.num_layers,
            num_attention_heads=ours.num_heads, intermediate_size=ours.feed_forward,
            max_position_embeddings=ours.num_positions, type_vocab_size=1, projection_dim=config.clap.embedding_dim,
        )
    )  # fmt: skip
    return net.eval()


def _tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, for want of a vocabulary; prompts are padded to the training's 77, not to RoBERTa's 512."""
    with TemporaryDirectory() as folder:
        RobertaTokenizer.bytes_only().write(Path(folder))
        return PreTrainedTokenizerFast(
            tokenizer_file=f"{folder}/tokenizer.json", pad_token=PAD, model_max_length=_PROMPT_TOKENS
        )


def _scheduler(config: AudioLDMConfig) -> Any:
    schedule = config.schedule
    return DDIMScheduler(
        num_train_timesteps=schedule.num_train_steps, beta_start=schedule.beta_start, beta_end=schedule.beta_end,
        beta_schedule="scaled_linear", steps_offset=1, set_alpha_to_one=False, clip_sample=False,
    )  # fmt: skip
