"""What the parity tests share: random weights that hide nothing, and the measure of agreement."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

_CONSTANT = ("extractor", "attn_mask", "window", "filterbank")  # buffers that are computed, not learned


@pytest.fixture(scope="session")
def scramble() -> Callable[[nn.Module, int], nn.Module]:
    """Give every weight and statistic of a net a value that no 0 or 1 of an initialisation could hide behind."""

    def scramble(net: nn.Module, seed: int) -> nn.Module:
        generator = torch.Generator().manual_seed(seed)
        for name, value in [*net.named_parameters(), *net.named_buffers()]:
            if not value.is_floating_point() or any(part in name for part in _CONSTANT):
                continue
            spread = 0.1 if value.ndim < 2 else 1 / np.sqrt(value[0].numel())
            noise = torch.randn(value.shape, generator=generator) * spread
            is_norm = value.ndim == 1 and name.endswith("weight")
            value.data.copy_(1 + noise.abs() if is_norm or "running_var" in name else noise)
        return net.eval()

    return scramble


@pytest.fixture(scope="session")
def relative_error() -> Callable[[Tensor, Tensor], float]:
    """The length of the difference over the length of what was expected; infinite where shapes differ."""

    def relative_error(ours: Tensor, expected: Tensor) -> float:
        if ours.shape != expected.shape:
            return float("inf")
        return float((ours - expected).norm() / expected.norm())

    return relative_error
