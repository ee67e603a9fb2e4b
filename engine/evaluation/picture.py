"""A contact sheet: the log-mel of one generated clip above a corpus clip, one column a class. Needs Matplotlib."""

import io
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.mel import LogMel, MelConfig

COLUMNS = 9  # classes a band
LEVELS = (-11.5, 1.0)  # log-mel shown black and white


def draw_contact_sheet(
    sounds: Sequence[str],
    generated: Sequence[NDArray[np.float32]],
    corpus: Sequence[NDArray[np.float32]],
    captions: Sequence[str],
) -> bytes:
    """A PNG of the first clip of each class; clips [T] at 16 kHz, `sounds` their classes, `captions` their prompts."""
    first = {sound: sounds.index(sound) for sound in sounds}
    bands = -(-len(first) // COLUMNS)
    columns = min(COLUMNS, len(first))
    figure = Figure(figsize=(1.9 * columns, 3.5 * bands), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2 * bands, columns, squeeze=False)
    for panel in axes.flat:
        panel.set_axis_off()
    for place, (sound, index) in enumerate(first.items()):
        row, column = 2 * (place // COLUMNS), place % COLUMNS
        _draw(axes[row, column], generated[index], f"{sound}\n{_short(captions[index])}")
        _draw(axes[row + 1, column], corpus[index], "corpus")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=100)
    return stream.getvalue()


def _draw(panel: Axes, waveform: NDArray[np.float32], title: str) -> None:
    log_mel = LogMel(MelConfig())(torch.from_numpy(waveform[None]))[0, 0]  # [N, M]
    panel.imshow(log_mel.numpy().T, origin="lower", aspect="auto", cmap="magma", vmin=LEVELS[0], vmax=LEVELS[1])
    panel.set_title(title, fontsize=7)


def _short(caption: str, length: int = 28) -> str:
    return caption if len(caption) <= length else caption[: length - 1] + "…"
