"""Audio, the one value that enters and leaves the engine: samples, their rate and their story.

An `Audio` that exists is usable: one or two channels, at least one sample, every sample a number.
"""

import hashlib
import json
import os
import re
import struct
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import Any, Self

import numpy as np
import soundfile
import soxr

from engine.errors import (
    AudioEmptyError,
    AudioMissingError,
    AudioNotFiniteError,
    AudioUnreadableError,
    ClipTooLongError,
    RegionError,
    SampleRateError,
    TooManyChannelsError,
)
from engine.wav_writer import Samples, write_wav

MAX_CHANNELS = 2
SAMPLE_RATES = (4_000, 384_000)  # Hz, lowest and highest
SHORTEST_S = 0.02  # seconds; less than one cycle of the lowest note that the log-mel can tell from silence
MOST_SAMPLES = 500_000_000  # of all channels: what still fits into one WAV at 64 bits, 87 minutes of stereo at 48 kHz
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
LONG_ENCODINGS = ("PCM_32", "ALAC_32", "DOUBLE")  # need 64-bit floats to be kept exactly
ENDLESS, ENDLESS_SPAN = (0x7FFFFF00, 0xFFFFFF00), 0x101  # sizes by which streaming writers mean "until the file ends"
RESAMPLED_AT_ONCE = 2**16  # samples of a channel
LONGEST_STORY = 2**20  # bytes from a file's start among which its story lies
SLACK_BYTES = 64  # some writers count a header into the size of their samples


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

    @classmethod
    def read(cls, path: str | Path, start_s: float | None = None, end_s: float | None = None) -> Self:
        """Read a file, or the region from `start_s` to `end_s` (seconds, exact to the sample) without the rest.

        Raises:
            AudioMissingError: there is no file.
            AudioUnreadableError: it is a folder, not audio, damaged or cut off.
            AudioEmptyError: it lasts less than 0.02 s.
            RegionError: the region is empty, reversed or outside the file.
            ClipTooLongError: it does not fit into memory or into one WAV.
            TooManyChannelsError, AudioNotFiniteError, SampleRateError: see the class.
        """
        with _opened(Path(path)) as file:
            return cls._read_open(Path(path), file, start_s, end_s)

    @classmethod
    def _read_open(cls, path: Path, file: soundfile.SoundFile, start_s: float | None, end_s: float | None) -> Self:
        _require_complete(path, file)
        start, end = _region_frames(file.frames, file.samplerate, start_s, end_s)
        if (end - start) / file.samplerate < SHORTEST_S:
            raise AudioEmptyError((end - start) / file.samplerate, SHORTEST_S)
        if file.channels > MAX_CHANNELS:
            raise TooManyChannelsError(file.channels, MAX_CHANNELS)
        if (end - start) * file.channels > MOST_SAMPLES:
            raise ClipTooLongError((end - start) / file.samplerate, MOST_SAMPLES / file.channels / file.samplerate)
        file.seek(start)
        dtype = "float64" if file.subtype in LONG_ENCODINGS else "float32"
        frames = file.read(end - start, dtype=dtype, always_2d=True)
        if len(frames) < end - start:
            raise AudioUnreadableError(path, f"it breaks off after {(start + len(frames)) / file.samplerate:.2f} s")
        clip = cls(np.ascontiguousarray(frames.T), file.samplerate, encoding=file.subtype)
        if len(frames) == file.frames:
            object.__setattr__(clip, "path", Path(os.path.abspath(path)))
        return clip

    def write(self, path: str | Path, *, encoding: str | None = None) -> None:
        """Write a WAV with its story inside and beside it (`.json`), whole or not at all; never overwrite.

        `encoding` is one of PCM_16, PCM_24, PCM_32, FLOAT, DOUBLE; by default at least as good as the source's:
        24-bit for 8- to 24-bit integers, float for floats and for compressed sources.

        Raises:
            OutputExistsError, OutputWriteError: see `engine.wav_writer.write_wav`.
        """
        chosen = encoding or OUTPUT_ENCODINGS.get(self.encoding, "FLOAT")
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

    def resample(self, sample_rate: int) -> Self:
        """The same sound at another rate, round(T · ratio) samples, neither delayed nor advanced."""
        num_samples = max(1, round(self.num_samples * sample_rate / self.sample_rate))
        samples = resample(self.samples, self.sample_rate, sample_rate, num_samples)
        return type(self)(samples, sample_rate, self.story, self.encoding)


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


def _resampled(channel: Samples, from_rate: int, to_rate: int) -> Iterator[Samples]:
    """One channel [T] in pieces, so that little lies about twice; together they are what soxr makes of it at once."""
    if from_rate == to_rate:
        yield channel
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
    with _opened(Path(path)) as file:
        comment = file.comment or _long_comment(Path(path))
    try:
        story = json.loads(comment)
    except ValueError:
        return {}
    return story if isinstance(story, dict) else {}


def _long_comment(path: Path) -> str:
    """What a RIFF file says about itself; libsndfile passes over comments of 2,048 bytes and more."""
    with path.open("rb") as file:
        head = file.read(LONGEST_STORY)
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


def _region_frames(num_frames: int, sample_rate: int, start_s: float | None, end_s: float | None) -> tuple[int, int]:
    """An empty file is not a wrong region."""
    if num_frames == 0:
        raise AudioEmptyError(0.0, SHORTEST_S)
    return region_samples(num_frames, sample_rate, start_s, end_s)


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    """The open file; whatever libsndfile or the system has against it becomes an `AudioFileError`."""
    try:
        if path.exists() and not path.is_file():
            raise AudioUnreadableError(path, "it is a folder" if path.is_dir() else "it is not a file")
        with _held(path) as source, soundfile.SoundFile(source, closefd=False) as file:
            yield file
    except FileNotFoundError as error:
        raise AudioMissingError(path) from error
    except (soundfile.SoundFileError, OSError) as error:
        raise AudioUnreadableError(path, _reason(error)) from error


@contextmanager
def _held(path: Path) -> Iterator[int | str]:
    """What libsndfile opens: the very file that was looked at, whatever takes its name meanwhile, and never a pipe.

    Raises:
        OSError: with the system's reason, which is better than libsndfile's.
    """
    if sys.platform == "win32":  # libsndfile may count descriptors differently there
        path.open("rb").close()
        yield str(path)
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)  # waits for nobody at the other end
    try:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            raise AudioUnreadableError(path, "it is not a file")
        yield descriptor
    finally:
        os.close(descriptor)


def _require_complete(path: Path, file: soundfile.SoundFile) -> None:
    """Refuse a WAV or AIFF that holds less than its header promises (libsndfile reads what there is and notes it)."""
    for promised, found in re.findall(r"(?:data|SSND) : (\d+) \(should be (\d+)\)", file.extra_info):
        is_stream = any(0 <= int(promised) - endless < ENDLESS_SPAN for endless in ENDLESS)
        if int(promised) - int(found) > SLACK_BYTES and not is_stream:
            raise AudioUnreadableError(path, f"it is cut off, {found} of {promised} bytes of samples are there")


def _reason(error: Exception) -> str:
    """The system's words, or libsndfile's without their prefix; some decoders say nothing."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    words = str(error).partition(": ")[2] if "Error opening" in str(error) else str(error)
    return words.removeprefix("Error :").strip(" .") or "it is damaged"
