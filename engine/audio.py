"""Audio, the one value that enters and leaves the engine: samples, their rate and their story.

An `Audio` that exists is usable: one or two channels, at least one sample, every sample a number.
"""

import hashlib
import json
import math
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import psutil
import soxr

from engine.errors import (
    AudioEmptyError,
    AudioNotFiniteError,
    ClipTooLongError,
    RegionError,
    SampleRateError,
    TooManyChannelsError,
)
from engine.notebook import audio_html
from engine.sound_files.reader import SoundReader, open_sound
from engine.wav_writer import Samples, write_wav

MAX_CHANNELS = 2
SAMPLE_RATES = (4_000, 384_000)  # Hz, lowest and highest
SHORTEST_S = 0.02  # seconds; less than one cycle of the lowest note that the log-mel can distinguish from silence
MOST_SAMPLES = 500_000_000  # of all channels: what still fits into one WAV at 64 bits, 87 minutes of stereo at 48 kHz
SMALL_SAMPLES = 20_000_000  # of all channels; there is always memory for this many
COPIES = 2.5  # of a clip in memory, in float32, while it is worked on
CANCELLED = 0.25  # of a channel's RMS: the mean of two that have nothing in common has twice that or more
END_TOLERANCE_S = 0.001  # seconds; times on the wire are 32-bit floats, coarse beyond some minutes

# What a source's encoding becomes: never less than it had, and room for the new part's own resolution.
OUTPUT_ENCODINGS = {
    "PCM_S8": "PCM_24",
    "PCM_U8": "PCM_24",
    "PCM_16": "PCM_24",
    "PCM_24": "PCM_24",
    "ALAC_16": "PCM_24",
    "ALAC_20": "PCM_24",
    "ALAC_24": "PCM_24",
    "PCM_32": "PCM_32",
    "ALAC_32": "PCM_32",
    "DOUBLE": "DOUBLE",
}
DELIVERED = {"16": "PCM_16", "24": "PCM_24", "32": "FLOAT"}  # bits of a sample that were asked for
RESAMPLED_AT_ONCE = 2**16  # samples of a channel
_SHOWN = 60  # characters of a prompt in a one-line description
LONGEST_PROVENANCE = 2**20  # bytes at the start of a file that are searched for its story


@dataclass(frozen=True, eq=False)
class Audio:
    """A clip or a take.

    Audio.read("clip.wav")                          a whole file
    Audio.read("clip.wav", start_s=1.0, end_s=2.5)  a region of it
    Audio(samples, 48_000)                          samples of your own, [C, T] or [T]

    Raises:
        TooManyChannelsError, AudioEmptyError, AudioNotFiniteError, SampleRateError: the samples cannot be a clip.
    """

    samples: Samples  # [C, T], float32; float64 only where the source has more than 24 bits
    sample_rate: int  # Hz
    story: Mapping[str, Any] = field(default_factory=dict)  # prompt, seed, model, settings, score; empty as read
    encoding: str = "FLOAT"  # libsndfile's name of the source's sample format
    path: Path | None = field(default=None, init=False)  # the file that holds just these samples; None for all others

    def __post_init__(self) -> None:
        samples = np.atleast_2d(np.asarray(self.samples))
        if samples.dtype != np.float64:
            samples = samples.astype(np.float32, copy=False)
        object.__setattr__(self, "samples", samples)
        _require_usable(samples, self.sample_rate)

    def __repr__(self) -> str:
        channels = "mono" if self.num_channels == 1 else "stereo"
        parts = [f"{self.seconds:.2f} s", f"{self.sample_rate} Hz", channels]
        parts += [repr(_one_line(str(self.story["prompt"])))] if self.story.get("prompt") else []
        parts += [f"seed {self.story['seed']}"] if "seed" in self.story else []
        parts += [repr(self.path.name)] if self.path else []
        return f"<Audio {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        """Return a player and the waveform, for notebooks."""
        return audio_html(self.samples, self.sample_rate, self.story)

    @classmethod
    def read(
        cls,
        path: str | Path,
        start_s: float | None = None,
        end_s: float | None = None,
        *,
        longest_s: float = math.inf,
    ) -> Self:
        """Read a file, or the region from `start_s` to `end_s` (seconds, exact to the sample) without the rest.

        More than `longest_s` seconds are refused before a sample is held.

        Raises:
            AudioMissingError: there is no file.
            AudioUnreadableError: it is a folder, not audio, damaged or cut off.
            AudioEmptyError: it lasts less than 0.02 s.
            RegionError: the region is empty, reversed or outside the file.
            ClipTooLongError: it is longer than `longest_s`, or does not fit into memory or into one WAV.
            TooManyChannelsError, AudioNotFiniteError, SampleRateError: see the class.
        """
        with open_sound(path) as file:
            start, end = _region_frames(file, start_s, end_s, longest_s)
            frames = file.read(start, end - start)
            clip = cls(np.ascontiguousarray(frames.T), file.sample_rate, encoding=file.encoding)
            if len(frames) == file.num_frames:
                object.__setattr__(clip, "path", Path(os.path.abspath(path)))
        return clip

    def write(self, path: str | Path, *, encoding: str | None = None) -> None:
        """Write a WAV with its story inside and beside it (`.json`), whole or not at all; never overwrite.

        `encoding` is one of PCM_16, PCM_24, PCM_32, FLOAT, DOUBLE; by default as the story's `output_bits` say, or else
        at least as good as the source's: 24-bit for 8- to 24-bit integers, float for floats and compressed sources.

        Raises:
            OutputExistsError, OutputWriteError: see `engine.wav_writer.write_wav`.
        """
        asked = DELIVERED.get(str(self.story.get("output_bits")))
        chosen = encoding or asked or OUTPUT_ENCODINGS.get(self.encoding, "FLOAT")
        write_wav(Path(path), self.samples, self.sample_rate, chosen, self.story)

    @property
    def num_channels(self) -> int:
        return int(self.samples.shape[0])

    @property
    def num_samples(self) -> int:
        """Samples of each channel, T."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        return self.num_samples / self.sample_rate

    @property
    def peak(self) -> float:
        """The largest absolute sample; 1 is full scale."""
        return float(np.abs(self.samples).max())

    @property
    def fingerprint(self) -> str:
        """SHA-256 of rate and samples, in hexadecimal: another one is another sound, whatever its file is called."""
        digest = hashlib.sha256(struct.pack("<3Q", self.sample_rate, *self.samples.shape))
        digest.update(self.samples.astype(self.samples.dtype.newbyteorder("<"), order="C", copy=False).data)
        return digest.hexdigest()

    def to_mono(self) -> Self:
        """The mean of the channels, [1, T]."""
        return type(self)(self.samples.mean(axis=0, keepdims=True), self.sample_rate, self.story, self.encoding)

    def as_heard(self) -> Self:
        """In mono, [1, T]: the channels' mean, or the louder where one is turned over and they cancel each other."""
        mono, loudest = self.to_mono(), max(self.samples, key=_sway)
        return mono if _sway(mono.samples) >= CANCELLED * _sway(loudest) else replace(mono, samples=loudest[None])

    def resample(self, sample_rate: int) -> Self:
        """The same sound at another rate, round(T · ratio) samples, neither delayed nor advanced."""
        num_samples = max(1, round(self.num_samples * sample_rate / self.sample_rate))
        samples = resample(self.samples, self.sample_rate, sample_rate, num_samples)
        return type(self)(samples, sample_rate, self.story, self.encoding)


def _one_line(words: str) -> str:
    """Return words without their line breaks, cut after a line's length."""
    line = " ".join(words.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _sway(samples: Samples) -> float:
    """RMS without the constant offset, which is no sound."""
    return float(samples.std(dtype=np.float64)) if samples.size else 0.0


def resample(samples: Samples, from_rate: int, to_rate: int, num_samples: int) -> Samples:
    """Samples [C, T] at `from_rate` -> exactly [C, num_samples] at `to_rate` Hz: cut, or filled up with silence."""
    resampled = np.zeros((samples.shape[0], num_samples), samples.dtype)
    for channel, target in zip(samples, resampled, strict=True):
        start = 0
        for made in _resampled(channel, from_rate, to_rate):
            kept = made[: num_samples - start]
            target[start : start + len(kept)] = kept
            start += len(kept)
    return resampled


def resampled_slices(samples: Samples, from_rate: int, to_rate: int, num_samples: int) -> Iterator[Samples]:
    """Samples [C, T] -> slices [C, t] of 32-bit floats that, joined, are what `resample` makes of them."""
    streams = [_resampled(channel.astype(np.float32, copy=False), from_rate, to_rate) for channel in samples]
    given = 0
    for parts in zip(*streams, strict=True):
        made = np.stack([part[: num_samples - given] for part in parts])
        given += made.shape[1]
        yield made
    if given < num_samples:
        yield np.zeros((len(samples), num_samples - given), np.float32)


def _resampled(channel: Samples, from_rate: int, to_rate: int) -> Iterator[Samples]:
    """One channel [T], block by block to save memory; joined, the blocks equal what soxr returns for the whole."""
    if from_rate == to_rate:
        yield from (channel[start : start + RESAMPLED_AT_ONCE] for start in range(0, len(channel), RESAMPLED_AT_ONCE))
        return
    stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype=channel.dtype.name, quality="VHQ")
    for start in range(0, len(channel), RESAMPLED_AT_ONCE):
        end = start + RESAMPLED_AT_ONCE
        yield stream.resample_chunk(channel[start:end], last=end >= len(channel))


def region_samples(num_samples: int, sample_rate: int, start_s: float | None, end_s: float | None) -> tuple[int, int]:
    """Seconds -> first sample and the one after the last; None is the clip's own start or end.

    Raises:
        RegionError: the region is empty, reversed or outside the clip.
    """
    seconds = num_samples / sample_rate
    first_s, last_s = 0.0 if start_s is None else start_s, seconds if end_s is None else end_s
    if not 0 <= first_s < last_s <= seconds + END_TOLERANCE_S:
        raise RegionError(first_s, last_s, seconds)
    start, end = round(first_s * sample_rate), min(round(last_s * sample_rate), num_samples)
    if start >= end:
        raise RegionError(first_s, last_s, seconds)
    return start, end


def read_story(path: str | Path) -> dict[str, Any]:
    """The story that `Audio.write` left inside a WAV; empty where there is none.

    Raises:
        AudioMissingError, AudioUnreadableError: there is no such file, or it is not audio.
    """
    with open_sound(path):
        comment = _long_comment(Path(path))
    try:
        provenance = json.loads(comment)
    except ValueError:
        return {}
    return provenance if isinstance(provenance, dict) else {}


def _long_comment(path: Path) -> str:
    """Return the comment of a RIFF file."""
    with path.open("rb") as file:
        head = file.read(LONGEST_PROVENANCE)
    listed = _chunk(head[12:], b"LIST") if head.startswith(b"RIFF") else b""
    return _chunk(listed[4:], b"ICMT").rstrip(b"\0").decode(errors="replace")


def _chunk(chunks: bytes, wanted: bytes) -> bytes:
    """The content of the first RIFF chunk of that name; empty where there is none."""
    start = 0
    while start + 8 <= len(chunks):
        name, size = struct.unpack_from("<4sI", chunks, start)
        if name == wanted:
            return chunks[start + 8 : start + 8 + size]
        start += 8 + size + size % 2
    return b""


def _require_usable(samples: Samples, sample_rate: int) -> None:
    if samples.ndim > 2 or samples.shape[0] > MAX_CHANNELS:
        raise TooManyChannelsError(samples.shape[0], MAX_CHANNELS)
    if samples.size == 0:
        raise AudioEmptyError(0.0, SHORTEST_S)
    if not SAMPLE_RATES[0] <= sample_rate <= SAMPLE_RATES[1]:
        raise SampleRateError(sample_rate, *SAMPLE_RATES)
    finite = np.isfinite(samples)
    if not finite.all():
        raise AudioNotFiniteError(int(samples.size - np.count_nonzero(finite)))


def _region_frames(file: SoundReader, start_s: float | None, end_s: float | None, longest_s: float) -> tuple[int, int]:
    """The first frame that is to be read and the one after the last; an empty file is not a wrong region."""
    if file.num_frames == 0:
        raise AudioEmptyError(0.0, SHORTEST_S)
    start, end = region_samples(file.num_frames, file.sample_rate, start_s, end_s)
    seconds = (end - start) / file.sample_rate
    if seconds < SHORTEST_S:
        raise AudioEmptyError(seconds, SHORTEST_S)
    if file.num_channels > MAX_CHANNELS:
        raise TooManyChannelsError(file.num_channels, MAX_CHANNELS)
    most_s = min(longest_s, MOST_SAMPLES / file.num_channels / file.sample_rate)
    if (end - start) * file.num_channels > SMALL_SAMPLES:
        most_s = min(most_s, _most_that_fits(file.num_channels) / file.sample_rate)
    if seconds > most_s:
        raise ClipTooLongError(seconds, most_s)
    return start, end


def _most_that_fits(num_channels: int) -> float:
    """Samples of a channel that memory has room for now: the clip, a copy of it while it is read, and a take."""
    return float(psutil.virtual_memory().available / COPIES / 4 / num_channels)
