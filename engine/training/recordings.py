"""Labelled recordings that listeners are taught with: read from a folder, cut into variants, divided by package.

A folder holds a `clips.csv` (columns path, kind, package), or one folder for each kind of sound. What two recordings
of one package share (microphone, room, source) says nothing about the next package: a listener is tested on packages
that it has never heard, see `folds`.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.audio import Audio
from engine.errors import EngineError
from engine.mel import LogMel, MelConfig
from engine.training.training_errors import RecordingsMissingError

LIST_FILE = "clips.csv"
SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3")
SECONDS = 5.12  # that a listener hears at once
LONGEST_S = 20.0  # seconds of a recording that are used
_RATE = MelConfig().sample_rate
_SPEEDS = (0.8, 1.25)  # slowest and fastest of a variant
_QUIET = 1e-4  # peak below which a file holds nothing to learn


@dataclass(frozen=True)
class Recordings:
    """n recordings, mono at 16 kHz, of kinds that the listener is to know."""

    waveforms: tuple[NDArray[np.float32], ...]
    kinds: tuple[str, ...]
    packages: tuple[str, ...]  # where each comes from
    left_out: tuple[str, ...] = ()  # files of other kinds, and those that cannot be used

    def __len__(self) -> int:
        return len(self.waveforms)

    def places(self, sounds: Sequence[str]) -> NDArray[np.int64]:
        """Return each recording's place among `sounds`, [n]."""
        return np.array([list(sounds).index(kind) for kind in self.kinds], dtype=np.int64)


def read_recordings(folder: Path, sounds: Sequence[str]) -> Recordings:
    """Read the recordings of `sounds` in a folder; at most the first 20 s of each.

    Raises RecordingsMissingError when it holds none.
    """
    listed = list(_listed(folder)) if (folder / LIST_FILE).is_file() else list(_by_folder(folder))
    waveforms, kinds, packages, left_out = [], [], [], []
    for path, kind, package in listed:
        waveform = _waveform(path) if kind in sounds else None
        if waveform is None:
            left_out.append(path.relative_to(folder).as_posix())
            continue
        waveforms.append(waveform)
        kinds.append(kind)
        packages.append(package)
    if not waveforms:
        raise RecordingsMissingError(folder, sounds)
    return Recordings(tuple(waveforms), tuple(kinds), tuple(packages), tuple(left_out))


def _listed(folder: Path) -> list[tuple[Path, str, str]]:
    with (folder / LIST_FILE).open(encoding="utf-8-sig", newline="") as file:
        return [(folder / row["path"], row["kind"], row.get("package") or "") for row in csv.DictReader(file)]


def _by_folder(folder: Path) -> list[tuple[Path, str, str]]:
    """Files in a folder for each kind; what stands before "__" in a file's name is its package."""
    files = [path for path in sorted(folder.glob("*/*")) if path.suffix.lower() in SUFFIXES and path.name[0] != "."]
    return [(path, path.parent.name, path.stem.partition("__")[0]) for path in files]


def _waveform(path: Path) -> NDArray[np.float32] | None:
    """Return a recording in mono at 16 kHz, at full scale; None if it cannot be read or is silent."""
    try:
        clip = Audio.read(path).as_heard()
    except EngineError:
        return None
    samples = Audio(clip.samples[:, : round(LONGEST_S * clip.sample_rate)], clip.sample_rate).resample(_RATE).samples[0]
    centred = (samples - samples.mean()).astype(np.float32)
    peak = float(np.abs(centred).max())
    return centred / peak if peak > _QUIET else None


def folds(packages: Sequence[str], count: int) -> NDArray[np.int64]:
    """Return the fold, 0 to count - 1, of every recording, [n]; packages stay whole, the biggest are dealt first."""
    names, sizes = np.unique(np.array(packages), return_counts=True)
    filled, fold_of = np.zeros(count, dtype=int), {}
    for index in np.argsort(-sizes, kind="stable"):
        fold_of[names[index]] = int(filled.argmin())
        filled[filled.argmin()] += sizes[index]
    return np.array([fold_of[package] for package in packages], dtype=np.int64)


def variants(waveforms: Sequence[NDArray[np.float32]], count: int, seed: int, seconds: float = SECONDS) -> Tensor:
    """Return `count` different windows of each recording as log-mels, [n, count, N, M], float16."""
    rng, log_mel = np.random.default_rng(seed), LogMel(MelConfig())
    num_samples = round(seconds * _RATE)
    mels = []
    for waveform in waveforms:
        windows = np.stack([_window(waveform, num_samples, rng) for _ in range(count)])
        mels.append(log_mel(torch.from_numpy(windows))[:, 0].half())
    return torch.stack(mels)


def as_heard(waveform: NDArray[np.float32], seconds: float = SECONDS, most: int = 3) -> Tensor:
    """Return a recording as it is listened to: its first windows, a short one repeated, [up to `most`, N, M]."""
    num_samples = round(seconds * _RATE)
    whole = np.tile(waveform, -(-num_samples // len(waveform))) if len(waveform) < num_samples else waveform
    starts = range(0, min(most, len(whole) // num_samples) * num_samples, num_samples)
    windows = np.stack([whole[start : start + num_samples] for start in starts])
    log_mel: Tensor = LogMel(MelConfig())(torch.from_numpy(windows))
    return log_mel[:, 0]


def _window(waveform: NDArray[np.float32], num_samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a window at another speed and level: a piece of a long recording; a short one alone or several times."""
    sound = _resampled(waveform, rng)
    if len(sound) > num_samples:
        start = int(rng.integers(len(sound) - num_samples + 1))
        return _at_full_scale(sound[start : start + num_samples])
    way = rng.random()
    if way < 0.4:  # repeated without a gap, as a listener hears it
        return _at_full_scale(np.tile(sound, -(-num_samples // len(sound)))[:num_samples])
    window = np.zeros(num_samples, np.float32)
    if way < 0.7:
        start = int(rng.integers(num_samples - len(sound) + 1))
        window[start : start + len(sound)] = sound
        return _at_full_scale(window)
    gap, position = float(np.exp(rng.uniform(np.log(0.05), np.log(1.5)))) * _RATE, int(rng.integers(_RATE // 2))
    while position < num_samples:
        room = min(len(sound), num_samples - position)
        window[position : position + room] += sound[:room] * np.float32(10 ** (rng.uniform(-8, 0) / 20))
        position += len(sound) + int(gap * rng.uniform(0.4, 1.6))
    return _at_full_scale(window)


def _resampled(waveform: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Faster and higher or slower and lower, mostly; a part of it, sometimes."""
    if rng.random() < 0.75:
        speed = float(np.exp(rng.uniform(*np.log(_SPEEDS))))
        waveform = Audio(waveform, round(_RATE * speed)).resample(_RATE).samples[0]
    if len(waveform) > _RATE and rng.random() < 0.35:
        length = int(rng.integers(len(waveform) // 2, len(waveform) + 1))
        start = int(rng.integers(len(waveform) - length + 1))
        waveform = waveform[start : start + length]
    return waveform


def _at_full_scale(window: NDArray[np.float32]) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = window / (np.abs(window).max() + np.float32(1e-6))
    return scaled
