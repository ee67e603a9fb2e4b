"""The classifier's head for attributes: low or high, near or distant, once or twice.

Its inputs are the classifier's convolutional features, the clip's spectrum and how fast it rises and falls (the decay
reveals a room), and, since some attributes are levels, the level of the loudest point.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

HIDDEN = 128
DROPOUT = 0.2
_STATISTICS_OF_A_BIN = 5
_STATISTICS_OF_A_CHANNEL = 4


class AttributeHead(nn.Module):
    """Statistics of a clip [B, S] -> logits [B, values] of each kind."""

    mean: Tensor  # [S] of the statistics over the training clips
    std: Tensor  # [S]

    def __init__(self, attributes: Mapping[str, Sequence[str]], channels: int, num_mels: int) -> None:
        super().__init__()
        size = _STATISTICS_OF_A_CHANNEL * channels + _STATISTICS_OF_A_BIN * num_mels + 1
        self.hidden = nn.Linear(size, HIDDEN)
        self.heads = nn.ModuleDict({kind: nn.Linear(HIDDEN, len(values)) for kind, values in attributes.items()})
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("std", torch.ones(size))

    def forward(self, statistics: Tensor) -> dict[str, Tensor]:
        hidden = torch.relu(self.hidden((statistics - self.mean) / self.std))
        hidden = F.dropout(hidden, DROPOUT, self.training)
        return {kind: head(hidden) for kind, head in self.heads.items()}

    @torch.no_grad()
    def scale_to(self, statistics: Tensor) -> None:
        """Take mean and spread from the statistics of the training clips, [n, S]."""
        self.mean.copy_(statistics.mean(dim=0))
        self.std.copy_(statistics.std(dim=0).clamp(min=1e-3))


def statistics_of(log_mel: Tensor, found: Tensor, level: Tensor) -> Tensor:
    """log-mel [B, N, M] below its loudest point, channels [B, C, N', M'], loudest point [B] -> [B, S]."""
    over_time = found.amax(dim=3)  # how it goes on and off separates fast from slow
    slopes = log_mel.diff(dim=1)
    parts = [
        found.mean(dim=(2, 3)),
        found.amax(dim=(2, 3)),
        over_time.std(dim=2, unbiased=False),
        over_time.diff(dim=2).abs().sum(dim=2) / max(1, over_time.shape[2] - 1),
        log_mel.mean(dim=1),
        log_mel.amax(dim=1),
        log_mel.std(dim=1, unbiased=False),
        slopes.clamp(max=0).sum(dim=1) / max(1, slopes.shape[1]),
        slopes.clamp(min=0).sum(dim=1) / max(1, slopes.shape[1]),
        level[:, None],
    ]
    return torch.cat(parts, dim=1)
