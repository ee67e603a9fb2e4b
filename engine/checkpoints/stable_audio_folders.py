"""Which folders hold a Stable Audio 3, in either of its forms, and what they say of it; nothing here needs PyTorch."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.checkpoints.model_files import read_object
from engine.families.stable_audio.config import AUTHORS_TYPE, PIPELINES, DiTConfig, read_authors_config

AUTHORS_FILE, PIPELINE_FILE = "model_config.json", "model_index.json"
TEXT_FOLDER = "t5gemma-b-b-ul2"


@dataclass(frozen=True)
class SoundShape:
    """What the sounds of a model are like: Hz, channels, and the seconds that it makes without windows."""

    sample_rate: int
    channels: int
    at_once_s: float


def holds_stable_audio(folder: Path) -> bool:
    """Whether a folder says of itself that it is one."""
    try:
        if (folder / PIPELINE_FILE).is_file():
            return read_object(folder / PIPELINE_FILE).get("_class_name") in PIPELINES
        return read_object(folder / AUTHORS_FILE).get("model_type") == AUTHORS_TYPE
    except (OSError, ValueError):
        return False


def shape_of_stable_audio(folder: Path) -> SoundShape | None:
    """What the model's config says of its sounds; None where it cannot be read."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        if (folder / PIPELINE_FILE).is_file():
            vae, dit = (read_object(folder / part / "config.json") for part in ("vae", "transformer"))
            is_small = int(dit.get("embed_dim", DiTConfig.embed_dim)) <= DiTConfig.embed_dim
            rate, channels = int(vae.get("sampling_rate", 44_100)), int(vae.get("audio_channels", 2))
            return SoundShape(rate, channels, 120.0 if is_small else 380.0)
        config = read_authors_config(read_object(folder / AUTHORS_FILE), folder.name)
        return SoundShape(config.same.sampling_rate, config.same.audio_channels, config.longest_s)
    return None
