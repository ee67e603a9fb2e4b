"""The curves of a run as a picture: every figure of its log over the steps. Needs Matplotlib."""

import io
from collections.abc import Mapping, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_NOT_FIGURES = ("step", "seconds")


def draw_curves(reports: Sequence[Mapping[str, float]]) -> bytes:
    """A PNG with one panel a figure; figures that are positive throughout stand on a logarithmic axis."""
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
