"""How long jobs wait in farms of several sizes, as a picture. Needs Matplotlib."""

import io
from collections.abc import Mapping, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

Size = tuple[int, float, float]  # GPUs, p95 of the waiting time in seconds, the share of the time that they work

_TALLEST = 1.6  # as a multiple of the limit: beyond, a farm is too small, however much


def draw_sizes(sizes: Mapping[int, Sequence[Size]], limit_s: float) -> bytes:
    """A PNG with one panel for each number of artists: waiting time and load over the number of GPUs."""
    figure = Figure(figsize=(3.4 * len(sizes), 3.0), layout="constrained")
    FigureCanvasAgg(figure)
    for (artists, points), axes in zip(sizes.items(), figure.subplots(1, len(sizes), squeeze=False)[0], strict=True):
        gpus, p95_s, busy = zip(*points, strict=True)
        axes.set_title(f"{artists:,} artists", fontsize=9)
        axes.plot(gpus, p95_s, marker="o", markersize=3, color="#30588c")
        axes.axhline(limit_s, color="#a03030", linewidth=0.8, linestyle="--")
        axes.set_ylim(0, _TALLEST * limit_s)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("GPUs", fontsize=8)
        axes.set_ylabel("95 of 100 wait at most, s", fontsize=8, color="#30588c")
        load = axes.twinx()
        load.plot(gpus, [100 * share for share in busy], color="#808080", linewidth=0.9)
        load.set_ylim(0, 105)
        load.set_ylabel("busy, %", fontsize=8, color="#808080")
        for side in (axes, load):
            side.tick_params(labelsize=7)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=90)
    return stream.getvalue()
