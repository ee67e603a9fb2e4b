"""Teaches CLAP's audio tower to hear recordings: it gets an ear for them, and learns from labelled ones.

What is taught is the direction of a kind's captions, by cross-entropy on cosines, on recordings and corpus clips that
are both varied without end; corpus clips as they are stay where the tower has them, because a denoiser has learned from
these places. The ear names kinds by itself too, so that its vector is long where it is sure and short where it is not.
The text tower does not change. What is kept is the average of the weights along the way.

Shape letters: n recordings, V variants of each, K kinds of sound, D embedding.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW, Optimizer

from engine.mel import MelConfig
from engine.models.pocket_clap import PocketClap, PocketClapConfig
from engine.training.augmentation import crossed, mixed_up, record_anew
from engine.training.datasets import Clips
from engine.training.ema import Ema
from engine.training.loop import LoopSettings, OnReport, run_loop, step_optimiser
from engine.training.parts import config_for_run, load_part, note_ear, save_part
from engine.training.recordings import Recordings, as_heard, folds, read_recordings, variants
from engine.training.training_errors import ClapUntrainedError
from engine.training.workers import Workers

EAR_CHANNELS = (32, 64, 128, 192)
_SHARPNESS = 10.0  # factor on the cosines that name kinds while it learns
_SMOOTHING = 0.1  # of the labels, which are file names, not ears
_HOLD = 4.0  # weight of the angle between a corpus clip and its old place
_BALANCE = 0.5  # recordings are drawn with the count of their kind to the power of -balance
_TOWER_RATE = 0.3  # of the ear's rate, for the tower that is trained already
_AVERAGE = 0.99  # of the weights
_STRENGTH = 0.6  # of the variations: at full strength a quarter of an hour is too short to learn
_CROSSED, _MIXED_UP = 0.2, 0.15  # shares of the steps whose clips are crossed, and mixed
_MOST_EACH, _MOST_VARIANTS = 24, 6000  # variants of a recording, and of all together
_CAPTIONS = 24  # of a kind, whose mean is its direction
_SHARPEST = np.geomspace(1, 40, 60)  # factors that are tried on recordings that were held out


@dataclass(frozen=True)
class EarSettings:
    clips: Path
    parts: Path
    recordings: Path
    loop: LoopSettings
    preset: str = "nano"
    batch_size: int = 24  # recordings in a step; two thirds as many varied corpus clips, a third as many plain ones
    folds: int = 3  # into which packages are divided to test on those that were not taught; 0: no test
    fold_share: float = 0.5  # of the steps that a test takes


@dataclass(frozen=True)
class Hearing:
    """How a listener names recordings of packages that it was not taught with."""

    clips: int
    first: float  # share that it names rightly
    in_five: float  # share whose kind is among its five best
    sharpness: float  # factor on cosines with which its scores are likeliest

    def __str__(self) -> str:
        shares = f"first {self.first:.1%}, within five {self.in_five:.1%}"
        return f"{self.clips} recordings of packages not taught: {shares}; sharpness {self.sharpness:.1f}"


@dataclass(frozen=True)
class EarMaterial:
    """What an ear learns from: corpus clips, and recordings with their variants [n, V, N, M]."""

    clips: Clips
    recordings: Recordings
    mels: Tensor

    @classmethod
    def of(cls, settings: EarSettings) -> Self:
        """Read it.

        Raises RecordingsMissingError when the folder holds no recordings of the clips' kinds.
        """
        clips = Clips(settings.clips)
        recordings = read_recordings(settings.recordings, clips.class_names)
        count = max(2, min(_MOST_EACH, _MOST_VARIANTS // len(recordings)))
        seconds = clips.log_mels.shape[1] / MelConfig().frames_per_second
        return cls(clips, recordings, variants(recordings.waveforms, count, settings.loop.seed, seconds))


class EarRecipe:
    """See the module's docstring; `taught` are the places of the recordings that it learns from."""

    def __init__(
        self, settings: EarSettings, material: EarMaterial, taught: NDArray[np.int64], workers: Workers
    ) -> None:
        self.settings, self.workers = settings, workers
        self.clips, self.mels = material.clips, material.mels
        self.clap = begun_clap(settings)
        self.classes = material.recordings.places(self.clips.class_names)
        self.old = copy.deepcopy(self.clap).requires_grad_(requires_grad=False).eval()
        self.clap.text.requires_grad_(requires_grad=False)
        self.clap.eval()
        assert self.clap.audio.ear is not None, "begun_clap gives it one"
        self.ear = self.clap.audio.ear
        self.directions = directions_of(self.old, self.clips)  # [K, D]
        self.average = Ema(self.clap, _AVERAGE)
        self.taught = taught
        counts = np.bincount(self.classes[taught], minlength=len(self.directions))
        weights = counts[self.classes[taught]] ** -_BALANCE
        self.shares = weights / weights.sum()
        self.kept: dict[str, nn.Module] = {"clap": self.clap, "average": self.average.shadow}
        of_tower = [p for name, p in self.clap.audio.named_parameters() if not name.startswith("ear.")]
        groups: list[dict[str, Any]] = [
            {"params": list(self.ear.parameters())},
            {"params": of_tower, "rate_factor": _TOWER_RATE},
        ]
        adamw = AdamW(groups, settings.loop.learning_rate, weight_decay=2e-2)
        self.optimisers: dict[str, Optimizer] = {"adamw": adamw}

    def train_step(self, step: int, rng: np.random.Generator) -> dict[str, float]:
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        batch = self.settings.batch_size
        learnt, classes = self._varied(batch, rng, generator)
        plain = self.clips.log_mel(rng.integers(len(self.clips), size=max(1, batch // 3)))
        pooled = self.clap.audio.pool(torch.cat([learnt, plain[:, 0]])[:, None])
        own = self.ear.train()(pooled)
        self.ear.eval()
        heard = F.normalize(F.normalize(self.clap.audio.without_ear(pooled), dim=1) + own, dim=1)
        with torch.no_grad():
            places = self.old.embed_log_mel(plain)
        naming, alone = (
            -(classes * (_SHARPNESS * one[: len(learnt)] @ self.directions.T).log_softmax(1)).sum(1).mean()
            for one in (heard, own)
        )
        moved = 1 - (heard[len(learnt) :] * places).sum(1).mean()
        step_optimiser(self.optimisers["adamw"], naming + alone + _HOLD * moved, self.workers, max_norm=5.0)
        self.average.update(self.clap, step)
        return {"naming": naming.item(), "alone": alone.item(), "moved": moved.item()}

    def _varied(self, batch: int, rng: np.random.Generator, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Recordings and corpus clips, every time others: log-mels [B, N, M] and smoothed targets [B, K]."""
        chosen = rng.choice(self.taught, batch, p=self.shares)
        recorded = self.mels[chosen, rng.integers(self.mels.shape[1], size=batch)]
        single = np.flatnonzero(self.clips.classes >= 0)
        made = rng.choice(single, 2 * batch // 3)
        mels = torch.cat([recorded.float(), self.clips.log_mel(made)[:, 0]])
        named = torch.from_numpy(np.concatenate([self.classes[chosen], self.clips.classes[made]]))
        kinds = len(self.directions)
        targets = F.one_hot(named, kinds).float() * (1 - _SMOOTHING) + _SMOOTHING / kinds
        mels = record_anew(mels, generator, _STRENGTH)
        if rng.random() < _CROSSED:
            mels = crossed(mels, generator)
        return mixed_up(mels, targets, generator) if rng.random() < _MIXED_UP else (mels, targets)

    def heard(self, waveforms: Sequence[NDArray[np.float32]]) -> Tensor:
        """Cosines of recordings with every kind's direction, [n, K], by the averaged weights."""
        clap = self.average.shadow
        assert isinstance(clap, PocketClap), "the average of one"
        with torch.no_grad():
            windows = [clap.embed_log_mel(as_heard(waveform)[:, None]).mean(0) for waveform in waveforms]
            return F.normalize(torch.stack(windows), dim=1) @ self.directions.T

    def save_result(self) -> None:
        """Nothing while it is tested: then a part of the recordings is kept from it."""
        if len(self.taught) == len(self.classes):
            save_part(self.settings.parts, "clap", self.average.shadow)

    def make_samples(self) -> dict[str, Tensor]:
        """Nothing: towers make no sound."""
        return {}


def begun_clap(settings: EarSettings) -> PocketClap:
    """Return the trained CLAP of a run, with an ear that says nothing yet if it has none.

    Raises ClapUntrainedError where none is trained.
    """
    config = config_for_run(settings.parts, settings.preset)
    assert isinstance(config.clap, PocketClapConfig), "only the pocket CLAP is trained from nothing"
    clap = PocketClap(config.clap, config.mel)
    if not load_part(settings.parts, "clap", clap):
        raise ClapUntrainedError(settings.parts)
    if clap.audio.ear is not None:
        return clap
    with_ear = PocketClap(replace(config.clap, ear_channels=EAR_CHANNELS), config.mel)
    with_ear.load_state_dict(clap.state_dict(), strict=False)
    return with_ear


@torch.no_grad()
def directions_of(clap: PocketClap, clips: Clips) -> Tensor:
    """Return where each kind's name and captions point, unit vectors [K, D]."""
    directions = []
    for place, name in enumerate(clips.class_names):
        members = np.flatnonzero(clips.classes == place)[:_CAPTIONS]
        words = [name.replace("_", " "), *(clips.caption(int(k), int(k)) for k in members)]
        directions.append(clap.embed_text(words).mean(0))
    return F.normalize(torch.stack(directions), dim=1)


def hearing_of(cosines: Tensor, places: NDArray[np.int64]) -> Hearing:
    """How well cosines [n, K] name the kinds at `places`."""
    truth = torch.from_numpy(places)
    better = (cosines > cosines.gather(1, truth[:, None])).sum(1)
    losses = [float(F.cross_entropy(float(sharpness) * cosines, truth)) for sharpness in _SHARPEST]
    return Hearing(
        len(places),
        float((better == 0).double().mean()),
        float((better < 5).double().mean()),
        float(_SHARPEST[int(np.argmin(losses))]),
    )


def hearing_by_package(workers: Workers, settings: EarSettings, material: EarMaterial) -> Hearing:
    """Train once for each fold of the packages, and hear the recordings of the others."""
    fold_of = folds(material.recordings.packages, settings.folds)
    cosines, places = [], []
    for fold in range(settings.folds):
        taught, others = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        steps = max(1, round(settings.loop.num_steps * settings.fold_share))
        loop = replace(settings.loop, folder=settings.loop.folder / f"fold{fold}", num_steps=steps)
        recipes: list[EarRecipe] = []

        def begin(taught: NDArray[np.int64] = taught, recipes: list[EarRecipe] = recipes) -> EarRecipe:
            recipes.append(EarRecipe(settings, material, taught, workers))
            return recipes[0]

        run_loop(begin, loop, workers)
        cosines.append(recipes[0].heard([material.recordings.waveforms[k] for k in others]))
        places.append(recipes[0].classes[others])
    return hearing_of(torch.cat(cosines), np.concatenate(places))


def train_ear(
    workers: Workers,
    settings: EarSettings,
    on_report: OnReport | None = None,
    on_hearing: Callable[[Hearing], None] | None = None,
) -> None:
    """Train, or go on training, and leave the part `clap` with its ear; first a test on packages that are not taught.

    Raises:
        RecordingsMissingError: the folder holds no recordings of the clips' kinds.
        ClapUntrainedError: the run has no CLAP yet.
    """
    material = EarMaterial.of(settings)
    hearing = hearing_by_package(workers, settings, material) if settings.folds > 1 else None
    everything = np.arange(len(material.recordings))
    run_loop(lambda: EarRecipe(settings, material, everything, workers), settings.loop, workers, on_report)
    if workers.leads:
        note_ear(settings.parts, EAR_CHANNELS, hearing.sharpness if hearing else None)
        if hearing and on_hearing:
            on_hearing(hearing)
