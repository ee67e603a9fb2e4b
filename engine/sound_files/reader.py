"""Reading a sound file: `open_sound` returns a `SoundReader`, which reads frames from anywhere in it, block by block.

Shape letters: t frames, C channels.
"""

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from engine.errors import AudioMissingError, AudioUnreadableError
from engine.plain_file import NotPlainError, open_plain
from engine.sound_files.flac import flac_links
from engine.sound_files.iff import aiff_links, caf_links
from engine.sound_files.mpeg import is_mpeg, mpeg_links
from engine.sound_files.ogg import ogg_links
from engine.sound_files.parts import ChainedStream, NotReadableError, Source, Spliced
from engine.sound_files.riff import riff_links, wave64_links

LONG_ENCODINGS = ("PCM_32", "ALAC_32", "DOUBLE")  # need 64-bit floats to be kept exactly
_REMEMBERING = ("MPEG_LAYER_III", "OPUS", "VORBIS")  # decoders that need what came before, a second at most
_CONTAINERS: tuple[tuple[bytes, tuple[bytes, ...], Callable[[Source, int], list[ChainedStream]]], ...] = (
    (b"RIFF", (b"WAVE",), riff_links),
    (b"RIFX", (b"WAVE",), riff_links),
    (b"RF64", (b"WAVE",), riff_links),
    (b"BW64", (b"WAVE",), riff_links),
    (b"riff\x2e\x91\xcf\x11", (b"",), wave64_links),
    (b"FORM", (b"AIFF", b"AIFC"), aiff_links),
    (b"caff", (b"",), caf_links),
    (b"fLaC", (b"",), flac_links),
    (b"OggS", (b"",), ogg_links),
)
"""How files begin, what stands eight bytes further on, and what finds their sounds."""

_WHOLLY_DECODED_S = 120  # of an MP3, from its start: a decoder that is sent to a place may complain at the terminal
_DROPPED_AT_ONCE = 2**16  # frames, where a decoder cannot be sent to a place

Frames = NDArray[np.floating[Any]]
"""Some frames of sound, [t, C]."""


@dataclass(frozen=True)
class _SndfileInfo:
    """What libsndfile makes of a link: how long it is, and whether it can be sent to a place in it."""

    link: ChainedStream
    frames: int
    is_seekable: bool


class _SndfileView(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """libsndfile's view of a stream, which soundfile reads in one go.

    In a seekable file soundfile seeks again after every block, and MP3 and Ogg decoders then lose the state that the
    next block depends on.
    """

    def seekable(self) -> bool:
        return False

    @property
    def has_places(self) -> bool:
        """Whether `seek` works."""
        return bool(super().seekable())


class SoundReader:
    """A sound file that is open: what it is, and its frames. Made by `open_sound`.

    Several concatenated sounds are read as one; they have the same rate and channels.
    """

    def __init__(self, path: Path, source: Source) -> None:
        self._path, self._source = path, source
        self._file: _SndfileView | None = None
        self._current, self._at = -1, 0  # the sound that is being decoded, and where in it
        forms, self._sounds = [], []
        for link in _links(source):
            with self._decoder(link) as file:
                forms.append((int(file.samplerate), int(file.channels)))
                frames = _frames(link, file)
                is_short = file.subtype == "MPEG_LAYER_III" and frames < _WHOLLY_DECODED_S * file.samplerate
                self._sounds.append(_SndfileInfo(link, frames, file.has_places and not is_short))
                self.encoding: str = file.subtype  # libsndfile's name of the sample format
        if len(set(forms)) > 1:
            raise NotReadableError("it is several sounds put together, of different sample rates or channels")
        self.sample_rate, self.num_channels = forms[0]  # Hz, C
        self._lead = self.sample_rate if self.encoding in _REMEMBERING else 0
        self.num_frames = sum(sound.frames for sound in self._sounds)

    def read(self, start: int, count: int, dtype: str | None = None) -> Frames:
        """Frames [t, C] from `start` on, fewer than `count` at the end only.

        `dtype` is float32 unless the file has more than 24 bits a sample. Raises AudioUnreadableError where the file
        breaks off, or is damaged.
        """
        first, last = max(0, start), max(0, min(start + count, self.num_frames))
        kind = dtype or ("float64" if self.encoding in LONG_ENCODINGS else "float32")
        frames = np.empty((max(0, last - first), self.num_channels), kind)
        done, begin = 0, 0
        with self._told():
            for index, sound in enumerate(self._sounds):
                within = first + done - begin
                if done < len(frames) and within < sound.frames:
                    wanted = frames[done : done + sound.frames - within]
                    done += self._decode(index, within, wanted)
                    if first + done < min(last, begin + sound.frames):
                        seconds = (first + done) / self.sample_rate
                        raise NotReadableError(f"it breaks off after {seconds:.2f} s")
                begin += sound.frames
        return frames

    def close(self) -> None:
        """Let go of the file."""
        self._stop()
        self._source.file.close()

    def _decode(self, index: int, start: int, frames: Frames) -> int:
        """Fill `frames` from a place in one sound; returns how many could be."""
        sound = self._sounds[index]
        if self._file is None or index != self._current or (start < self._at and not sound.is_seekable):
            self._stop()
            self._file, self._current, self._at = self._decoder(sound.link), index, 0
        if start != self._at and sound.is_seekable:
            before = max(0, min(start - self._lead, int(sound.link.seekable_part * sound.frames)))
            if before > self._at or start < self._at:
                self._at = self._file.seek(before)
        while self._at < start:
            dropped = self._file.read(min(_DROPPED_AT_ONCE, start - self._at), dtype="float32")
            if not len(dropped):
                return 0
            self._at += len(dropped)
        found = len(self._file.read(out=frames))
        self._at += found
        return found

    def _decoder(self, link: ChainedStream) -> _SndfileView:
        return _SndfileView(Spliced(self._source, link.parts))

    def _stop(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    @contextmanager
    def _told(self) -> Iterator[None]:
        with _refused(self._path):
            yield


def _frames(link: ChainedStream, file: soundfile.SoundFile) -> int:
    frames = int(file.frames) if link.frames is None else link.frames
    if link.fact is not None and frames - link.block_frames < link.fact <= frames:
        return link.fact
    return frames


def _links(source: Source) -> list[ChainedStream]:
    """The sounds of a file, by what it begins with."""
    start = _without_tags(source)
    head = source.at(start, 16)
    for name, form, links in _CONTAINERS:
        if head.startswith(name) and head[8:].startswith(form):
            return links(source, start)
    if is_mpeg(source, start):
        return mpeg_links(source, start, source.size)
    known = "by its content it is no WAV, AIFF, CAF, FLAC, Ogg or MP3 file"
    raise NotReadableError(known if source.size else "it is empty")


def _without_tags(source: Source) -> int:
    """Return where the file begins after the tags of players, which some prepend to files of any kind."""
    at = 0
    while (head := source.at(at, 10)).startswith(b"ID3") and len(head) == 10:
        size = struct.unpack_from(">4B", head, 6)
        behind = at + 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3]) + (10 if head[5] & 0x10 else 0)
        if behind >= source.size:  # its size is wrong too; what comes may still be found
            break
        at = behind
    return at


@contextmanager
def open_sound(path: str | Path) -> Iterator[SoundReader]:
    """A sound file, open for reading as long as the block lasts.

    Raises:
        AudioMissingError: there is no file.
        AudioUnreadableError: it is a folder, a pipe, no sound that is known, damaged or cut off.
    """
    reader = reader_of(path)
    try:
        yield reader
    finally:
        reader.close()


def reader_of(path: str | Path) -> SoundReader:
    """As `open_sound`, for who closes it later. Raises the same."""
    with _refused(Path(path)):
        source = _opened(path)
        try:
            return SoundReader(Path(path), source)
        except BaseException:
            source.file.close()
            raise


def _opened(path: str | Path) -> Source:
    """The very file that was looked at, whatever takes its name meanwhile, and never a pipe. Raises OSError."""
    if os.path.isdir(path):  # which Windows does not open at all
        raise NotReadableError("it is a folder")
    try:
        file, size = open_plain(path, buffering=2**16)
    except NotPlainError as error:
        raise NotReadableError("it is a folder" if error.kind == "a folder" else "it is not a file") from error
    return Source(file, size)


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    """Whatever libsndfile, the system or a container's module has against a file becomes an `AudioFileError`."""
    try:
        yield
    except FileNotFoundError as error:
        raise AudioMissingError(path) from error
    except NotReadableError as error:
        raise AudioUnreadableError(path, str(error)) from error
    except (soundfile.SoundFileError, OSError) as error:
        raise AudioUnreadableError(path, _reason(error)) from error


def _reason(error: Exception) -> str:
    """Return the system's message; libsndfile's are about its own code, so they are replaced by a general one."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if "Error opening" in str(error):
        return "its samples are stored in a way that is not supported, or its head is damaged"
    return "it is damaged"
