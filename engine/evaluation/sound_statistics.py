"""Statistics in which recordings and synthesised sounds differ, measured directly, not by a net.

Recordings are never silent, repeat themselves less, and their bands do not rise and fall as one. Levels over time are
taken at 16 kHz in mono; the share of the highs and the length of events at the clip's own rate.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.audio import Audio
from engine.errors import CancelledError, EngineError
from engine.evaluation.classifier import SAMPLE_RATE, mono_16_khz
from engine.evaluation.evaluation_errors import (
    ClipFolderMissingError,
    ClipUnusableError,
    NoClipsError,
    TooFewClipsError,
)
from engine.evaluation.folders import SUFFIXES
from engine.sounds import render

LONGEST_S = 10.0  # seconds of a clip that are measured
CORPUS_RATE = 48_000  # Hz at which the corpus is rendered, for its highs
CORPUS_S = 5.12
ABOVE_HZ = 8_000.0
LOWEST_FULL_RATE = 32_000  # Hz, below which a clip says nothing of its highs
FAINTEST_DB = -140.0

_FLOOR_FRAME_S = 0.02
_ENVELOPE_FRAME_S, _ENVELOPE_DEPTH_DB, _SHORTEST_PERIOD_S = 0.01, 60.0, 0.1
_BAND_FRAME, _BAND_EDGES_HZ = 256, (62, 125, 250, 500, 1000, 2000, 4000, 8001)
_EVENT_FRAME_S, _EVENT_DEPTH_DB, _EVENT_GAP_S = 0.005, 20.0, 0.03

Signal = NDArray[np.float64]
World = dict[str, list["SoundStatistics"]]


class Measurable(Protocol):
    """What a corpus clip is to this module: a waveform float32 [T], and its rate in Hz."""

    @property
    def waveform(self) -> NDArray[np.float32]: ...
    @property
    def sample_rate(self) -> int: ...


@dataclass(frozen=True)
class SoundStatistics:
    """One clip's figures, or the medians of many; None where a clip is too short, or its rate too low, to say."""

    floor_db: float | None  # the level below which a twentieth of the 20-ms frames lie, under the loudest frame
    repetition: float | None  # 0 to 1: highest autocorrelation of the level in dB, from 0.1 s to half the clip
    flicker: float | None  # -1 to 1: mean correlation between octave bands of their changes from frame to frame
    above_db: float | None  # energy above 8 kHz in the whole
    event_s: float | None  # median length of what lies within 20 dB of the loudest 5 ms


FIGURES: tuple[str, ...] = tuple(field.name for field in fields(SoundStatistics))


def measure_clip(clip: Audio) -> SoundStatistics:
    """Return the figures of the first ten seconds of a clip."""
    short = Audio(clip.samples[:, : round(LONGEST_S * clip.sample_rate)], clip.sample_rate)
    low = mono_16_khz(short).astype(np.float64)
    full = short.to_mono().samples[0].astype(np.float64)
    return SoundStatistics(
        floor_db=_floor_db(low),
        repetition=_repetition(low),
        flicker=_flicker(low),
        above_db=_above_db(full, clip.sample_rate),
        event_s=_event_s(full, clip.sample_rate),
    )


def _levels(track: Signal, frame_s: float, rate: int) -> Signal:
    """Root mean square of every frame; at least one, of a clip that is shorter."""
    frame = min(len(track), max(1, round(frame_s * rate)))
    levels: Signal = np.sqrt(np.mean(track[: len(track) // frame * frame].reshape(-1, frame) ** 2, axis=1))
    return levels


def _decibels(levels: Signal, depth_db: float) -> Signal:
    """Levels in dB below the loudest, none below `depth_db`."""
    decibels: Signal = 20 * np.log10(np.maximum(levels / levels.max(), 10 ** (-depth_db / 20)))
    return decibels


def _floor_db(track: Signal) -> float | None:
    levels = _levels(track, _FLOOR_FRAME_S, SAMPLE_RATE)
    if len(levels) < 3 or levels.max() == 0:
        return None
    return max(FAINTEST_DB, float(20 * np.log10(np.percentile(levels, 5) / levels.max() + 1e-12)))


def _repetition(track: Signal) -> float | None:
    levels = _levels(track, _ENVELOPE_FRAME_S, SAMPLE_RATE)
    first = round(_SHORTEST_PERIOD_S / _ENVELOPE_FRAME_S)
    if len(levels) < 2 * first + 2 or levels.max() == 0:
        return None
    course = _decibels(levels, _ENVELOPE_DEPTH_DB)
    course = course - course.mean()
    likeness = np.correlate(course, course, "full")[len(course) - 1 :]
    if likeness[0] < 1e-9:
        return None
    return float(np.max(likeness[first : len(course) // 2 + 1]) / likeness[0])


def _flicker(track: Signal) -> float | None:
    if len(track) < 10 * _BAND_FRAME:
        return None
    frames = sliding_window_view(track, _BAND_FRAME)[:: _BAND_FRAME // 2] * np.hanning(_BAND_FRAME)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    hertz = np.fft.rfftfreq(_BAND_FRAME, 1 / SAMPLE_RATE)
    edges = pairwise(_BAND_EDGES_HZ)
    bands = np.stack([power[:, (hertz >= low) & (hertz < high)].sum(axis=1) for low, high in edges], axis=1)
    changes = np.diff(np.sqrt(bands), axis=0)
    changes = changes[:, changes.std(axis=0) > 1e-9]
    if changes.shape[1] < 2:
        return None
    likeness = np.corrcoef(changes.T)
    return float(likeness[np.triu_indices(len(likeness), 1)].mean())


def _above_db(track: Signal, rate: int) -> float | None:
    power = np.abs(np.fft.rfft(track)) ** 2
    if rate < LOWEST_FULL_RATE or power.sum() == 0:
        return None
    share = power[np.fft.rfftfreq(len(track), 1 / rate) >= ABOVE_HZ].sum() / power.sum()
    return float(10 * np.log10(share + 10 ** (FAINTEST_DB / 10)))


def _event_s(track: Signal, rate: int) -> float | None:
    levels = _levels(track, _EVENT_FRAME_S, rate)
    if levels.max() == 0:
        return None
    loud = np.flatnonzero(_decibels(levels, 2 * _EVENT_DEPTH_DB) > -_EVENT_DEPTH_DB)
    events = np.split(loud, np.flatnonzero(np.diff(loud) > round(_EVENT_GAP_S / _EVENT_FRAME_S)) + 1)
    return float(np.median([event[-1] - event[0] + 1 for event in events])) * _EVENT_FRAME_S


def _percentile(clips: Sequence[SoundStatistics], share: float) -> SoundStatistics:
    """Return the percentile of each figure over the clips that have it."""
    columns = zip(*map(astuple, clips), strict=True)
    known = [[value for value in column if value is not None] for column in columns]
    return SoundStatistics(*(float(np.percentile(column, share)) if column else None for column in known))


@dataclass(frozen=True)
class ClipGroup:
    """Clips of one kind, or all, of the corpus or of recordings: how many, and the quartiles of each figure."""

    clips: int
    lower: SoundStatistics
    median: SoundStatistics
    upper: SoundStatistics


def _group(clips: Sequence[SoundStatistics]) -> ClipGroup | None:
    if not clips:
        return None
    return ClipGroup(len(clips), *(_percentile(clips, share) for share in (25, 50, 75)))


@dataclass(frozen=True)
class StatisticsRow:
    """One kind in both worlds; None where one of them does not have it."""

    kind: str
    corpus: ClipGroup | None
    recordings: ClipGroup | None


@dataclass(frozen=True)
class StatisticsReport:
    """All clips in both worlds, then kind by kind."""

    folder: str | None
    seed: int
    everything: StatisticsRow
    kinds: tuple[StatisticsRow, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def to_text(self) -> str:
        """A table: each figure of the corpus, beside that of the recordings."""
        names = ("floor, dB", "repetition", "flicker", "above 8k, dB", "event, s")
        lines = [
            "medians, corpus | recordings",
            f"{'':<20} {'clips':>11}" + "".join(f" {name:>15}" for name in names),
            _line("all", self.everything, "median"),
            _line("lower quartile", self.everything, "lower"),
            _line("upper quartile", self.everything, "upper"),
            *(_line(row.kind, row, "median") for row in self.kinds),
        ]
        return "\n".join(lines)


def _line(name: str, row: StatisticsRow, which: str) -> str:
    groups = row.corpus, row.recordings
    cells = [f"{' | '.join(str(group.clips) if group else '-' for group in groups):>11}"]
    for figure, form in zip(FIGURES, ("{:.0f}", "{:.2f}", "{:.2f}", "{:.0f}", "{:.2f}"), strict=True):
        values = [getattr(getattr(group, which), figure) if group else None for group in groups]
        shown = [f"{'-' if value is None else form.format(value):>6}" for value in values]
        cells.append(f"{' | '.join(shown):>15}")
    return f"{name[:20]:<20} " + " ".join(cells)


def read_kinds(folder: Path) -> dict[Path, str]:
    """Return the sound files in a folder and in the folders in it, each with the name of its own folder.

    Raises:
        ClipFolderMissingError, NoClipsError: there is no such folder, or no sound file in it.
    """
    if not folder.is_dir():
        raise ClipFolderMissingError(folder)
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    files = {path: path.parent.name for path in paths if not path.name.startswith(".")}
    if not files:
        raise NoClipsError(folder)
    return files


def measure_statistics(
    folder: Path | None,
    sounds: Sequence[str],
    clips_per_class: int = 4,
    seed: int = 1,
    *,
    make: Callable[[str, int, float, int], Measurable] = render,
    on_clip: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> StatisticsReport:
    """Measure corpus clips of some sounds, and beside them the recordings in a folder, if there is one.

    Raises:
        ClipFolderMissingError, TooFewClipsError, ClipUnusableError: the folder, or a file in it, is unusable; or no
            clips were asked for.
        CancelledError: `should_stop` says so.
    """
    files = {} if folder is None else read_kinds(folder)
    if clips_per_class < 1 or not sounds:
        raise TooFewClipsError("the corpus", clips_per_class * len(sounds), 1)
    made = [(name, 1000 * seed + k) for name in sounds for k in range(clips_per_class)]
    jobs = [
        *((name, partial(_measured_sound, make, name, number)) for name, number in made),
        *((name, partial(_measured_file, path)) for path, name in files.items()),
    ]
    found: tuple[World, World] = ({}, {})
    for done, (name, measured) in enumerate(jobs):
        if should_stop and should_stop():
            raise CancelledError
        if on_clip:
            on_clip(done, len(jobs))
        found[done >= len(made)].setdefault(name, []).append(measured())
    everything = (_group([one for clips in world.values() for one in clips]) for world in found)
    where = None if folder is None else str(folder)
    return StatisticsReport(where, seed, StatisticsRow("all", *everything), _rows(*found))


def _measured_sound(make: Callable[[str, int, float, int], Measurable], name: str, seed: int) -> SoundStatistics:
    made = make(name, seed, CORPUS_S, CORPUS_RATE)
    return measure_clip(Audio(made.waveform[None], made.sample_rate))


def _measured_file(path: Path) -> SoundStatistics:
    try:
        return measure_clip(Audio.read(path))
    except EngineError as error:
        raise ClipUnusableError(path, error) from error


def _rows(
    corpus: Mapping[str, Sequence[SoundStatistics]], recordings: Mapping[str, Sequence[SoundStatistics]]
) -> tuple[StatisticsRow, ...]:
    """Return a row for each kind: the corpus' in its order, then those that only recordings have."""
    kinds = [*corpus, *sorted(kind for kind in recordings if kind not in corpus)]
    return tuple(StatisticsRow(kind, _group(corpus.get(kind, ())), _group(recordings.get(kind, ()))) for kind in kinds)
