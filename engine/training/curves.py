"""A run as pictures: every figure of its log over the steps, and the log-mels of its samples. Needs Matplotlib."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.mel import LogMel, MelConfig

_NOT_FIGURES = ("step", "seconds")
_LEVELS = (-11.5, 1.0)  # log-mel shown black and white


def draw_curves(reports: Sequence[Mapping[str, float]]) -> bytes:
    """A PNG with one panel a figure; figures that are always positive have a logarithmic axis."""
    names = [name for name in dict.fromkeys(key for report in reports for key in report) if name not in _NOT_FIGURES]
    figure = Figure(figsize=(7.0, 2.2 * max(1, len(names))), layout="constrained")
    FigureCanvasAgg(figure)
    for index, name in enumerate(names):
        axes = figure.add_subplot(len(names), 1, index + 1)
        points = sorted({report["step"]: report[name] for report in reports if name in report}.items())
        steps, values = zip(*points, strict=True)
        axes.plot(steps, values, linewidth=1.2)
        if min(values) > 0:
            axes.set_yscale("log")
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
        if index == len(names) - 1:
            axes.set_xlabel("step")
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=110)
    return target.getvalue()


def draw_log_mels(waveforms: Mapping[str, NDArray[np.float32]]) -> bytes:
    """A PNG with the log-mel of each waveform [T] at 16 kHz under its name."""
    figure = Figure(figsize=(2.6 * len(waveforms), 2.2), layout="constrained")
    FigureCanvasAgg(figure)
    log_mel = LogMel(MelConfig())
    for panel, (name, waveform) in zip(
        figure.subplots(1, len(waveforms), squeeze=False).flat, waveforms.items(), strict=True
    ):
        spectrogram = log_mel(torch.from_numpy(waveform)[None])[0, 0].numpy().T
        panel.imshow(spectrogram, origin="lower", aspect="auto", cmap="magma", vmin=_LEVELS[0], vmax=_LEVELS[1])
        panel.set_title(name[:40], fontsize=7)
        panel.set_axis_off()
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=100)
    return target.getvalue()
