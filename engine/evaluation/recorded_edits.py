"""What edits of recordings keep: loudness, offset, sound above the model's band; measured directly, not by a net.

Each clip is restyled and varied as a whole, and a region in its middle is inpainted. The words for a clip are the name
of its folder, or its own if all are in one folder; it is restyled to the next clip's.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from engine.audio import SHORTEST_S, Audio
from engine.errors import CancelledError
from engine.evaluation.folders import sound_files_in
from engine.operations.bands import keep_band
from engine.operations.limiter import true_peak
from engine.operations.loudness import level_of
from engine.operations.splice import rms
from engine.requests import Inpaint, Restyle, Vary
from engine.wav_writer import Samples

LONGEST_S = 5.0  # seconds of a recording that are edited
HOLE_SHARE = 0.3, 0.6  # of the clip: what is inpainted
BORDER_S = 0.2  # seconds inside of a border, under a bell, whose offset is compared with what was there
ABOVE_HZ = 8_500.0
FAINTEST_DB = -120.0

Edit = Restyle | Vary | Inpaint


class RecordingEditor(Protocol):
    """The part of the engine that is put to the test."""

    def run(self, request: Edit) -> list[Audio]: ...


@dataclass(frozen=True)
class KeptRow:
    """One edit of one recording; the take's figures less those of what it replaces, in the edited region."""

    clip: str
    edit: str
    loudness_lu: float
    above_db: float | None  # above the model's band; None: the recording has nothing there
    true_peak_db: float  # of what was made, full scale is 0
    offset_change: float  # the largest of a channel's constant offset, inside a border

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class EditedClip:
    """One edit with its sound, to be looked at."""

    row: KeptRow
    clip: Audio
    take: Audio
    words: str  # what was asked for; empty: nothing
    region_s: tuple[float, float] | None  # what was inpainted; None: all of it


@dataclass(frozen=True)
class KeptReport:
    """All rows."""

    model: str
    rows: tuple[KeptRow, ...]

    def to_json(self) -> dict[str, Any]:
        return {"model": self.model, "rows": [row.to_json() for row in self.rows]}

    def to_text(self) -> str:
        """A table, and the share of the edits within 2 LU."""
        lines = [f"{'recording':<44} {'edit':<8} {'loudness':>9} {'above':>9} {'peak':>9} {'offset':>7}"]
        for row in self.rows:
            above = "-" if row.above_db is None else f"{row.above_db:+.1f} dB"
            figures = f"{row.loudness_lu:+6.1f} LU {above:>9} {row.true_peak_db:+6.1f} dB {row.offset_change:7.4f}"
            lines.append(f"{row.clip[-44:]:<44} {row.edit:<8} {figures}")
        near = sum(abs(row.loudness_lu) <= 2 for row in self.rows)
        return "\n".join([*lines, f"{self.model}: {near} of {len(self.rows)} edits within 2 LU of what they replace"])


def evaluate_recordings(
    engine: RecordingEditor,
    folder: Path,
    model: str = "nano",
    seed: int = 1,
    on_clip: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    on_edit: Callable[[EditedClip], None] | None = None,
) -> KeptReport:
    """Edit each recording in a folder, and in the folders in it, three ways, and give each to `on_edit`.

    Raises:
        ClipFolderMissingError, TooFewClipsError: there is no such folder, or no recording in it.
        AudioFileError: one cannot be read.
        CancelledError: `should_stop` says so.
    """
    files = sound_files_in(folder)
    words = [(path.stem if path.parent == folder else path.parent.name).replace("_", " ") for path in files]
    rows: list[KeptRow] = []
    for index, (path, own) in enumerate(zip(files, words, strict=True)):
        whole = Audio.read(path)
        clip = Audio(whole.samples[:, : round(LONGEST_S * whole.sample_rate)], whole.sample_rate)
        other = next((word for word in words[index:] + words if word != own), own)
        for request in _requests(clip, other, own, seed):
            if should_stop and should_stop():
                raise CancelledError
            take = engine.run(request)[0]
            rows.append(kept(path.relative_to(folder).as_posix(), request, take))
            if on_edit:
                on_edit(_edited(rows[-1], request, take))
        if on_clip:
            on_clip(index + 1, len(files))
    return KeptReport(model, tuple(rows))


def _requests(clip: Audio, other: str, own: str, seed: int) -> Iterator[Edit]:
    yield Restyle(clip, other, seed=seed)
    yield Vary(clip, seed=seed)
    start_s, end_s = (share * clip.seconds for share in HOLE_SHARE)
    if end_s - start_s > SHORTEST_S:
        yield Inpaint(clip, own, [(start_s, end_s)], seed=seed)


def kept(name: str, request: Edit, take: Audio) -> KeptRow:
    """What a take kept of the region that it replaces."""
    clip, rate = request.clip, take.sample_rate
    regions = request.sample_regions() if isinstance(request, Inpaint) else [(0, clip.num_samples)]
    ((start, end),) = regions
    source, made = clip.samples[:, start:end], take.samples[:, start:end]
    return KeptRow(
        clip=name,
        edit=type(request).__name__.lower(),
        loudness_lu=level_of(made, rate).lufs - level_of(source, rate).lufs,
        above_db=_above_db(source, made, rate),
        true_peak_db=20 * np.log10(max(true_peak(made, rate), 1e-9)),
        offset_change=_offset_change(clip.samples, take.samples, (start, end), rate),
    )


def _edited(row: KeptRow, request: Edit, take: Audio) -> EditedClip:
    words = "" if isinstance(request, Vary) else request.prompt
    if not isinstance(request, Inpaint):
        return EditedClip(row, request.clip, take, words, None)
    start, end = (place / take.sample_rate for place in request.sample_regions()[0])
    return EditedClip(row, request.clip, take, words, (start, end))


def _above_db(source: Samples, made: Samples, rate: int) -> float | None:
    if rate / 2 <= ABOVE_HZ:
        return None
    levels = [20 * np.log10(max(rms(keep_band(one, rate, ABOVE_HZ, None)), 1e-9)) for one in (source, made)]
    return None if levels[0] < FAINTEST_DB + 20 else levels[1] - levels[0]


def _offset_change(source: Samples, made: Samples, region: tuple[int, int], rate: int) -> float:
    """Return the largest change of an offset inside a border; for a whole clip, of its mean."""
    start, end = region
    change = made[:, start:end] - source[:, start:end]
    if start == 0 and end == source.shape[1]:
        return float(np.abs(change.mean(axis=1)).max())
    bell = np.hanning(min(round(BORDER_S * rate), end - start) + 2)[1:-1]
    bell /= bell.sum()
    return float(max(np.abs(side @ bell).max() for side in (change[:, : len(bell)], change[:, -len(bell) :])))
