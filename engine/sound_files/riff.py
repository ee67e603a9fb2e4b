"""The family of WAV: RIFF, RIFX, RF64, BW64 and Wave64.

The view that libsndfile gets is a plain file of format and samples: without the chunks that it may stumble over.
"""

import re
import struct
from dataclasses import dataclass, field
from itertools import chain

from engine.sound_files.mpeg import mpeg_links
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

_MPEG = 0x0055  # how a WAV declares that it contains MP3
_EXTENSIBLE = 0xFFFE
_GSM = 0x0031
_BLOCKS = {0x0014: 120, 0x0040: 120, 0x0038: 160, _GSM: 320}  # block codecs: frames per block
_STATED_BLOCKS = (0x0002, 0x0011)  # two kinds of ADPCM, whose headers hold it
_FILE = re.compile(rb"(RIF[FX]|RF64|BW64)....WAVE", re.DOTALL)
_LARGEST = 2**32 - 2**12  # bytes of samples in a file with sizes of 32 bits
_WAVE64_FILE = re.compile(rb"riff\x2e\x91\xcf\x11")
_WAVE64 = bytes.fromhex("2ef7cf11a5d628db04c10000")  # the rest of a name in Wave64: its first four letters differ


@dataclass
class _Chunks:
    """What was found before the samples: contents by name, and the samples' place and size as declared."""

    contents: dict[bytes, bytes] = field(default_factory=dict)
    start: int = 0
    declared: int = 0


def riff_links(source: Source, start: int) -> list[ChainedStream]:
    """The sound of a RIFF, RIFX, RF64 or BW64 file. Raises NotReadableError."""
    order = ">" if source.at(start, 4) == b"RIFX" else "<"
    found = _walk(source, start + 12, order)
    large = found.contents.get(b"ds64", b"")
    if found.declared == 0xFFFF_FFFF and len(large) >= 16:
        found.declared = struct.unpack_from("<Q", large, 8)[0] or found.declared

    def head(at: int) -> tuple[bytes, int] | None:
        return _chunk_head(source, at, order)

    length = sound_bytes(source, found.start, found.declared, lambda at: chunks_follow(source, at, head))
    behind = found.start + length + (found.start + length) % 2
    more = [riff_links(source, at) for at in file_behind(source, behind, head, _FILE)]
    if not more:
        _require_one_sound(source, behind, order)
    return [*_links(source, found, length, order), *chain(*more)]


def wave64_links(source: Source, start: int) -> list[ChainedStream]:
    """The sound of a Wave64 file: names of 16 bytes, sizes of 64 bits that count their own heads. Raises as above."""

    def aligned(at: int) -> tuple[bytes, int] | None:
        return _wave64_head(source, at + -(at - start) % 8)

    found = _Chunks()
    for name, place, end in walk(start + 40, aligned):
        at = place + -(place - start) % 8
        if name == b"data":
            found.start, found.declared = at + 24, end - at - 24
            length = sound_bytes(source, found.start, found.declared, lambda at: chunks_follow(source, at, aligned))
            behind = found.start + length
            behind += -(behind - start) % 8
            more = [wave64_links(source, at) for at in file_behind(source, behind, aligned, _WAVE64_FILE)]
            return [*_links(source, found, length, "<"), *chain(*more)]
        found.contents.setdefault(name, source.at(at + 24, min(end - at - 24, 2**16)))
    raise NotReadableError("it breaks off before its samples")


def _wave64_head(source: Source, at: int) -> tuple[bytes, int] | None:
    head = source.at(at, 24)
    size = struct.unpack_from("<Q", head, 16)[0] if len(head) == 24 else 0
    if not size and head[:4] == b"data":  # a recorder that never came to write it
        size = 24
    return (head[:4], at + size) if size >= 24 and is_name(head[:4]) else None


def _walk(source: Source, start: int, order: str) -> _Chunks:
    found = _Chunks()
    for name, at, _ in walk(start, lambda at: _chunk_head(source, at, order)):
        size = struct.unpack(order + "I", source.at(at + 4, 4))[0]
        if name == b"data":
            if b"fmt " not in found.contents:
                break
            found.start, found.declared = at + 8, size
            return found
        found.contents.setdefault(name, source.at(at + 8, min(size, 2**16)))
    raise NotReadableError("it breaks off before its samples")


def _chunk_head(source: Source, at: int, order: str) -> tuple[bytes, int] | None:
    """Return the name of the chunk at a place, and the place after it; some writers forget to fill up odd sizes."""
    head = source.at(at, 8)
    if len(head) < 8 or not is_name(head[:4]):
        return None
    behind = at + 8 + int(struct.unpack_from(order + "I", head, 4)[0])
    if (behind - at) % 2 and not (is_name(source.at(behind, 4)) and not is_name(source.at(behind + 1, 4))):
        behind += 1
    return head[:4], behind


def _require_one_sound(source: Source, at: int, order: str) -> None:
    """Refuse two chunks of samples: they are two sounds, and it is unknown which one is meant."""
    for name, *_ in walk(at, lambda at: _chunk_head(source, at, order)):
        if name == b"data":
            raise NotReadableError("it holds two sounds (two chunks of samples) where a WAV has one")


def _links(source: Source, found: _Chunks, length: int, order: str) -> list[ChainedStream]:
    form = found.contents.get(b"fmt ", b"")
    if len(form) < 16:
        raise NotReadableError("it does not say how its samples are stored")
    kind = struct.unpack_from(order + "H", form)[0]
    if kind == _EXTENSIBLE and len(form) >= 26:
        kind = struct.unpack_from(order + "H", form, 24)[0]
        if order == ">":  # where libsndfile knows plain formats only
            form = struct.pack(">H", kind) + form[2:16]
    if kind == _MPEG:
        return mpeg_links(source, found.start, found.start + length)
    parts = (_header(form, found.contents.get(b"fact"), length, order), (found.start, length))
    block = _BLOCKS.get(kind, 0)
    if kind in _STATED_BLOCKS and len(form) >= 20:
        block = struct.unpack_from(order + "H", form, 18)[0]
    block_bytes = struct.unpack_from(order + "H", form, 12)[0]
    frames = length // block_bytes * block if kind == _GSM and block_bytes else None  # a byte of padding is no block
    claimed = found.contents.get(b"fact", b"")
    fact = struct.unpack_from(order + "I", claimed)[0] if block and len(claimed) >= 4 else None
    return [ChainedStream(parts, frames, fact, block)]


def _header(form: bytes, fact: bytes | None, length: int, order: str) -> bytes:
    """The bytes before the samples: RIFF, RIFX, or RF64 where the sizes need it."""
    chunks = b"".join(
        struct.pack(order + "4sI", name, len(content)) + content + b"\0" * (len(content) % 2)
        for name, content in ((b"fmt ", form), (b"fact", fact))
        if content is not None
    )
    whole = 4 + len(chunks) + 8 + length
    if length <= _LARGEST:
        name = b"RIFX" if order == ">" else b"RIFF"
        return struct.pack(order + "4sI4s", name, whole, b"WAVE") + chunks + struct.pack(order + "4sI", b"data", length)
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, whole + 36, length, 0, 0)
    return b"RF64" + b"\xff" * 4 + b"WAVE" + sizes + chunks + b"data" + b"\xff" * 4
