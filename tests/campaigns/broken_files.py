"""Audio files that are damaged, mistaken or malicious: the same ones for the same random number generator."""

import io
import os
import random
import struct
from pathlib import Path

import numpy as np
import soundfile

FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "wave": ("WAV", "PCM_24"),
    "wav32": ("WAV", "FLOAT"),
    "wavex": ("WAVEX", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "aif": ("AIFF", "PCM_24"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
_SUFFIXES = (".wav", ".aiff", ".flac", ".ogg", ".mp3", ".WAV", "", ".txt")
_NUMBERS = (0, 1, 2, 3, 255, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 384_001, 3_999)
_HEAD = 64


def sound_files() -> dict[str, bytes]:
    """A quarter of a second in every format; Ogg's serial number and some time stamps are libsndfile's own choice."""
    samples = np.random.default_rng(0).uniform(-0.4, 0.4, (11_025, 2)).astype(np.float32)
    made = {}
    for name, (container, subtype) in FORMATS.items():
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, 44_100, format=container, subtype=subtype)
        made[name] = buffer.getvalue()
    return made


def make_broken(folder: Path, number: int, sounds: dict[str, bytes], dice: random.Random) -> tuple[Path, str]:
    """Make one file below `folder`; give its path and what was done to it."""
    name, sound = dice.choice(list(sounds.items()))
    how = dice.choice(tuple(_HARMS))
    content = _HARMS[how](sound, dice.choice(list(sounds.values())), dice)
    suffix = f".{name[:4]}" if dice.random() < 0.7 else dice.choice(_SUFFIXES)
    path = folder / f"broken{number}{suffix}"
    path.write_bytes(content)
    return path, f"{name}, {how}"


def strange_paths(folder: Path) -> list[tuple[Path, str]]:
    """Names of things that are no files, or not any more."""
    made = {name: folder / f"{name.replace(' ', '-')}.wav" for name in ("folder", "pipe", "dangling link", "circle")}
    made["folder"].mkdir()
    os.mkfifo(made["pipe"])
    made["dangling link"].symlink_to(folder / "nowhere.wav")
    made["circle"].symlink_to(made["circle"])
    devices = {"endless device": folder / "zero.wav", "empty device": folder / "null.wav"}
    for path, device in zip(devices.values(), ("/dev/zero", "/dev/null"), strict=True):
        path.symlink_to(device)
    return [(path, name) for name, path in (made | devices).items()]


def _truncated(sound: bytes, _: bytes, dice: random.Random) -> bytes:
    return sound[: dice.choice((dice.randrange(_HEAD), dice.randrange(len(sound))))]


def _with_a_damaged_head(sound: bytes, _: bytes, dice: random.Random) -> bytes:
    found = bytearray(sound)
    for _number in range(dice.randrange(1, 6)):
        found[dice.randrange(min(_HEAD, len(found)))] = dice.randrange(256)
    return bytes(found)


def _with_flipped_bits(sound: bytes, _: bytes, dice: random.Random) -> bytes:
    found = bytearray(sound)
    for _number in range(dice.choice((1, 8, 200))):
        found[dice.randrange(len(found))] ^= 1 << dice.randrange(8)
    return bytes(found)


def _with_an_absurd_number(sound: bytes, _: bytes, dice: random.Random) -> bytes:
    """A size, rate, count or length in the head becomes another, in either byte order."""
    found = bytearray(sound)
    order, kind = dice.choice("<>"), dice.choice("HI")
    size = struct.calcsize(kind)
    value = dice.choice(_NUMBERS) & (256**size - 1)
    struct.pack_into(order + kind, found, dice.randrange(0, _HEAD - size, 2), value)
    return bytes(found)


def _wav_of_giants(_: bytes, __: bytes, dice: random.Random) -> bytes:
    """A WAV header of any rate, channels, width and size, before very little sound."""
    rate, channels = dice.choice((0, 1, 4_000, 48_000, 2**31, 2**32 - 1)), dice.choice((0, 1, 2, 3, 64, 1024, 65_535))
    bits, tag = dice.choice((0, 1, 8, 16, 24, 32, 64, 65_535)), dice.choice((0, 1, 2, 3, 6, 17, 49, 85, 0xFFFE))
    size = dice.choice((0, 1, 400, 2**31 - 1, 2**32 - 1, 0xFFFFFF00))
    block = channels * bits // 8 & 0xFFFF
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * block & 0xFFFFFFFF, block, bits)
    head = struct.pack("<4sI4s4sI", b"RIFF", size, b"WAVE", b"fmt ", len(form)) + form
    return head + struct.pack("<4sI", b"data", size) + dice.randbytes(400)


def _flac_of_giants(_: bytes, __: bytes, dice: random.Random) -> bytes:
    """A FLAC that promises up to 2^36 samples, and holds none."""
    rate, channels, bits = dice.choice((1, 8_000, 655_350)), dice.randrange(8), dice.choice((3, 15, 23, 31))
    packed = rate << 44 | channels << 41 | bits << 36 | dice.choice((0, 1, 10_000, 4 * 10**8, 2**36 - 1))
    info = struct.pack(">HH", 4096, 4096) + b"\0" * 6 + struct.pack(">Q", packed) + b"\0" * 16
    return b"fLaC\x80" + struct.pack(">I", len(info))[1:] + info + dice.randbytes(100)


def _empty(_: bytes, __: bytes, ___: random.Random) -> bytes:
    return b""


def _text(_: bytes, __: bytes, dice: random.Random) -> bytes:
    return dice.choice((b"RIFF", b"not audio\n" * 50, b'{"prompt": "rain"}', b"#!/bin/sh\nexit 0\n", b"OggS", b"ID3"))


def _noise(_: bytes, __: bytes, dice: random.Random) -> bytes:
    return dice.choice((b"", b"RIFF", b"FORM", b"fLaC", b"OggS", b"ID3\4", b"\xff\xfb\x90")) + dice.randbytes(2_000)


def _two_halves(sound: bytes, other: bytes, dice: random.Random) -> bytes:
    return sound[: dice.randrange(len(sound))] + other[dice.randrange(len(other)) :]


def _not_numbers(_: bytes, __: bytes, dice: random.Random) -> bytes:
    """Float samples among which some are not finite, or enormous."""
    samples = np.full(8_000, 0.1, np.float32)
    samples[dice.randrange(8_000)] = dice.choice((np.nan, np.inf, -np.inf, 3e38, 1e-40))
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 16_000, format="WAV", subtype="FLOAT")
    content = bytearray(buffer.getvalue())
    moment = content.index(b"PEAK") + 12  # libsndfile writes the time of day there
    content[moment : moment + 4] = bytes(4)
    return bytes(content)


def _odd_shapes(_: bytes, __: bytes, dice: random.Random) -> bytes:
    """Whole files of a rate, a channel count or a length that cannot be used, or only just."""
    frames, channels = dice.choice((0, 1, 2, 79, 80, 4_000)), dice.choice((1, 2, 3, 6, 32))
    rate = dice.choice((1, 3_999, 4_000, 8_000, 384_000, 384_001))
    buffer = io.BytesIO()
    soundfile.write(buffer, np.full((frames, channels), 0.1), rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _silence(_: bytes, __: bytes, ___: random.Random) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(8_000), 16_000, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


_HARMS = {
    "truncated": _truncated,
    "damaged head": _with_a_damaged_head,
    "flipped bits": _with_flipped_bits,
    "absurd number": _with_an_absurd_number,
    "giant WAV": _wav_of_giants,
    "giant FLAC": _flac_of_giants,
    "empty": _empty,
    "text": _text,
    "noise": _noise,
    "two halves": _two_halves,
    "not numbers": _not_numbers,
    "odd shape": _odd_shapes,
    "silence": _silence,
}
