"""AIFF, AIFF-C and CAF: their counts of frames and sizes of samples set right."""

import re
import struct
from itertools import chain

from engine.sound_files.parts import (
    ChainedStream,
    NotReadableError,
    Source,
    chunks_follow,
    file_behind,
    is_name,
    sound_bytes,
    walk,
)

# Kinds of AIFF-C whose frames can be counted by their bytes, and bits of a sample where the head's may be wrong
_PLAIN = {b"NONE": 0, b"sowt": 0, b"twos": 0, b"raw ": 0, b"in24": 24, b"in32": 32, b"23ni": 32, b"42ni": 24}
_PLAIN |= {b"fl32": 32, b"FL32": 32, b"fl64": 64, b"FL64": 64, b"ulaw": 8, b"ULAW": 8, b"alaw": 8, b"ALAW": 8}
_AIFF, _CAF = re.compile(rb"FORM....AIF[FC]", re.DOTALL), re.compile(rb"caff\x00\x01")
_LARGEST = 2**32 - 2**12
_EDITS = 4  # bytes before the samples of a CAF


def aiff_links(source: Source, start: int) -> list[ChainedStream]:
    """The sound of an AIFF or AIFF-C file. Raises NotReadableError."""

    def head(at: int) -> tuple[bytes, int] | None:
        content = source.at(at, 8)
        if len(content) < 8 or not is_name(content[:4]):
            return None
        size = struct.unpack_from(">I", content, 4)[0]
        return content[:4], at + 8 + size + size % 2

    form = source.at(start + 8, 4)
    common, samples = b"", 0
    for name, at, _ in walk(start + 12, head):
        if name == b"COMM":
            common = source.at(at + 8, struct.unpack(">I", source.at(at + 4, 4))[0] % 2**12)
        elif name == b"SSND":
            samples = at
        if common and samples:
            break
    if len(common) < 18:
        raise NotReadableError("it breaks off before its samples" if not common else "its head is damaged")
    if not samples:
        return [ChainedStream((_aiff_header(form, common, 0),))]
    size, skipped = struct.unpack(">II", source.at(samples + 4, 8).ljust(8, b"\0"))
    first = samples + 16 + skipped
    length = sound_bytes(source, first, max(0, size - 8 - skipped), lambda at: chunks_follow(source, at, head))
    if length > _LARGEST:
        raise NotReadableError("it is larger than an AIFF file can be")
    more = [aiff_links(source, at) for at in file_behind(source, first + length + length % 2, head, _AIFF)]
    return [ChainedStream((_aiff_header(form, common, length), (first, length))), *chain(*more)]


def _aiff_header(form: bytes, common: bytes, length: int) -> bytes:
    """The bytes before the samples, with as many frames as there are bytes for."""
    channels, frames, bits = struct.unpack_from(">HIH", common)
    kind = common[18:22] if form == b"AIFC" else b"NONE"
    frame_bytes = channels * (((_PLAIN.get(kind) or bits) + 7) // 8)
    if kind in _PLAIN and frame_bytes:
        frames = length // frame_bytes
    common = struct.pack(">HI", channels, frames) + common[6:]
    chunks = struct.pack(">4sI", b"COMM", len(common)) + common + b"\0" * (len(common) % 2)
    chunks += struct.pack(">4sIII", b"SSND", 8 + length, 0, 0)
    return struct.pack(">4sI4s", b"FORM", 4 + len(chunks) + length, form) + chunks


def caf_links(source: Source, start: int) -> list[ChainedStream]:
    """The sound of a CAF file, in which a size of -1 means up to the end of the file. Raises NotReadableError."""

    def head(at: int) -> tuple[bytes, int] | None:
        content = source.at(at, 12)
        if len(content) < 12 or not is_name(content[:4]):
            return None
        return content[:4], at + 12 + int(struct.unpack_from(">Q", content, 4)[0])

    found = next(((at, end) for name, at, end in walk(start + 8, head) if name == b"data"), None)
    if found is None:
        raise NotReadableError("it breaks off before its samples")
    at, first, declared = found[0], found[0] + 12, found[1] - found[0] - 12
    length = sound_bytes(source, first, declared, lambda at: chunks_follow(source, at, head))
    behind = source.size - first - length
    parts = ((start, at + 4 - start), struct.pack(">Q", max(length, _EDITS)), (first, length), (first + length, behind))
    more = [caf_links(source, at) for at in file_behind(source, first + length, head, _CAF)]
    return [ChainedStream(parts), *chain(*more)]
