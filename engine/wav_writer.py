"""Writing a WAV and its sidecar, both or neither; nothing is ever overwritten and no incomplete file is left behind.

libsndfile scales floats by 0x7FFFFF when it writes and by 0x800000 when it reads, so an untouched sample would come
back changed. Here integers are rint(x · 2^(bits-1)): whatever was read from a file is written back bit for bit.
"""

import json
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.atomic_files import clear_abandoned, temporary_file
from engine.errors import OutputExistsError, OutputWriteError

WIDTHS = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}  # encoding -> bytes a sample
MAX_DATA_BYTES = 2**32 - 2**20  # the sizes in a WAV are 32-bit numbers; the rest is left for its other chunks
BLOCK = 2**16  # frames converted at a time

Samples = NDArray[np.floating[Any]]  # float32 or float64


def sidecar_path(wav: Path) -> Path:
    """Return the path of a WAV's sidecar: `rain.wav` -> `rain.json`."""
    return wav.with_suffix(".json")


def write_wav(path: Path, samples: Samples, sample_rate: int, encoding: str, provenance: Mapping[str, Any]) -> None:
    """Samples [C, T] -> a WAV at `path` with its story inside (comment chunk) and beside it (`sidecar_path`).

    Both files are written under temporary names in the same folder, synced to disk and only then renamed, the
    sidecar first: when the WAV is there, the pair is complete.

    Raises:
        OutputExistsError: a file of either name is there already; it is left as it is.
        OutputWriteError: the folder is missing, the disk is full, the name does not end in `.wav`, and so on.
    """
    sidecar = sidecar_path(path)
    clear_abandoned(path.parent)
    _require_writable(path, sidecar, samples.size * WIDTHS[encoding])
    contents = _wav_blocks(samples, sample_rate, encoding, provenance)
    try:
        with (
            temporary_file(path.parent, [_json(provenance, indent=2)]) as written,
            temporary_file(path.parent, contents) as rendered,
        ):
            _publish(written, sidecar)
            try:
                _publish(rendered, path)
            except BaseException:
                with suppress(OSError):
                    sidecar.unlink()
                raise
            _sync_folder(path.parent)
    except OSError as error:
        raise OutputWriteError(path, error.strerror or str(error), error.errno) from error


def _require_writable(path: Path, sidecar: Path, num_bytes: int) -> None:
    """Refuse early what would fail late; the names are claimed for good only in `_publish`."""
    if path.suffix.lower() != ".wav":
        raise OutputWriteError(path, "the name of a result ends in .wav")
    if num_bytes > MAX_DATA_BYTES:
        raise OutputWriteError(path, f"{num_bytes / 2**30:.1f} GiB of samples are more than a WAV can hold (4 GiB)")
    for existing in (path, sidecar):
        if os.path.lexists(existing):
            raise OutputExistsError(existing)


def _publish(fresh: Path, path: Path) -> None:
    """Rename a temporary file unless the name is taken, atomically."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        raise OutputExistsError(path) from None
    except OSError:  # file systems without hard links, such as a memory stick's
        _claim_and_replace(fresh, path)


def _claim_and_replace(fresh: Path, path: Path) -> None:
    """Reserve the name with an empty file that must be new, then replace it with the temporary one."""
    try:
        path.open("xb").close()
    except FileExistsError:
        raise OutputExistsError(path) from None
    try:
        os.replace(fresh, path)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Make the new names themselves survive a power cut, where that can be done: the files are there in any case.

    Network drives may not sync folders, a drop folder cannot be opened by who may only write to it, and Windows has no
    such call.
    """
    if os.name == "nt":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _json(provenance: Mapping[str, Any], indent: int | None = None) -> bytes:
    """ASCII only, so that no reader of comment chunks can trip over its encoding."""
    return json.dumps(dict(provenance), indent=indent).encode("ascii")


def _wav_blocks(samples: Samples, sample_rate: int, encoding: str, provenance: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield a RIFF file block by block: header, format, story, samples."""
    channels, num_frames = samples.shape
    frame_bytes = channels * WIDTHS[encoding]
    is_float = encoding in ("FLOAT", "DOUBLE")
    rates = sample_rate, sample_rate * frame_bytes  # a second: frames, bytes
    form = struct.pack("<HHIIHH", 3 if is_float else 1, channels, *rates, frame_bytes, 8 * WIDTHS[encoding])
    chunks = _chunk(b"fmt ", form + b"\0\0" if is_float else form)
    if is_float:
        chunks += _chunk(b"fact", struct.pack("<I", num_frames))
    if provenance:
        chunks += _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", _json(provenance) + b"\0") + _chunk(b"ISFT", b"Retake\0"))
    data_bytes = num_frames * frame_bytes
    padding = data_bytes % 2
    yield struct.pack("<4sI4s", b"RIFF", 4 + len(chunks) + 8 + data_bytes + padding, b"WAVE")
    yield chunks + struct.pack("<4sI", b"data", data_bytes)
    for start in range(0, num_frames, BLOCK):
        yield _encode(samples[:, start : start + BLOCK].T, encoding)
    yield b"\0" * padding


def _chunk(name: bytes, content: bytes) -> bytes:
    """A RIFF chunk; an odd content is followed by a zero that its size does not count."""
    return struct.pack("<4sI", name, len(content)) + content + b"\0" * (len(content) % 2)


def _encode(frames: Samples, encoding: str) -> bytes:
    """Frames [t, C] -> little-endian bytes; beyond full scale integers stop there, they never wrap."""
    if encoding in ("FLOAT", "DOUBLE"):
        return bytes(frames.astype("<f4" if encoding == "FLOAT" else "<f8").data)
    width = WIDTHS[encoding]
    full_scale = 2.0 ** (8 * width - 1)
    levels = np.clip(np.rint(frames.astype(np.float64) * full_scale), -full_scale, full_scale - 1)
    numbers = np.ascontiguousarray(levels.astype("<i4")).view(np.uint8).reshape(-1, 4)  # lowest byte first
    return bytes(np.ascontiguousarray(numbers[:, :width]).data)
