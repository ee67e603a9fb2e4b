"""Ogg: pages are checked one by one, since decoders pass over a damaged one; each chained stream becomes a link."""

import struct
import zlib

from engine.sound_files.parts import ChainedStream, NotReadableError, Source, is_tail

_HEAD = struct.Struct("<4sBBqIIIB")
_FIRST = 2  # flag of a stream's first page
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def ogg_links(source: Source, start: int) -> list[ChainedStream]:
    """The streams of a file that follow one another. Raises NotReadableError when a page is damaged, or missing."""
    starts: list[int] = []
    ends: list[list[int]] = []  # of the pages of each link, in samples
    pages: dict[int, tuple[int, int]] = {}  # stream -> the number of its last page, and where in the sound that ended
    at, was_first = start, False
    while at < source.size:
        head = source.at(at, _HEAD.size)
        if not head.startswith(b"OggS"):
            if is_tail(source, at):
                break
            raise NotReadableError(f"it is damaged at byte {at}")
        page = _page(source, at, head)
        _, _, flags, position, stream, number, _, _ = _HEAD.unpack(head)
        if flags & _FIRST:
            if not was_first:
                starts.append(at)
                ends.append([0])
            pages[stream] = number, 0
        elif stream in pages:
            last, ended = pages[stream]
            if number != last + 1 or 0 <= position < ended:
                raise NotReadableError(f"a part of it is missing at byte {at}")
            pages[stream] = number, max(position, ended)
            if position > 0:
                ends[-1].append(position)
        was_first, at = bool(flags & _FIRST), at + len(page)
    if not starts:
        raise NotReadableError("its beginning is missing")
    places = zip(starts, [*starts[1:], at], ends, strict=True)
    return [_link(source, first, behind, made) for first, behind, made in places]


def _link(source: Source, first: int, behind: int, ends: list[int]) -> ChainedStream:
    """A stream, unless it begins otherwise than Vorbis or Opus does."""
    page = source.at(first, 512)
    packet = page[_HEAD.size + page[_HEAD.size - 1] :]
    if not packet.startswith((b"\x01vorbis", b"OpusHead")):
        raise NotReadableError("inside it is neither Vorbis nor Opus")
    return ChainedStream(((first, behind - first),), seekable_part=_seekable_part(ends))


def _seekable_part(ends: list[int]) -> float:
    """Return how much of a stream precedes its last two pages, where libsndfile seeks inaccurately."""
    if len(ends) < 5:
        return 0.0
    return max(0.0, (ends[-3] - ends[1]) / max(1, ends[-1]))


def _page(source: Source, at: int, head: bytes) -> bytes:
    """A complete page, as it was written."""
    lengths = source.at(at + _HEAD.size, head[-1]) if len(head) == _HEAD.size else b""
    size = _HEAD.size + len(lengths) + sum(lengths)
    page = source.at(at, size)
    if len(head) < _HEAD.size or len(lengths) < head[-1] or len(page) < size:
        raise NotReadableError("it is cut off in the middle of a page")
    if _checksum(page[:22] + bytes(4) + page[26:]) != struct.unpack_from("<I", page, 22)[0]:
        raise NotReadableError(f"it is damaged at byte {at}")
    return page


def _checksum(data: bytes) -> int:
    """Ogg's CRC-32, which takes each byte from its other end than zlib's does."""
    mirrored = zlib.crc32(data.translate(_MIRRORED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int(f"{mirrored:032b}"[::-1], 2)
