"""Training clips from a sound designer's own files: read, brought to one rate and level, cut into windows, kept once.

The result is what `datasets.Clips` opens. Files that cannot be used are passed over and named in skipped.json. An
interrupted call is taken up at its next file.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray

from engine.audio import Audio
from engine.errors import EngineError
from engine.mel import LogMel, MelConfig
from engine.training.cut_progress import PARTS, CutProgress, forget
from engine.training.datasets import PEAK, Clips
from engine.training.manifest import ListedClip, Skipped, read_manifest
from engine.training.training_errors import ClipsDifferError, ManifestError

SKIPPED_FILE, ORIGIN_FILE = "skipped.json", "library.json"
_LEVEL = 0.5  # peak of every file, as AudioLDM's authors set it
_SILENT = 1e-4  # peak below which a file has no sound
_FAINT = 2e-3  # peak, after levelling, below which a window has none

OnCount = Callable[[int, int], None]  # files done, files in total
Waveform = NDArray[np.float32]  # [T] at 16 kHz


@dataclass(frozen=True)
class LibrarySettings:
    """Which list, and how its files are cut."""

    folder: Path  # of the clips
    manifest: Path
    root: Path | None = None  # folder of the files; None: that of the list
    seconds: float = 5.12  # of a window
    max_windows: int = 8  # of one file, so that one long recording does not outweigh all others


def cut_clips(settings: LibrarySettings, on_progress: OnCount | None = None) -> Clips:
    """Cut those files of the list that are not cut yet, and open the result.

    Raises:
        ManifestError: the list cannot be read, or no file of it can be used.
        ClipsDifferError: the folder holds the clips of another list.
    """
    folder = settings.folder
    origin = _origin(settings)
    if (folder / "wav.npy").exists():
        known = folder / ORIGIN_FILE
        if not known.exists() or json.loads(known.read_text(encoding="utf-8")) != origin:
            raise ClipsDifferError(folder, settings.manifest)
        forget(folder)  # what a call that was stopped at the very end may have left
        return Clips(folder)
    entries, skipped = read_manifest(settings.manifest, settings.root)
    with CutProgress(folder, origin | {"root": str(settings.root)}, _bytes_a_window(settings)) as progress:
        for done, entry in enumerate(entries[progress.num_files :], start=progress.num_files + 1):
            _cut(entry, settings, progress)
            if on_progress and (done % 50 == 0 or done == len(entries)):
                on_progress(done, len(entries))
    skipped += progress.skipped
    _write_json(folder / SKIPPED_FILE, [asdict(one) for one in skipped])
    if not progress.about:
        forget(folder)  # its files may be there next time
        first = (progress.skipped or skipped)[0]
        where = "say where they lie with --audio-root" if settings.root is None else "check that of --audio-root"
        raise ManifestError(
            settings.manifest,
            f"none of its files can be used; {first.name}: {first.reason}",
            f"names in a list start at its own folder; {where}",
        )
    _write_json(folder / ORIGIN_FILE, origin)
    _finish(settings, progress.about)
    forget(folder)
    return Clips(folder)


def read_skipped(folder: Path) -> list[Skipped]:
    """What was passed over when the clips were cut."""
    path = folder / SKIPPED_FILE
    return [Skipped(**row) for row in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []


def windows_of(waveform: Waveform, settings: LibrarySettings, sample_rate: int) -> Iterator[tuple[int, Waveform]]:
    """Start and samples of each window with sound in it, one after the other; the last is filled up with silence."""
    length = round(settings.seconds * sample_rate)
    shortest = length // 4  # a shorter rest is dropped, unless it is all there is
    kept = 0
    for start in range(0, len(waveform), length):
        window = waveform[start : start + length]
        if start and len(window) < shortest:
            break
        if np.abs(window).max() >= _FAINT:
            kept += 1
            yield start, np.pad(window, (0, length - len(window)))
        if kept == settings.max_windows:
            break


def _cut(entry: ListedClip, settings: LibrarySettings, progress: CutProgress) -> None:
    """Append the windows of one file and their descriptions, or why there are none."""
    mel = MelConfig()
    try:
        waveform = _levelled(Audio.read(entry.path), mel.sample_rate)
    except EngineError as error:
        progress.finish_file([], [Skipped(str(entry.path), error.text)])
        return
    if waveform is None:
        progress.finish_file([], [Skipped(str(entry.path), "it is silent")])
        return
    about = []
    for start, window in windows_of(waveform, settings, mel.sample_rate):
        log_mel = LogMel(mel)(torch.from_numpy(window[None]))[0, 0].numpy()
        progress.add_window(np.round(window * PEAK).astype(np.int16), log_mel.astype(np.float16))
        about.append(
            {
                "file": entry.path.name,
                "start_s": start / mel.sample_rate,
                "captions": list(entry.captions),
                "sound": entry.sound,
            }
        )
    progress.finish_file(about, [])


def _levelled(clip: Audio, sample_rate: int) -> Waveform | None:
    """Mono, without constant part, at one peak; None for silence."""
    mono = clip.to_mono().resample(sample_rate).samples[0]
    mono = mono - mono.mean()
    peak = float(np.abs(mono).max())
    return None if peak < _SILENT else np.asarray(mono / peak * _LEVEL, dtype=np.float32)


def _finish(settings: LibrarySettings, about: list[dict[str, Any]]) -> None:
    """Headers before the raw numbers, whose count was not known before; wav.npy last: where it is, all is."""
    samples, frames, mels = _window_shape(settings)
    _write_json(settings.folder / "clips.json", about)
    for name, kind, shape in (("mel", "<f2", (len(about), frames, mels)), ("wav", "<i2", (len(about), samples))):
        raw, whole = settings.folder / PARTS[name], settings.folder / f"{name}.npy"
        partial = settings.folder / f"{name}.npy.part"
        with raw.open("rb") as source, partial.open("wb") as target:
            npy.write_array_header_1_0(target, {"descr": kind, "fortran_order": False, "shape": shape})
            shutil.copyfileobj(source, target)
        os.replace(partial, whole)


def _window_shape(settings: LibrarySettings) -> tuple[int, int, int]:
    """Samples, mel frames and mel bins of a window."""
    mel = MelConfig()
    samples = round(settings.seconds * mel.sample_rate)
    return samples, samples // mel.hop, mel.num_mels


def _bytes_a_window(settings: LibrarySettings) -> tuple[int, int]:
    """Of its waveform and of its log-mel, two bytes a number."""
    samples, frames, mels = _window_shape(settings)
    return 2 * samples, 2 * frames * mels


def _origin(settings: LibrarySettings) -> dict[str, Any]:
    try:
        digest = hashlib.sha256(settings.manifest.read_bytes()).hexdigest()
    except OSError as error:
        raise ManifestError(settings.manifest, error.strerror or str(error)) from error
    return {"sha256": digest, "seconds": settings.seconds, "max_windows": settings.max_windows}


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8", errors="backslashreplace")
