"""The exponential moving average of a net's parameters; sampling uses it, training does not."""

import copy

import torch
from torch import nn


class Ema:
    """shadow <- decay · shadow + (1 - decay) · net, with decay min(limit, (1 + n) / (10 + n)) at update n."""

    def __init__(self, net: nn.Module, limit: float) -> None:
        self.limit = limit
        self.shadow = copy.deepcopy(net).requires_grad_(requires_grad=False).eval()

    @torch.no_grad()
    def update(self, net: nn.Module, num_updates: int) -> None:
        decay = min(self.limit, (1 + num_updates) / (10 + num_updates))
        torch._foreach_lerp_(list(self.shadow.parameters()), list(net.parameters()), 1 - decay)
        for shadow, buffer in zip(self.shadow.buffers(), net.buffers(), strict=True):
            shadow.copy_(buffer)
