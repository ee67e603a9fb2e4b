"""Choosing a device, and saying so when there is none or it is full."""

import pytest
import torch

from engine.device import available_devices, choose_device, describe_device, dtype_for, memory_errors_translated
from engine.errors import DeviceUnavailableError, OutOfMemoryError

CPU = torch.device("cpu")


def test_auto_is_the_first_of_what_is_there() -> None:
    assert choose_device("auto").type == available_devices()[0]
    assert choose_device("cpu") == CPU


@pytest.mark.parametrize("name", ["cuda:99", "tpu", "", "cpu:1", "cuda:one", "mps:7"])
def test_a_device_that_is_not_there_is_named_beside_those_that_are(name: str) -> None:
    with pytest.raises(DeviceUnavailableError, match=r"is not available; available: .*cpu"):
        choose_device(name)


def test_the_processor_computes_in_32_bits() -> None:
    assert dtype_for(CPU) == torch.float32
    assert describe_device(CPU) == "cpu"


@pytest.mark.parametrize(
    "failure",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory: you tried to allocate"),
    ],
    ids=["cuda", "python", "torch on the processor"],
)
def test_running_out_of_memory_becomes_our_sentence(failure: Exception) -> None:
    with pytest.raises(OutOfMemoryError, match="cpu ran out of memory"), memory_errors_translated(CPU):
        raise failure


def test_other_failures_pass_unchanged() -> None:
    with pytest.raises(RuntimeError, match="shapes"), memory_errors_translated(CPU):
        raise RuntimeError("shapes do not match")
