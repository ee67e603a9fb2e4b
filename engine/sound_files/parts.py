"""What the modules of the containers work with: a file's bytes, a view spliced of them, and where a sound ends.

Everything here is bytes; samples begin in `reader`.
"""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

SLACK_BYTES = 64  # some writers count a header into the size of their samples
MOST_CHUNKS = 100_000
_BLOCK = 2**20

# Sizes by which writers that cannot go back mean "until the file ends", first and one after the last
_ENDLESS = (
    (0x7F00_0000, 0x7F00_0100),
    (0x7FFF_0000, 0x8000_0100),
    (0xFFFF_0000, 0x1_0000_0000),
    (2**63 - 2**32, 2**64),
)


class NotReadableError(Exception):
    """Why a file cannot be used; `str` is a part of a sentence: "it is cut off"."""


@dataclass(frozen=True)
class Source:
    """A file that is open for reading, and how long it is."""

    file: BinaryIO
    size: int  # bytes

    def at(self, offset: int, count: int) -> bytes:
        """Bytes from `offset` on; fewer at the end of the file."""
        if offset >= self.size:
            return b""
        self.file.seek(offset)
        return self.file.read(count)


NOWHERE = -1
Piece = bytes | tuple[int, int]
"""Bytes that were made up, or a place in the file: its first byte (NOWHERE: zeros) and its number of bytes."""


@dataclass(frozen=True)
class ChainedStream:
    """One sound of a file, as libsndfile should see it.

    `frames` is how many it has, where the container is certain. `fact` is how many it claims to have: it is believed if
    it is within the last block of `block_frames`, which are coded as a whole. libsndfile seeks exactly only in the
    first `seekable_part`.
    """

    parts: tuple[Piece, ...]
    frames: int | None = None
    fact: int | None = None
    block_frames: int = 0
    seekable_part: float = 1.0


class Spliced(io.RawIOBase):
    """Several pieces, concatenated, as a file."""

    def __init__(self, source: Source, parts: Sequence[Piece]) -> None:
        self._source, self._parts, self._at = source, list(parts), 0
        self._starts = [0]
        for part in self._parts:
            self._starts.append(self._starts[-1] + (len(part) if isinstance(part, bytes) else part[1]))
        self._index = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, self._starts[-1])[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what libsndfile is read with
        """Fill a buffer as far as there are bytes; returns how many there were."""
        done = 0
        while done < len(buffer) and self._at < self._starts[-1]:
            found = self._piece(len(buffer) - done)
            if not found:  # the file became shorter meanwhile
                break
            buffer[done : done + len(found)] = found
            done, self._at = done + len(found), self._at + len(found)
        return done

    def _piece(self, count: int) -> bytes:
        while self._at < self._starts[self._index]:
            self._index -= 1
        while self._at >= self._starts[self._index + 1]:
            self._index += 1
        part, within = self._parts[self._index], self._at - self._starts[self._index]
        if isinstance(part, bytes):
            return part[within : within + count]
        if part[0] == NOWHERE:
            return bytes(min(count, part[1] - within))
        return self._source.at(part[0] + within, min(count, part[1] - within))


def sound_bytes(source: Source, start: int, declared: int, is_chunk_at: Callable[[int], bool]) -> int:
    """Return how many bytes of samples are at `start`, whatever the header declares; `is_chunk_at` tests what follows.

    Raises NotReadableError when there are fewer than declared.
    """
    there = max(0, source.size - start)
    if declared > there:
        if any(first <= declared < end for first, end in _ENDLESS):
            return there
        if declared - there > SLACK_BYTES:
            raise NotReadableError(f"it is cut off, {there} of {declared} bytes of samples are there")
        return there
    behind = start + declared
    if behind == source.size or is_tail(source, behind, is_padding_likely=declared > 0):
        return declared
    if is_chunk_at(behind) or (declared % 2 and is_chunk_at(behind + 1)):
        return declared
    return there


def is_tail(source: Source, start: int, *, is_padding_likely: bool = True) -> bool:
    """Return whether the end of a file is a player's tag, or a little padding."""
    left = source.size - start
    if source.at(start, 128).startswith((b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")):
        return True
    if left < 8:
        return True
    return is_padding_likely and is_zero(source, start)


def is_zero(source: Source, start: int) -> bool:
    """Return whether only zeros follow to the end of a file: recorders and disks reserve space ahead."""
    return all(not source.at(at, _BLOCK).strip(b"\0") for at in range(start, source.size, _BLOCK))


Head = Callable[[int], tuple[bytes, int] | None]
"""Give the name of the chunk at a place and the place behind it, or None where there is none."""


def walk(start: int, head: Head) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and end of each chunk from `start` on. Raises NotReadableError when they never end."""
    at = start
    for _ in range(MOST_CHUNKS):
        found = head(at)
        if found is None:
            return
        yield found[0], at, found[1]
        at = found[1]
    raise NotReadableError(f"it has more than {MOST_CHUNKS} parts")


def chunks_follow(source: Source, start: int, head: Head) -> bool:
    """Return whether only chunks follow from `start` to the end of the file."""
    at = start
    for *_, behind in walk(start, head):
        at = behind
        if at >= source.size:
            return True
    return at > start and is_tail(source, at)


def file_behind(source: Source, start: int, head: Head, beginning: re.Pattern[bytes]) -> list[int]:
    """Return where another, appended file begins among the chunks from `start` on: one place, or none."""
    places = (place for _, place, _ in walk(start, head) if beginning.match(source.at(place, 12)))
    return list(islice(places, 1))


def is_name(name: bytes) -> bool:
    """Whether four bytes can be the name of a chunk: letters, digits, blanks and the like, one letter at least."""
    return len(name) == 4 and all(0x20 <= byte < 0x7F for byte in name) and any(bytes([b]).isalpha() for b in name)
