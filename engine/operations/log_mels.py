"""What the operations do beyond any model's abilities where its latents are of log-mels, and which models those are."""

from typing import Any, TypeGuard

from engine.audioldm import AudioLDM
from engine.model import SoundModel
from engine.operations.bands import AIR_FROM, air_hz


def has_log_mels(model: SoundModel[Any]) -> TypeGuard[AudioLDM]:
    """Whether there are bands to fill, contours to hold and CLAP's embeddings to mix."""
    return model.capabilities.log_mels


def sketches(model: SoundModel[Any]) -> bool:
    """Whether a clean latent can be held to a contour at every step."""
    return has_log_mels(model) and model.sketches


def air_from(model: SoundModel[Any], sample_rate: int) -> float | None:
    """Where the sound begins, in Hz, that the model cannot make; None where a clip of that rate has none."""
    if has_log_mels(model):
        return air_hz(model.config.mel)
    return AIR_FROM * model.top_hz if sample_rate / 2 > model.top_hz else None
