"""A model in the making: one safetensors file per part, so that parts can be trained at the same time, then joined."""

import os
from dataclasses import replace
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import nn

from engine.audioldm import AudioLDM, AudioLDMConfig
from engine.models.pocket_clap import PocketClapConfig
from engine.models.vocoder import HiFiGanConfig
from engine.presets import PRESETS
from engine.sounds import SOUND_WORDS, SOUNDS

SMALL_HIFI_GAN = HiFiGanConfig(
    channels=128,
    kernels=(11, 8, 4, 4, 4),
    residual_kernels=(3, 7),
    dilations=(1, 3),
    mel_mean=-4.5,
    mel_std=3.0,
)


def config_for_training(preset: str) -> AudioLDMConfig:
    """A preset's config with the corpus' words in it."""
    config = PRESETS[preset]
    if isinstance(config.clap, PocketClapConfig):
        clap = replace(config.clap, known_words=tuple(sorted(SOUND_WORDS)))
        config = replace(config, clap=clap, sounds=tuple(SOUNDS))
    return config


def trainable_vocoder(config: AudioLDMConfig) -> HiFiGanConfig:
    """The preset's own HiFi-GAN, or a small one for presets whose vocoder has nothing to learn."""
    return config.vocoder if isinstance(config.vocoder, HiFiGanConfig) else SMALL_HIFI_GAN


def save_part(folder: Path, name: str, module: nn.Module) -> None:
    """Replace the part as a whole."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{name}.safetensors.part"
    save_file({key: tensor.detach().cpu().contiguous() for key, tensor in module.state_dict().items()}, partial)
    os.replace(partial, folder / f"{name}.safetensors")


def load_part(folder: Path, name: str, module: nn.Module) -> bool:
    """Fill the module from its part; False if that part is not trained yet."""
    path = folder / f"{name}.safetensors"
    if not path.exists():
        return False
    module.load_state_dict(load_file(path))
    return True


class LatentScaling(nn.Module):
    """The two buffers by which latents are centred and scaled, as a part of their own."""

    def __init__(self, model: AudioLDM) -> None:
        super().__init__()
        self.register_buffer("latent_mean", model.latent_mean)
        self.register_buffer("latent_scale", model.latent_scale)


def join_parts(folder: Path, preset: str) -> AudioLDM:
    """The model with every part that is trained so far; the others keep random weights."""
    config = config_for_training(preset)
    if (folder / "vocoder.safetensors").exists():
        config = replace(config, vocoder=trainable_vocoder(config))
    model = AudioLDM(config).eval()
    clap = model.clap
    assert isinstance(clap, nn.Module), "a CLAP is a module"
    for name, module in (
        ("clap", clap),
        ("vae", model.vae),
        ("latents", LatentScaling(model)),
        ("vocoder", model.vocoder),
        ("unet", model.unet),
    ):
        load_part(folder, name, module)
    return model
