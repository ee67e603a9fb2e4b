"""Timings of whole runs and of their stages, and a description of the machine."""

import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn


@contextmanager
def stages_timed(stages: Mapping[str, nn.Module]) -> Iterator[dict[str, float]]:
    """Seconds of wall clock that each module's forward takes while this lasts; `rest` is what no module takes."""
    seconds, began = {**dict.fromkeys(stages, 0.0), "rest": 0.0}, dict.fromkeys(stages, 0.0)
    handles = []
    for stage, module in stages.items():

        def start(*_: object, stage: str = stage) -> None:
            began[stage] = time.perf_counter()

        def stop(*_: object, stage: str = stage) -> None:
            seconds[stage] += time.perf_counter() - began[stage]

        handles += [module.register_forward_pre_hook(start), module.register_forward_hook(stop)]
    whole = time.perf_counter()
    try:
        yield seconds
    finally:
        seconds["rest"] = time.perf_counter() - whole - sum(seconds.values())
        for handle in handles:
            handle.remove()


def describe_machine() -> dict[str, Any]:
    """What timings depend on."""
    return {
        "processor": _processor_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _processor_name() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
