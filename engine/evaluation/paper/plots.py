"""The results as pictures, one a part: bars with their spread, lines over steps or scales. Needs Matplotlib."""

import io
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from engine.evaluation.paper.tables import Line, Panel


def draw_panels(panels: Sequence[Panel]) -> bytes:
    """A PNG of panels side by side, well below 100 kB."""
    figure = Figure(figsize=(3.4 * len(panels), 3.0), layout="constrained")
    FigureCanvasAgg(figure)
    for panel, axes in zip(panels, figure.subplots(1, len(panels), squeeze=False)[0], strict=True):
        axes.set_title(panel.title, fontsize=9)
        if panel.x_title:
            _draw_lines(axes, panel)
        else:
            _draw_bars(axes, panel.lines[0])
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=90)
    return stream.getvalue()


def _draw_bars(axes: Axes, line: Line) -> None:
    places = range(len(line.places))
    axes.barh(places, line.means, xerr=line.deviations, color="#5b7fa6", capsize=2)
    axes.set_yticks(places, [str(place) for place in line.places])
    axes.invert_yaxis()


def _draw_lines(axes: Axes, panel: Panel) -> None:
    for line in panel.lines:
        axes.errorbar(
            line.places, line.means, yerr=line.deviations, marker="o", markersize=3, capsize=2, label=line.label
        )
    axes.set_xlabel(panel.x_title, fontsize=8)
    if len(panel.lines) > 1:
        axes.legend(fontsize=7)
