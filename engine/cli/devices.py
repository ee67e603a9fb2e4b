"""`retake devices`: what this machine can compute on, best first, and how much memory each has."""

import argparse
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from engine.cli.terminal import show_json
from engine.device import available_devices, describe_device


def run(options: argparse.Namespace) -> int:
    devices = [_described(name) for name in available_devices()]
    if options.json:
        show_json({"torch": torch.__version__, "devices": devices})
        return 0
    for device in devices:
        memory = f"{device['memory_bytes'] / 1e9:.1f} GB of memory" if device["memory_bytes"] else ""
        threads = _counted(device["threads"], "thread") if device["threads"] else ""
        print(f"{device['name']:<6} {device['description']:<32} {', '.join(filter(None, (threads, memory)))}")
    return 0


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _described(name: str) -> dict[str, Any]:
    """A device's name, its product name, threads (processors only), memory and free memory in bytes."""
    memory, free = _memory(name)
    return {
        "name": name,
        "description": describe_device(torch.device(name)),
        "threads": torch.get_num_threads() if name == "cpu" else None,
        "memory_bytes": memory,
        "free_bytes": free,
    }


def _memory(name: str) -> tuple[int | None, int | None]:
    """Bytes of memory, and of free memory; None where the system does not report them."""
    if name == "cuda":
        free, total = torch.cuda.mem_get_info()
        return total, free
    if name == "mps":
        return int(torch.mps.recommended_max_memory()), None
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), _available_on_linux()
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None, None


def _available_on_linux() -> int | None:
    """Return what the kernel could free without swapping, its caches included."""
    with suppress(OSError, ValueError):
        found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"), re.MULTILINE)
        return None if found is None else 1024 * int(found[1])
    return None
