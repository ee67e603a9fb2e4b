"""FLAC: its head may not know how long it is (a stream), or be wrong; its last frame knows.

Each frame says which samples it holds, and is checked here by both of its checksums.
"""

import struct
from dataclasses import dataclass

from engine.sound_files.parts import ChainedStream, NotReadableError, Source, is_tail

_BEGINNINGS = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")
_TOTAL = 0xF_FFFF_FFFF  # 36 bits of the head
_SEARCHED = 2**20  # bytes before the end among which the last frame begins
_LOOKED_AT = 2**23  # bytes whose checksum is computed before giving up
_BLOCK = 2**22
_TAGS = 2**16


def flac_links(source: Source, start: int) -> list[ChainedStream]:
    """Return the concatenated FLAC streams, usually one. Raises NotReadableError when one is cut off."""
    starts = [start, *_more_beginnings(source, start + 4)]
    ends = [*starts[1:], _end(source)]
    return [_link(source, first, end) for first, end in zip(starts, ends, strict=True)]


def _more_beginnings(source: Source, at: int) -> list[int]:
    found, overlap = [], len(_BEGINNINGS[0]) - 1
    while at < source.size:
        block = source.at(at, _BLOCK + overlap)
        for beginning in _BEGINNINGS:
            place = block.find(beginning)
            while place >= 0:
                found.append(at + place)
                place = block.find(beginning, place + 1)
        at += _BLOCK
    return sorted(set(found))


def _end(source: Source) -> int:
    """Where the file ends, without the tags that other programs hang on it."""
    end = source.size
    if source.at(end - 128, 3) == b"TAG" and end > 128:
        end -= 128
    tail = source.at(max(0, end - _TAGS), min(end, _TAGS))
    for name in (b"APETAGEX", b"LYRICSBEGIN"):
        place = tail.find(name)
        if place >= 0 and is_tail(source, end - len(tail) + place):
            end, tail = end - len(tail) + place, tail[:place]
    return end


def _link(source: Source, start: int, end: int) -> ChainedStream:
    head = source.at(start, 42)
    first = _first_frame(source, start, end)
    if len(head) < 42 or first >= end:
        raise NotReadableError("it breaks off before its samples")
    (packed,) = struct.unpack_from(">Q", head, 18)
    beginning, last = _frame_at(source.at(first, 16)), _last_frame(source, first, end)
    if beginning is None or last is None:
        if packed & _TOTAL:  # reading shows whether that many are there
            return ChainedStream(((start, end - start),))
        raise NotReadableError("it is cut off or damaged at its end")
    frames = last.start(beginning.size) + last.size - beginning.start(beginning.size)
    if not 0 < frames <= _TOTAL:
        raise NotReadableError("its frames are numbered wrongly")
    right = struct.pack(">Q", packed & ~_TOTAL | frames)
    return ChainedStream((head[:18] + right + head[26:], (start + 42, end - start - 42)), frames)


def _first_frame(source: Source, start: int, end: int) -> int:
    at, is_last = start + 4, False
    while not is_last and at < end:
        kind, high, low = struct.unpack(">BBH", source.at(at, 4).ljust(4, b"\0"))
        is_last, at = bool(kind & 0x80), at + 4 + (high << 16 | low)
    return at


@dataclass(frozen=True)
class _FlacFrame:
    number: int  # of the frame, or of its first sample where frames differ in size
    size: int  # samples
    is_numbered_by_sample: bool

    def start(self, block: int) -> int:
        """Its first sample, in a file whose frames but the last have `block` samples, unless they differ."""
        return self.number if self.is_numbered_by_sample else self.number * block


def _last_frame(source: Source, first: int, end: int) -> _FlacFrame | None:
    """Return the frame that ends where the file does; None if it is not complete."""
    begin = max(first, end - _SEARCHED)
    data = source.at(begin, end - begin)
    place, looked_at = len(data), 0
    while looked_at < _LOOKED_AT and (place := data.rfind(b"\xff", 0, place)) >= 0:
        frame = _frame_at(data[place : place + 16])
        if frame is not None:
            looked_at += len(data) - place
            if _crc(data[place:], 0x8005, 16) == 0:
                return frame
    return None


def _frame_at(head: bytes) -> _FlacFrame | None:
    """The head of a frame, when it is one by its checksum."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xFE != 0xF8 or head[2] >> 4 == 0:
        return None
    length = max(1, 8 - (head[4] ^ 0xFF).bit_length()) if head[4] & 0x80 else 1  # of the number, coded like UTF-8
    number = head[4] & (0x7F >> (length if length > 1 else 0))
    for byte in head[5 : 4 + length]:
        number = number << 6 | byte & 0x3F
    at, code = 4 + length, head[2] >> 4
    extra = {6: 1, 7: 2}.get(code, 0)
    size = int.from_bytes(head[at : at + extra], "big") + 1
    if not extra:
        size = 192 if code == 1 else 576 << code - 2 if code < 6 else 256 << code - 8
    at += extra + {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    if len(head) <= at or _crc(head[: at + 1], 0x07, 8) != 0:
        return None
    return _FlacFrame(number, size, is_numbered_by_sample=bool(head[1] & 1))


def _table(polynomial: int, bits: int) -> list[int]:
    table = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> bits - 1 else 0)
            value &= (1 << bits) - 1
        table.append(value)
    return table


_TABLES = {(polynomial, bits): _table(polynomial, bits) for polynomial, bits in ((0x07, 8), (0x8005, 16))}


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    table, mask, shift, value = _TABLES[polynomial, bits], (1 << bits) - 1, bits - 8, 0
    for byte in data:
        value = (value << 8 & mask) ^ table[value >> shift ^ byte]
    return value
