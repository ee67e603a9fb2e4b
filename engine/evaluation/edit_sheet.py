"""A contact sheet of edits of recordings: the spectrogram of each take below its clip's. Needs Matplotlib."""

import io
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.audio import Audio
from engine.evaluation.recorded_edits import EditedClip

SHOWN = 12  # edits on a sheet
_COLUMNS = 4
_WINDOW_S = 0.02  # as long as a glottal pulse or two: both overtones and attacks show
_RANGE_DB = 90.0  # below the louder one of a pair is black


def draw_edits(edits: Sequence[EditedClip]) -> bytes:
    """A PNG of at most twelve edits, spread over all, the clip above and the take below it.

    Both of a pair share their scales: 0 Hz up to half of the sample rate, and levels below the louder one's loudest
    point, so that a hole, a whistle or a change of level is seen as one. Lines mark the region that was inpainted.
    """
    chosen = spread(edits)
    bands = -(-len(chosen) // _COLUMNS)
    figure = Figure(figsize=(3.6 * min(_COLUMNS, len(chosen)), 4.6 * bands), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2 * bands, min(_COLUMNS, len(chosen)), squeeze=False)
    for panel in axes.flat:
        panel.set_axis_off()
    for place, edit in enumerate(chosen):
        row, column = 2 * (place // _COLUMNS), place % _COLUMNS
        _draw_pair((axes[row, column], axes[row + 1, column]), edit)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=80)
    return stream.getvalue()


def spread(edits: Sequence[EditedClip]) -> list[EditedClip]:
    """At most `SHOWN` edits of clips spread over all, one a clip while there are enough, the kinds of edit in turn."""
    of_clips: dict[str, list[EditedClip]] = {}
    for edit in edits:
        of_clips.setdefault(edit.row.clip, []).append(edit)
    clips = list(of_clips.values())
    if len(clips) <= SHOWN:
        laps = range(max(map(len, clips)))
        in_turn = [
            clip[(place + lap) % len(clip)] for lap in laps for place, clip in enumerate(clips) if lap < len(clip)
        ]
        return in_turn[:SHOWN]
    places = [round(place * (len(clips) - 1) / (SHOWN - 1)) for place in range(SHOWN)]
    return [clips[at][place % len(clips[at])] for place, at in enumerate(places)]


def _draw_pair(panels: tuple[Axes, Axes], edit: EditedClip) -> None:
    levels = [_spectrogram(audio) for audio in (edit.clip, edit.take)]
    top = max(float(level.max()) for level in levels)
    rate = edit.take.sample_rate
    extent = (0.0, edit.clip.seconds, 0.0, rate / 2_000)
    words = f"{edit.row.edit}: {edit.words}" if edit.words else edit.row.edit
    titles = edit.row.clip[-34:], f"{words[:30]}  {edit.row.loudness_lu:+.1f} LU"
    for panel, level, title in zip(panels, levels, titles, strict=True):
        panel.set_axis_on()
        panel.imshow(level, origin="lower", aspect="auto", cmap="magma", vmin=top - _RANGE_DB, vmax=top, extent=extent)
        panel.set_title(title, fontsize=8)
        panel.tick_params(labelsize=6)
        for border in edit.region_s or ():
            panel.axvline(border, color="cyan", linewidth=0.7)


def _spectrogram(audio: Audio) -> NDArray[np.float32]:
    """Levels of both channels' mean [F, N], in dB."""
    size = 2 ** round(np.log2(_WINDOW_S * audio.sample_rate))
    mono = torch.from_numpy(np.ascontiguousarray(audio.samples.mean(axis=0), dtype=np.float32))
    bins = torch.stft(mono, size, size // 4, window=torch.hann_window(size), return_complex=True, pad_mode="constant")
    return (20 * torch.log10(bins.abs().clamp(min=1e-9))).numpy()
