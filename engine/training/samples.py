"""What a run sounds like on its way: WAV files and a picture of their log-mels, every few minutes.

Matplotlib draws the picture; it comes with the extra `train`, and without it there are only the WAV files.
"""

import importlib
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path

import soundfile
from torch import Tensor

SAMPLES_FOLDER = "samples"
_MOST_LETTERS = 48  # of a file's name


def write_samples(folder: Path, step: int, samples: Mapping[str, Tensor], sample_rate: int) -> None:
    """`folder/samples/000500 NAME.wav` for each waveform [T], and `000500.png` of all; nothing if there are none."""
    if not samples:
        return
    folder = folder / SAMPLES_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    waveforms = {name: waveform.detach().float().cpu().numpy() for name, waveform in samples.items()}
    for name, waveform in waveforms.items():
        soundfile.write(folder / f"{step:06} {_file_name(name)}.wav", waveform, sample_rate, "PCM_16")
    if importlib.util.find_spec("matplotlib"):
        curves = importlib.import_module("engine.training.curves")
        (folder / f"{step:06}.png").write_bytes(curves.draw_log_mels(waveforms))


def _file_name(name: str) -> str:
    return re.sub(r"[^\w -]+", "", name)[:_MOST_LETTERS].strip() or "sample"
