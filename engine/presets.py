"""The sizes that models come in: nano ships with Retake, s, m and l are the published ones, tiny is for tests."""

from dataclasses import replace

import torch

from engine.audioldm import AudioLDM, AudioLDMConfig
from engine.models.clap import ClapConfig, LaionClap
from engine.models.clap_tokenizer import RobertaTokenizer
from engine.models.pocket_clap import PocketClapConfig
from engine.models.unet import UNetConfig
from engine.models.vae import VaeConfig
from engine.models.vocoder import GriffinLimConfig

_NON_COMMERCIAL = "CC BY-NC-SA 4.0"

S = AudioLDMConfig(name="s", licence=_NON_COMMERCIAL, default_steps=20)
M = replace(S, name="m", unet=UNetConfig(base_channels=192), clap=ClapConfig(audio_tower="HTSAT-base"))
L = replace(S, name="l", unet=UNetConfig(base_channels=256, head_dim=64))

NANO = AudioLDMConfig(
    name="nano",
    vae=VaeConfig(
        base_channels=32,
        channel_mult=(1, 3),
        num_res_blocks=1,
        groups=8,
        mid_attention=False,
        patch_size=2,
        linear_skip=True,
        mel_mean=-4.5,
        mel_std=3.0,
    ),
    unet=UNetConfig(
        base_channels=96,
        channel_mult=(1, 2),
        attention_levels=(1,),
        condition_size=128,
        groups=8,
        patch_size=2,
        frequency_positions=True,
        scale_shift=True,
        attention="plain",
        compact=True,
        condition_scale=128**0.5,  # brings the unit vector's elements to unit size
        embedding_hidden=640,
    ),
    vocoder=GriffinLimConfig(),
    clap=PocketClapConfig(),
    prediction="v",
    clip_x0=2.5,  # the largest value of any training latent is 2.75
    normalise_peak=None,
    window_rows=128,  # 5.12 s
    shortest_s=0.0,  # a share of its training clips was shorter than the window
    default_steps=15,
    default_guidance=2.0,
    default_tries=3,
    good_match=0.75,  # three in four first tries reach it, and they are named right more often than the others
    default_structure=0.6,
)

TINY = replace(
    NANO,
    name="tiny",
    vae=replace(NANO.vae, base_channels=8, channel_mult=(1, 2), groups=4),
    unet=replace(
        NANO.unet,
        base_channels=16,
        num_res_blocks=1,
        head_dim=16,
        groups=4,
        condition_size=32,
        condition_scale=32**0.5,
        embedding_hidden=0,
    ),
    vocoder=GriffinLimConfig(num_iterations=4, num_inversion_steps=4),
    clap=PocketClapConfig(
        embedding_dim=32, audio_channels=(8, 8, 16, 16), text_width=32, text_layers=1, num_buckets=512
    ),
    window_rows=32,  # 1.28 s
    default_steps=4,
    default_tries=1,
    good_match=None,
    default_structure=0.0,  # it has nothing to keep a structure with
)

PRESETS: dict[str, AudioLDMConfig] = {preset.name: preset for preset in (NANO, S, M, L, TINY)}


def build(config: AudioLDMConfig, seed: int = 0) -> AudioLDM:
    """A model with random weights, the same ones for the same seed; PyTorch's global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AudioLDM(config)
        _wake(model)
    if isinstance(model.clap, LaionClap):
        model.clap.tokenizer = RobertaTokenizer.bytes_only()
    return model.eval()


def _wake(model: AudioLDM) -> None:
    """Zero-initialised layers get small random weights, so that an untrained model makes some sound."""
    for parameter in model.parameters():
        if parameter.dim() > 1 and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.02)
