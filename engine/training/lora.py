"""LoRA fine-tuning (Hu et al. 2022): W + B·A, where only the adapters A and B are trained (LoRA)."""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_LAYERS = ("query", "key", "value", "query_key_value", "project", "out")  # of attention and of what follows it


class LoraLinear(nn.Linear):
    """A linear layer whose weight stays, and whose change has a low rank; unchanged at first."""

    def __init__(self, layer: nn.Linear, rank: int) -> None:
        super().__init__(layer.in_features, layer.out_features, layer.bias is not None, device="meta")
        self.weight, self.bias = layer.weight, layer.bias
        down = torch.randn(rank, layer.in_features) * layer.in_features**-0.5
        self.down = nn.Parameter(down.to(layer.weight.device))  # A
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank, device=layer.weight.device))  # B

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias) + F.linear(F.linear(x, self.down), self.up)

    def merged(self) -> nn.Linear:
        """A plain layer that does the same."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None, device="meta")
        layer.weight = nn.Parameter(self.weight.detach() + self.up.detach() @ self.down.detach())
        if self.bias is not None:
            layer.bias = nn.Parameter(self.bias.detach().clone())
        return layer


def adapt(net: nn.Module, rank: int) -> nn.Module:
    """Freeze the net and add trainable LoRA adapters to the layers of its attention; returns the same net."""
    net.requires_grad_(requires_grad=False)
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if name in _LAYERS and isinstance(child, nn.Linear) and not isinstance(child, LoraLinear):
                setattr(parent, name, LoraLinear(child, rank))
    return net


@torch.no_grad()
def merged(net: nn.Module) -> nn.Module:
    """A copy in which every change has become part of its weight; a net without changes comes out as it is."""
    plain = copy.deepcopy(net)
    for parent in list(plain.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, LoraLinear):
                setattr(parent, name, child.merged())
    return plain
