"""Weights in 8 bits: whole numbers from -127 to 127, and one factor for each output channel. Vectors are unchanged.

Shape letter: O output channels.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

SCALE = ".scale"  # follows the name of a weight that is stored in 8 bits
_LARGEST = 127


def squeeze(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Floating-point weights [O, ...] of two and more axes -> int8 [O, ...], and their factors float32 [O] beside them.

    The factor brings the largest weight of its channel to 127: rounding then changes a weight by 0.4 % of that at most.
    """
    squeezed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if tensor.dim() < 2 or not tensor.is_floating_point():
            squeezed[name] = tensor
            continue
        rows = tensor.detach().float().flatten(1)
        scale = rows.abs().amax(dim=1) / _LARGEST
        steps = (rows / scale.clamp(min=torch.finfo(torch.float32).tiny)[:, None]).round()
        squeezed[name] = steps.to(torch.int8).view(tensor.shape)
        squeezed[name + SCALE] = scale
    return squeezed


def unsqueeze(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The reverse of `squeeze`, up to the rounding; what was never squeezed comes out as it is."""
    whole: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        scale = tensors.get(name + SCALE)
        if scale is not None:
            whole[name] = tensor.float() * scale.float().view(-1, *[1] * (tensor.dim() - 1))
        elif not (name.endswith(SCALE) and name.removesuffix(SCALE) in tensors):
            whole[name] = tensor
    return whole
