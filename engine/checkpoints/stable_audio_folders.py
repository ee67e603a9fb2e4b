"""Which folders hold a Stable Audio 3, in either of its forms; nothing here needs PyTorch."""

from pathlib import Path

from engine.checkpoints.model_files import read_object
from engine.families.stable_audio.config import AUTHORS_TYPE, PIPELINES

AUTHORS_FILE, PIPELINE_FILE = "model_config.json", "model_index.json"


def holds_stable_audio(folder: Path) -> bool:
    """Whether a folder says of itself that it is one."""
    try:
        if (folder / PIPELINE_FILE).is_file():
            return read_object(folder / PIPELINE_FILE).get("_class_name") in PIPELINES
        return read_object(folder / AUTHORS_FILE).get("model_type") == AUTHORS_TYPE
    except (OSError, ValueError):
        return False
