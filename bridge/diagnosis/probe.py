"""`retake examine`, for `retake doctor` only: tries what may crash, and prints the result as JSON."""

import importlib
import importlib.metadata
import importlib.util
import json
import sys
from collections.abc import Sequence
from typing import Any

_LOADED = ("numpy", "soundfile", "soxr", "safetensors", "tokenizers", "platformdirs", "pythonosc", "filelock", "tqdm")
"""Packages that load quickly, several of which need system libraries."""
_PRESENT = ("torch", "scipy", "transformers", "huggingface_hub")
"""Packages that take seconds to load, and are only searched for."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print the answer to one question, `packages`, `clap` or `outputs`."""
    questions = {"packages": _packages, "clap": _clap, "outputs": _outputs}
    (word,) = sys.argv[1:] if argv is None else argv
    print(json.dumps(questions[word]()))
    return 0


def _packages() -> dict[str, str]:
    """Return for each package why it cannot be loaded; "" where it can."""
    return {name: _why_not(name) for name in _LOADED} | {
        name: "" if importlib.util.find_spec(name) else "it is not installed" for name in _PRESENT
    }


def _why_not(name: str) -> str:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        return "it is not installed" if error.name == name else f"it lacks {error.name}"
    except Exception as error:  # noqa: BLE001 - a package may raise anything, and that is the answer
        return str(error).partition("\n")[0] or type(error).__name__
    return ""


def _clap() -> dict[str, str]:
    """Name the library that computes CLAP's audio tower here, and its version."""
    library = str(importlib.import_module("engine").installed_back_end())
    return {"library": library, "version": importlib.metadata.version(library)}


def _outputs() -> dict[str, Any]:
    """Return the audio outputs and the default one. Raises what sounddevice raises."""
    sounddevice = importlib.import_module("sounddevice")
    devices = list(sounddevice.query_devices())
    default = sounddevice.default.device[1]
    return {
        "outputs": [device["name"] for device in devices if device["max_output_channels"]],
        "default": devices[default]["name"] if 0 <= default < len(devices) else None,
    }
