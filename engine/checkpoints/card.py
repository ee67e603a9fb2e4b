"""The model card of an imported checkpoint: what it is, whose it is, what works with it."""

from engine.audioldm import AudioLDMConfig
from engine.models.clap import ClapConfig

_DEAF = (
    "It reads prompts but cannot hear, for its files hold no audio tower of CLAP's: candidates are not ranked, and like"
    " and vary do not work. Import it again with --clap and a LAION-CLAP file, or import the original .ckpt."
)
# Notes about the weights, for `AudioLDMConfig.source`
RAW_UNET = "the file has no moving average of the UNet, so its raw weights were taken"
OTHER_CLAP = "the text tower and that of the CLAP given beside it differ, so scores and like may mean nothing"


def limits_of(config: AudioLDMConfig) -> list[str]:
    """A sentence for everything that an imported model cannot do, or not as well as another."""
    deaf = isinstance(config.clap, ClapConfig) and config.clap.audio_tower is None
    said = [remark[0].upper() + remark[1:] + "." for remark in (RAW_UNET, OTHER_CLAP) if remark in config.source]
    return [*([_DEAF] if deaf else []), *said]


def model_card(config: AudioLDMConfig, num_numbers: int) -> str:
    """MODEL_CARD.md of an imported model."""
    heads = (
        f"{config.unet.num_heads} at every level"
        if config.unet.num_heads
        else f"one for {config.unet.head_dim} channels"
    )
    facts = (
        ("Source", config.source),
        ("Licence of the weights", config.licence),
        ("Size", f"{num_numbers / 1e6:.0f} million numbers"),
        ("UNet", f"{config.unet.base_channels} channels, attention heads: {heads}"),
        ("Audio", f"{config.mel.sample_rate} Hz, mono"),
    )
    works = "Generate, restyle, inpaint and upscale work; so do negative prompts."
    return "\n".join(
        [
            f"# {config.name}",
            "",
            "AudioLDM (Liu et al. 2023, arXiv 2301.12503), imported into Retake; the weights were not changed.",
            "",
            *(f"- {name}: {value}" for name, value in facts),
            "",
            "## What works",
            "",
            "\n".join([works, *limits_of(config)]),
            "",
        ]
    )
