"""How well a model follows: imitations, and recordings, lead sounds of every kind, one curve at a time.

The gesture of a take is measured like that of the clip that led it, and correlated with it where both are known. Each
take has a twin of the same words and seed that follows nothing: what following costs is the difference in how many are
recognised.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from engine.audio import Audio
from engine.errors import CancelledError, CurvesMissingError
from engine.evaluation.classifier import SoundClassifier, classify, mono_16_khz
from engine.evaluation.evaluation_errors import ClipFolderMissingError, NoClipsError
from engine.evaluation.folders import SUFFIXES
from engine.evaluation.imitations import IMITATIONS, SAMPLE_RATE
from engine.gesture import CURVES, gesture_of
from engine.requests import Generate
from engine.sounds import SOUNDS, captions

SECONDS = 5.12
GOOD = 0.8  # correlation that a curve should reach
RECORDINGS = "recording"
_KNOBS = ("steps", "guidance", "sampler", "tries", "draft")
_LEAST_ROWS = 12  # known in both clips: half a second; of fewer a correlation says little
_GESTURE_RATE, _GESTURE_ROW = 16_000, 640  # Hz, samples: 40 ms
_STEADY = 1e-3  # deviation of a curve that does not move

Leader = tuple[str, Audio, tuple[str, ...]]  # what it is, the clip, the curves in which it moves


class FollowingGenerator(Protocol):
    """The part of the engine that is put to the test."""

    def run(self, request: Generate) -> list[Audio]: ...


@dataclass(frozen=True)
class FollowSettings:
    """Settings of the evaluation."""

    curves: tuple[str, ...]  # that the model has learnt to follow
    takes_per_sound: int = 1
    seed: int = 1
    sounds: tuple[str, ...] = SOUNDS
    steps: int | None = None  # None: the model's default
    guidance: float | None = None
    sampler: str | None = None
    tries: int | None = None
    draft: bool = False
    folder: Path | None = None  # of recordings that lead as well
    model: str = "nano"  # as the report calls it


@dataclass(frozen=True)
class FollowRow:
    """Takes that followed one curve of one kind of clip."""

    leader: str
    curve: str
    takes: int
    measured: int  # takes in which the curve is known for long enough: rain has no pitch
    correlation: float | None  # mean over these
    good: float | None  # share of these with a correlation of 0.8 or more
    right: int  # takes recognised as the sound of their words
    right_free: int  # likewise their twins that followed nothing

    def to_line(self) -> str:
        correlation = "-" if self.correlation is None else f"{self.correlation:.2f}"
        good = "-" if self.good is None else f"{self.good:.0%}"
        return (
            f"{self.leader:<10} {self.curve:<11} {self.measured:>5}/{self.takes:<5} {correlation:>6} {good:>6}"
            f" {self.right / self.takes:>8.1%} {self.right_free / self.takes:>8.1%}"
        )


@dataclass(frozen=True)
class FollowReport:
    """All rows."""

    model: str
    rows: tuple[FollowRow, ...]

    @property
    def cost(self) -> float:
        """Share of the takes that are recognised no more because they follow."""
        takes = sum(row.takes for row in self.rows)
        return sum(row.right_free - row.right for row in self.rows) / takes

    def to_json(self) -> dict[str, Any]:
        return {"model": self.model, "cost": self.cost, "rows": [asdict(row) for row in self.rows]}

    def to_text(self) -> str:
        head = f"{'led by':<10} {'curve':<11} {'measured':>11} {'corr.':>6} {'≥ 0.8':>6} {'right':>8} {'free':>8}"
        cost = f"{self.model}: {self.cost:+.1%} of the takes are recognised less because they follow"
        return "\n".join([head, *(row.to_line() for row in self.rows), cost])


def evaluate_follow(
    engine: FollowingGenerator,
    classifier: SoundClassifier,
    settings: FollowSettings,
    *,
    on_clip: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> FollowReport:
    """Let clips lead a take of every sound in every curve that they move in.

    Raises:
        CurvesMissingError: the model follows nothing.
        FolderMissingError, NoClipsError: there is no folder of recordings, or none in it.
        CancelledError: `should_stop` says so.
    """
    if not settings.curves:
        raise CurvesMissingError(settings.model, CURVES, ())
    tasks = list(_tasks(settings))
    wanted = [request for *_, following in tasks for request in (following, _free(following))]
    requests = {_key(request): request for request in wanted}  # twins of one prompt, seed and length are one
    takes: dict[_Key, Audio] = {}
    for index, (key, request) in enumerate(requests.items()):
        if should_stop and should_stop():
            raise CancelledError
        takes[key] = engine.run(request)[0]
        if on_clip:
            on_clip(index + 1, len(requests))
    heard = dict(zip(takes, classify(classifier, map(mono_16_khz, takes.values())).names, strict=True))
    return FollowReport(settings.model, tuple(_rows(tasks, takes, heard)))


_Task = tuple[str, str, str, Generate]  # leader, curve, sound, request
_Key = tuple[Any, ...]


def _tasks(settings: FollowSettings) -> Iterator[_Task]:
    """Every kind of leader and each of its curves with every sound; each time another clip leads."""
    knobs = {name: getattr(settings, name) for name in _KNOBS}
    leaders = _leaders(settings)
    for place in range(len(settings.sounds) * settings.takes_per_sound):
        sound = settings.sounds[place % len(settings.sounds)]
        seed = 1000 * settings.seed + place
        prompt = captions(sound, {}, seed, held_out=True)[0]
        for choose in leaders:
            name, clip, curves = choose(place)
            for curve in curves:
                if curve in settings.curves:
                    followed = {"follow": clip, "follow_what": curve, "seconds": min(SECONDS, clip.seconds)}
                    followed["model_band"] = True
                    given: dict[str, Any] = {"prompt": prompt, "seed": seed, **followed, **knobs}
                    yield name, curve, sound, Generate(**given)


def _leaders(settings: FollowSettings) -> list[Callable[[int], Leader]]:
    """For each kind of leader what chooses the clip of a place."""

    def imitation(name: str) -> Callable[[int], Leader]:
        make, curves = IMITATIONS[name]

        def at(place: int) -> Leader:
            waveform = make(np.random.default_rng((settings.seed, place)), SECONDS)
            return name, Audio(waveform[None], SAMPLE_RATE), curves

        return at

    leaders = [imitation(name) for name in IMITATIONS]
    if settings.folder is not None:
        recordings = _recordings(settings.folder)
        leaders.append(lambda place: (RECORDINGS, recordings[place % len(recordings)], CURVES))
    return leaders


def _recordings(folder: Path) -> list[Audio]:
    """The first seconds of each sound file in a folder, and in the folders in it, that can be heard to move."""
    if not folder.is_dir():
        raise ClipFolderMissingError(folder)
    names = sorted(folder.rglob("*"))
    files = [path for path in names if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]
    clips = [Audio.read(path) for path in files]
    clips = [replace(clip, samples=clip.samples[:, : round(SECONDS * clip.sample_rate)]) for clip in clips]
    clips = [clip for clip in clips if clip.seconds >= _LEAST_ROWS * _GESTURE_ROW / _GESTURE_RATE]
    if not clips:
        raise NoClipsError(folder)
    return clips


def _free(request: Generate) -> Generate:
    """The twin that follows nothing."""
    return replace(request, follow=None, follow_what="loudness")


def _key(request: Generate) -> _Key:
    followed = None if request.follow is None else (request.follow.fingerprint, request.follow_what)
    return request.prompt, request.seed, request.seconds, followed


def _rows(tasks: Sequence[_Task], takes: Mapping[_Key, Audio], heard: Mapping[_Key, str]) -> Iterator[FollowRow]:
    grouped: defaultdict[tuple[str, str], list[_Task]] = defaultdict(list)
    for task in tasks:
        grouped[task[:2]].append(task)
    for (leader, curve), group in sorted(grouped.items()):
        found = [likeness(request.follow, takes[_key(request)], curve) for *_, request in group if request.follow]
        known = [value for value in found if value is not None]
        yield FollowRow(
            leader=leader,
            curve=curve,
            takes=len(group),
            measured=len(known),
            correlation=float(np.mean(known)) if known else None,
            good=float(np.mean([value >= GOOD for value in known])) if known else None,
            right=sum(heard[_key(request)] == sound for _, _, sound, request in group),
            right_free=sum(heard[_key(_free(request))] == sound for _, _, sound, request in group),
        )


def likeness(leader: Audio, take: Audio, curve: str) -> float | None:
    """Return the correlation of a curve of two clips where it is known in both; 0 where the take does not move.

    None where too little is known, or the leader itself does not move.
    """
    place = CURVES.index(curve)
    one, other = (gesture_of(clip, _GESTURE_RATE, _GESTURE_ROW)[place] for clip in (leader, take))
    size = min(len(one), len(other))
    known = ~(one[:size].isnan() | other[:size].isnan())
    if int(known.sum()) < _LEAST_ROWS:
        return None
    pair = torch.stack([one[:size][known], other[:size][known]])
    deviations = pair.std(dim=1)
    if deviations[0] < _STEADY:
        return None
    correlation = float(torch.corrcoef(pair)[0, 1])
    return 0.0 if math.isnan(correlation) else correlation
