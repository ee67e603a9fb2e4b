"""MP3: its frames are counted, since the decoder believes the tag in the first one, or guesses where there is none.

A frame holds its own length, so they can be followed from the first to the last. The view keeps the tag only when its
count is right; the tags of players (ID3, APE) are left out. A second tag means that another MP3 was appended.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from engine.sound_files.parts import NOWHERE, ChainedStream, NotReadableError, Source, is_zero

_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_KBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_IN_A_ROW = 3  # frames that must follow one another before the first is believed
_HEAD_SEARCHED = 2**16  # bytes among which the first frame begins
_TAIL_IGNORED = 2**16  # bytes of other data after the last frame
_BY_CHANCE = 3  # false frame headers in that much other data
_SYNC = re.compile(rb"\xff[\xe2-\xff]")
_FRAMES, _BYTES = 1, 2  # flags of a tag: which counts it holds
_BLOCK = 2**16


@dataclass(frozen=True)
class _MpegFrame:
    size: int  # bytes
    samples: int
    kind: tuple[int, int, bool]  # version, rate (Hz), mono: what all frames of one sound share
    side: int  # bytes of side information


@dataclass
class _Run:
    """The frames of one MP3: where they are, how many, and the frame with the tag before them."""

    frame: _MpegFrame
    tag: bytes = b""
    places: list[list[int]] = field(default_factory=list)  # first byte, number of bytes
    frames: int = 0
    first_size: int = 0  # bytes of the first frame

    def append(self, at: int, size: int) -> None:
        self.first_size = self.first_size or size
        if self.places and sum(self.places[-1]) == at:
            self.places[-1][1] += size
        else:
            self.places.append([at, size])
        self.frames += 1


def is_mpeg(source: Source, start: int) -> bool:
    """Whether the frames of an MP3 begin near `start`."""
    end = min(source.size, start + _HEAD_SEARCHED)
    return any(frame is not None for _, frame in _beginnings(source, start, end))


def mpeg_links(source: Source, start: int, end: int) -> list[ChainedStream]:
    """Return the concatenated MP3 streams between two places, usually one.

    Raises NotReadableError when there is none, when one is cut off or damaged, or when two cannot be one sound.
    """
    runs: list[_Run] = []
    is_whole, at = True, start
    for at, frame in _frames(source, start, end):
        if at + frame.size > end:
            is_whole = False
            break
        content = source.at(at, frame.size)
        is_tag = _tag_place(content, frame) > 0
        if is_tag or not runs:
            runs.append(_Run(frame, content if is_tag else b""))
        if frame.kind != runs[0].frame.kind:
            raise NotReadableError("it is several MP3s put together, of different sample rates or channels")
        if not is_tag:
            runs[-1].append(at, frame.size)
    links = [_link(run, is_whole=is_whole) for run in runs if run.frames]
    if not links:
        raise NotReadableError("there is no sound in it")
    return links


def _frames(source: Source, start: int, end: int) -> Iterator[tuple[int, _MpegFrame]]:
    """The frames and their places; the last one may reach beyond the end. Raises NotReadableError at a hole."""
    at, current = start, None
    while at < end:
        frame = _frame_of(source.at(at, 4))
        if frame is not None and (frame.kind == current or _is_confirmed(source, at, frame, end)):
            yield at, frame
            at, current = at + frame.size, frame.kind
            continue
        behind = _tag_end(source, at)
        if behind is None:
            behind = _next_sound(source, at, end)
            _require_no_hole(source, at, behind, end, current)
        at = end if behind is None else behind


def _require_no_hole(source: Source, at: int, behind: int | None, end: int, kind: tuple[int, int, bool] | None) -> None:
    """Nothing may be missing between two frames; before the first one (`kind` is None) and at a tag anything may be.

    Also after the last one, as long as it is zeros, or a few bytes in which no frames begin.
    """
    if kind is None:
        return
    if behind is None:
        rest = source.at(at, min(end - at, _TAIL_IGNORED))
        begun = (_frame_of(rest[place.start() : place.start() + 4]) for place in _SYNC.finditer(rest))
        is_broken = sum(frame is not None and frame.kind == kind for frame in begun) > _BY_CHANCE
        if is_broken or (end - at > _TAIL_IGNORED and not is_zero(source, at)):
            raise NotReadableError(f"it is damaged at byte {at}")
        return
    frame = _frame_of(source.at(behind, 4))
    if frame is not None and behind - at >= frame.size // 2 and not _tag_place(source.at(behind, frame.size), frame):
        raise NotReadableError(f"it is damaged at byte {at}")


def _next_sound(source: Source, start: int, end: int) -> int | None:
    """The next place where frames, or a player's tag, begin."""
    return next((place for place, _ in _beginnings(source, start, end)), None)


def _beginnings(source: Source, start: int, end: int) -> Iterator[tuple[int, _MpegFrame | None]]:
    """The places where frames begin, and the first one; None where it is a player's tag."""
    for begin in range(start, end, _BLOCK):
        block = source.at(begin, min(_BLOCK + 16, end - begin))
        place = -1
        while (place := _candidate(block, place + 1)) >= 0 and place < _BLOCK:
            frame = _frame_of(block[place : place + 4])
            if frame is not None and _is_confirmed(source, begin + place, frame, end):
                yield begin + place, frame
            if frame is None and begin + place > start and _tag_end(source, begin + place) is not None:
                yield begin + place, None


def _candidate(block: bytes, start: int) -> int:
    found = [block.find(name, start) for name in (b"\xff", b"ID3", b"TAG", b"APETAGEX")]
    return min((place for place in found if place >= 0), default=-1)


def _is_confirmed(source: Source, at: int, frame: _MpegFrame, end: int) -> bool:
    """Whether as many frames of one kind follow one another, or all that there are."""
    kind, count = frame.kind, 0
    following: _MpegFrame | None = frame
    while following is not None and following.kind == kind and count < _IN_A_ROW:
        at, count = at + following.size, count + 1
        if at >= end:
            return count > 1
        following = _frame_of(source.at(at, 4))
    return count == _IN_A_ROW or (count > 1 and _tag_end(source, at) is not None)


@lru_cache(maxsize=4096)
def _frame_of(head: bytes) -> _MpegFrame | None:
    """Parse the first four bytes of a frame; None where they are no frame of an MP3 with a known length."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, code, rate_code = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or code in (0, 15) or rate_code == 3:
        return None
    rate, is_mono = _RATES[version][rate_code], head[3] >> 6 == 3
    kbits = (_KBITS_1 if version == 3 else _KBITS_2)[code]
    samples = 1152 if version == 3 else 576
    side = (17 if is_mono else 32) if version == 3 else (9 if is_mono else 17)
    return _MpegFrame(samples // 8 * kbits * 1000 // rate + (head[2] >> 1 & 1), samples, (version, rate, is_mono), side)


def _tag_place(content: bytes, frame: _MpegFrame) -> int:
    """Where in a frame the tag with its counts begins; 0 in a frame of sound."""
    for place in (4 + frame.side, 6 + frame.side):
        if content[place : place + 4] in (b"Xing", b"Info"):
            return place
    return 36 if content[36:40] == b"VBRI" else 0


def _tag_end(source: Source, at: int) -> int | None:
    """Where a player's tag that begins at a place ends; None where there is none."""
    head = source.at(at, 32)
    if head.startswith(b"ID3") and len(head) >= 10 and not any(byte & 0x80 for byte in head[6:10]):
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        behind = at + 10 + size + (10 if head[5] & 0x10 else 0)
        return behind if behind <= source.size else at + 10  # its size is wrong too; what comes may still be found
    if head.startswith(b"TAG"):
        return at + 128
    if head.startswith(b"APETAGEX") and len(head) == 32:
        size, flags = struct.unpack_from("<I4xI", head, 12)
        return at + 32 if flags >> 29 & 1 == 0 else at + 32 + int(size)  # an end, or a beginning
    return None


def _link(run: _Run, *, is_whole: bool) -> ChainedStream:
    """Return one MP3 with its tag if that is correct; else without, after zeros that make the decoder expect more."""
    size = sum(length for _, length in run.places)
    counts = _counts(run)
    if counts is not None:
        frames, num_bytes = counts
        is_short = num_bytes is None or num_bytes > len(run.tag) + size + run.frame.size
        if frames > run.frames + is_whole and is_short:
            raise NotReadableError(f"it is cut off, {run.frames} of {frames} parts of it are there")
    places = tuple((first, length) for first, length in run.places)
    if counts is not None and counts[0] == run.frames and run.tag[36:40] != b"VBRI":
        return ChainedStream((run.tag, *places))
    # Without a tag the decoder guesses by the size of the first frame, and stops there; the zeros are never decoded
    guessed = (run.frames + 2) * (run.first_size + 1)
    return ChainedStream((*places, (NOWHERE, max(guessed - size, 0))), run.frames * run.frame.samples)


def _counts(run: _Run) -> tuple[int, int | None] | None:
    """How many frames and bytes the tag claims there are, as far as it does."""
    place = _tag_place(run.tag, run.frame)
    content = run.tag[place:].ljust(18, b"\0")
    if not place:
        return None
    if content.startswith(b"VBRI"):
        num_bytes, frames = struct.unpack_from(">II", content, 10)
        return int(frames), int(num_bytes)
    flags, first, second = struct.unpack_from(">III", content, 4)
    if not flags & _FRAMES:
        return None
    return int(first), int(second) if flags & _BYTES else None
