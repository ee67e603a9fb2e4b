"""Mixed precision: nets compute in 16 bits where the card is made for it, weights and losses stay in 32."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.utils import _pytree

from engine.device import dtype_for

_NetInputs = ParamSpec("_NetInputs")
_NetOutputs = TypeVar("_NetOutputs")


def in_mixed_precision(
    device: torch.device, net: Callable[_NetInputs, _NetOutputs], *inputs: _NetInputs.args, **options: _NetInputs.kwargs
) -> _NetOutputs:
    """net(*inputs), its matrix products in bfloat16 on cards that have it; what comes out is float32 again.

    Elsewhere it is the plain call: float16, which older cards offer instead, would need its losses scaled.
    """
    with torch.autocast("cuda", torch.bfloat16, enabled=dtype_for(device) is torch.bfloat16):
        result = net(*inputs, **options)
    widened: _NetOutputs = _pytree.tree_map(_widened, result)
    return widened


def _widened(value: object) -> object:
    return value.float() if isinstance(value, Tensor) and value.is_floating_point() else value
