"""Training clips on disk: the corpus rendered once, with its log-mels, as memory-mapped arrays.

wav.npy int16 [K, T] · mel.npy float16 [K, N, M] · clips.json names and attributes · done.npy which clips are rendered.
Clip k has the seed first_seed + k. Mixtures of two sounds are spread evenly among the single ones, whose classes
alternate: any part of the file is a fair sample.
"""

import json
import math
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor

from engine.mel import LogMel, MelConfig
from engine.sounds import SOUNDS, Mixture, Sound, captions, mixture_captions, render, render_mixture
from engine.training.training_errors import CorpusDiffersError

_CHUNK = 32  # clips that a process renders before it writes
PEAK = 32767
_MOST_PROCESSES = 16  # that render by default: each takes 300 MB
_GOLDEN = (5**0.5 - 1) / 2  # its multiples are spread evenly between 0 and 1
_WHOLE_SHARE = 0.65
"""Of the clips of one sound: those that fill their length. Listeners need the short ones that libraries keep, a
denoiser learns little from the silence after them."""
_FLOOR_SHARE = 0.5  # of the whole ones: those over a noise floor
MIXED = -1  # instead of a class
TRAINING_SEED, HELD_OUT_SEED = 0, 10_000_000


@dataclass(frozen=True)
class ClipSettings:
    """Which part of the corpus; 5.12 s at 16 kHz are 512 frames."""

    folder: Path
    num_clips: int
    first_seed: int = TRAINING_SEED
    seconds: float = 5.12
    num_processes: int = field(default_factory=lambda: min(os.cpu_count() or 1, _MOST_PROCESSES))
    mixture_share: float = 0.15  # of the clips: two sounds


class Clips:
    """A rendered part of the corpus, or the windows of a library."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.waveforms: NDArray[np.int16] = np.load(folder / "wav.npy", mmap_mode="r")
        self.log_mels: NDArray[np.float16] = np.load(folder / "mel.npy", mmap_mode="r")
        self.about: list[dict[str, Any]] = json.loads((folder / "clips.json").read_text(encoding="utf-8"))

    def __len__(self) -> int:
        return len(self.about)

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The corpus' sounds; of a library the classes that its list names, nothing unless every clip has one."""
        if "captions" not in self.about[0]:
            return SOUNDS
        named = {clip["sound"] for clip in self.about}
        return () if None in named else tuple(sorted(named))

    @cached_property
    def classes(self) -> NDArray[np.int64]:
        """Index into `class_names` of each clip, [K]; all 0 where there are no classes, `MIXED` for two sounds."""
        places = {name: index for index, name in enumerate(self.class_names)}
        return np.array(
            [
                MIXED if "names" in clip else places.get(str(clip.get("name") or clip.get("sound")), 0)
                for clip in self.about
            ]
        )

    @cached_property
    def attributes(self) -> tuple[Mapping[str, str], ...]:
        """What is known of each clip, such as its speed, [K]; nothing of mixtures and of a library's clips."""
        return tuple({} if "names" in clip else clip.get("attributes", {}) for clip in self.about)

    def waveform(self, indices: NDArray[np.int64]) -> Tensor:
        """float32 [B, T]."""
        return torch.from_numpy(self.waveforms[indices].astype(np.float32) / PEAK)

    def log_mel(self, indices: NDArray[np.int64]) -> Tensor:
        """float32 [B, 1, N, M]."""
        return torch.from_numpy(self.log_mels[indices].astype(np.float32))[:, None]

    def caption(self, index: int, seed: int) -> str:
        """Return one of the clip's many training captions, or of those in its list."""
        clip = self.about[index]
        if "captions" in clip:
            return str(np.random.default_rng(seed).choice(clip["captions"]))
        if "names" in clip:
            return mixture_captions(clip["names"], clip["attributes"], clip["relation"], seed)[0]
        return captions(clip["name"], clip["attributes"], seed)[0]

    def crops(
        self, rng: np.random.Generator, indices: NDArray[np.int64], frames: int, hop: int
    ) -> tuple[Tensor, Tensor]:
        """Random aligned pieces, silent ones avoided: log-mel [B, 1, frames, M] and waveform [B, frames·hop]."""
        total = self.log_mels.shape[1]
        mels, waves = [], []
        for k in indices:
            for _ in range(4):
                start = int(rng.integers(total - frames + 1))
                mel = self.log_mels[k, start : start + frames]
                if mel.max() > _AUDIBLE:
                    break
            mels.append(mel.astype(np.float32))
            waves.append(self.waveforms[k, start * hop : (start + frames) * hop].astype(np.float32) / PEAK)
        return torch.from_numpy(np.stack(mels))[:, None], torch.from_numpy(np.stack(waves))


_AUDIBLE = -7.5  # log-mel


def render_clips(settings: ClipSettings, on_progress: Callable[[int, int], None] | None = None) -> Clips:
    """Render the clips that are missing, and open the result.

    Raises CorpusDiffersError when the folder holds other clips.
    """
    folder = settings.folder
    folder.mkdir(parents=True, exist_ok=True)
    done = _open_arrays(settings)
    chunks = [
        [int(k) for k in part]
        for part in np.array_split(np.flatnonzero(~done), max(1, int((~done).sum()) // _CHUNK))
        if len(part)
    ]
    jobs = [(settings, chunk) for chunk in chunks]
    for chunk in _in_processes(jobs, settings.num_processes):
        done[chunk] = True
        if on_progress:
            on_progress(int(done.sum()), settings.num_clips)
    _write_about(settings)
    return Clips(folder)


def plan_clips(num_clips: int, mixture_share: float) -> list[str | None]:
    """The sound of each clip, None for a mixture; a longer plan begins like a shorter one."""
    plan: list[str | None] = []
    num_single = 0
    for k in range(num_clips):
        if (k + 1) * _GOLDEN % 1 >= 1 - mixture_share:
            plan.append(None)
        else:
            plan.append(SOUNDS[num_single % len(SOUNDS)])
            num_single += 1
    return plan


def _in_processes(jobs: list[tuple[ClipSettings, list[int]]], count: int) -> Iterator[list[int]]:
    """The chunks as they are rendered, in this process if one is enough."""
    if count == 1 or not jobs:
        yield from map(_render_chunk, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(count, _single_thread) as pool:
        yield from pool.imap_unordered(_render_chunk, jobs)


def _open_arrays(settings: ClipSettings) -> NDArray[np.bool_]:
    """Create the files on the first call; returns the flags of rendered clips, [K]."""
    path = settings.folder / "done.npy"
    if not path.exists():
        if (settings.folder / "wav.npy").exists() and (settings.folder / "clips.json").exists():
            raise CorpusDiffersError(settings.folder, "the clips of a list", "those of the corpus")
        mel = MelConfig()
        num_samples = round(settings.seconds * mel.sample_rate)
        shape = settings.num_clips, num_samples
        open_memmap(settings.folder / "wav.npy", "w+", np.int16, shape).flush()
        mel_shape = settings.num_clips, num_samples // mel.hop, mel.num_mels
        open_memmap(settings.folder / "mel.npy", "w+", np.float16, mel_shape).flush()
        open_memmap(path, "w+", np.bool_, (settings.num_clips,)).flush()
    done: NDArray[np.bool_] = np.load(path, mmap_mode="r+")
    if len(done) != settings.num_clips:
        raise CorpusDiffersError(settings.folder, f"{len(done)} clips", str(settings.num_clips))
    _note_shares(settings)
    return done


def _note_shares(settings: ClipSettings) -> None:
    """What the plan of the clips depends on, recorded by the first call and compared by the others."""
    path, share = settings.folder / "corpus.json", settings.mixture_share
    noted = json.loads(path.read_text(encoding="utf-8"))["mixture_share"] if path.exists() else None
    if noted not in (None, share):
        raise CorpusDiffersError(settings.folder, f"mixtures of two sounds at a share of {noted}", str(share))
    if noted is None and not (settings.folder / "clips.json").exists():
        path.write_text(json.dumps({"mixture_share": share}), encoding="utf-8")


def _render_chunk(job: tuple[ClipSettings, list[int]]) -> list[int]:
    settings, chunk = job
    mel = MelConfig()
    plan = plan_clips(settings.num_clips, settings.mixture_share)
    sounds = [_render(plan[k], settings.first_seed + k, settings.seconds, mel.sample_rate) for k in chunk]
    waves = np.stack([sound.waveform for sound in sounds])
    log_mels = LogMel(mel)(torch.from_numpy(waves))[:, 0].numpy()
    np.load(settings.folder / "wav.npy", mmap_mode="r+")[chunk] = np.round(np.clip(waves, -1, 1) * PEAK).astype(
        np.int16
    )
    np.load(settings.folder / "mel.npy", mmap_mode="r+")[chunk] = log_mels.astype(np.float16)
    about = {k: _about(sound) for k, sound in zip(chunk, sounds, strict=True)}
    (settings.folder / f"clips.{chunk[0]}.json").write_text(json.dumps(about), encoding="utf-8")
    return chunk


def _render(name: str | None, seed: int, seconds: float, sample_rate: int) -> Sound | Mixture:
    if name is None:
        return render_mixture(seed, seconds, sample_rate)
    is_edited = seed * math.sqrt(2) % 1 >= _WHOLE_SHARE
    has_floor = is_edited or seed * math.sqrt(3) % 1 < _FLOOR_SHARE
    return render(name, seed, seconds, sample_rate, has_floor=has_floor, is_edited=is_edited)


def _about(sound: Sound | Mixture) -> dict[str, Any]:
    about: dict[str, Any] = {"seed": sound.seed, "attributes": sound.attributes}
    if isinstance(sound, Mixture):
        return about | {"names": sound.names, "relation": sound.relation}
    return about | {"name": sound.name}


def _write_about(settings: ClipSettings) -> None:
    """Join the notes that the processes left, if there are new ones."""
    notes = sorted(settings.folder.glob("clips.*.json"))
    if not notes:
        return
    path = settings.folder / "clips.json"
    joined: dict[int, Any] = dict(enumerate(json.loads(path.read_text(encoding="utf-8")))) if path.exists() else {}
    for note in notes:
        joined |= {int(k): clip for k, clip in json.loads(note.read_text(encoding="utf-8")).items()}
    path.write_text(json.dumps([joined[k] for k in range(settings.num_clips)]), encoding="utf-8")
    for note in notes:
        os.unlink(note)


def _single_thread() -> None:
    torch.set_num_threads(1)
