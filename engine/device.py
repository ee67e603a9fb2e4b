"""Where the engine computes: choosing a device by name, its number format, and its failures in our words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch

from engine.errors import DeviceUnavailableError, OutOfMemoryError


def available_devices() -> list[str]:
    """What this machine can compute on, best first; the processor is always there."""
    devices = []
    if torch.cuda.is_available():
        devices.append("cuda")
    if torch.backends.mps.is_available():
        devices.append("mps")
    return [*devices, "cpu"]


def choose_device(name: str = "auto") -> torch.device:
    """`auto` (the best there is), `cpu`, `cuda`, `cuda:1` or `mps` -> a device that exists.

    Raises:
        DeviceUnavailableError: the name is unknown, or this machine has no such device.
    """
    available = available_devices()
    if name == "auto":
        return torch.device(available[0])
    kind, _, index = name.partition(":")
    if kind not in available or (index and not _has_index(kind, index)):
        raise DeviceUnavailableError(name, available)
    return torch.device(name)


def dtype_for(device: torch.device) -> torch.dtype:
    """bfloat16 on CUDA cards that compute it (float16 on older ones), 32-bit float elsewhere: bf16 crawls on AVX2."""
    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def describe_device(device: torch.device) -> str:
    """A name that a person recognises: `cpu`, `mps`, or the card's own name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


SPARE_MEMORY = 0.5  # share of the free memory that may be used for speed alone


def fits_in_memory(size: int) -> bool:
    """Whether `num_bytes` may be spent on speed: at most half of the free memory, nothing if `RETAKE_SPARING` is 1."""
    return os.environ.get("RETAKE_SPARING") != "1" and size <= SPARE_MEMORY * psutil.virtual_memory().available


@contextmanager
def memory_errors_translated(device: torch.device) -> Iterator[None]:
    """Turn the device's out-of-memory failures into `OutOfMemoryError`, after giving back what torch had cached."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        release_cached_memory(device)
        raise OutOfMemoryError(describe_device(device)) from error
    except RuntimeError as error:
        if "not enough memory" not in str(error):  # the message of torch's CPU allocator
            raise
        raise OutOfMemoryError(describe_device(device)) from error


def release_cached_memory(device: torch.device) -> None:
    """Return unused blocks to the device, so that other programs can use them."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _has_index(kind: str, index: str) -> bool:
    """Whether `kind:index` names a device that is there."""
    count = torch.cuda.device_count() if kind == "cuda" else 1
    return index.isdecimal() and int(index) < count
