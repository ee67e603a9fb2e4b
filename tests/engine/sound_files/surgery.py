"""Sound files for tests, and ways to make their heads lie as those of real programs do."""

import struct
from pathlib import Path

import numpy as np
import soundfile


def sweep(seconds: float = 2.0, rate: int = 44_100, channels: int = 2) -> np.ndarray:
    """Samples [t, C] that differ from one place to another and are nowhere silent."""
    time = np.arange(round(seconds * rate)) / rate
    tones = [0.3 * np.sin(2 * np.pi * (200 + 150 * time + 90 * channel) * time) for channel in range(channels)]
    return np.stack(tones, axis=1).astype(np.float32)


def louder(seconds: float = 4.0, rate: int = 44_100) -> np.ndarray:
    """Samples [t, 2]: near silence first, then noise, so that a variable rate is low first and high then."""
    made = np.random.default_rng(3).standard_normal((round(seconds * rate), 2)).astype(np.float32)
    made *= np.where(np.arange(len(made)) < len(made) // 4, 1e-5, 0.2)[:, None].astype(np.float32)
    return made


def encoded(path: Path, frames: np.ndarray, rate: int = 44_100, **options: object) -> bytes:
    """The bytes of a file that libsndfile writes."""
    soundfile.write(path, frames, rate, **options)
    return path.read_bytes()


def decoded(path: Path) -> np.ndarray:
    """What soundfile reads of a file whose head tells the truth, [t, C]."""
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


def mp3_frames(mp3: bytes) -> list[bytes]:
    """The frames of an MPEG 1 layer III file without player's tags; the first one holds the encoder's own tag."""
    kbits = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
    rates = (44_100, 48_000, 32_000)
    frames, at = [], 0
    while at + 4 <= len(mp3):
        assert mp3[at] == 0xFF
        size = 144_000 * kbits[mp3[at + 2] >> 4] // rates[mp3[at + 2] >> 2 & 3] + (mp3[at + 2] >> 1 & 1)
        frames.append(mp3[at : at + size])
        at += size
    return frames


def untagged(mp3: bytes) -> bytes:
    """An MP3 as old encoders and pipes leave it: without the frame that holds the counts."""
    frames = mp3_frames(mp3)
    assert b"Xing" in frames[0] or b"Info" in frames[0]
    return b"".join(frames[1:])


def put(data: bytes, place: int, form: str, *values: object) -> bytes:
    """Bytes with some of them replaced by packed values."""
    packed = struct.pack(form, *values)
    return data[:place] + packed + data[place + len(packed) :]


def with_flac_total(flac: bytes, total: int) -> bytes:
    """A FLAC whose head claims to have so many samples."""
    (packed,) = struct.unpack_from(">Q", flac, 18)
    return put(flac, 18, ">Q", packed >> 36 << 36 | total)
