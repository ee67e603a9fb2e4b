"""The air net: how loud and how tonal the bands above a model's own are, told from what lies below.

A slow branch sees seconds, for what a recording is like as a whole; a quick one sees the frame and its neighbours, for
what happens now. Both are convolutions of limited reach, so a sound of any length comes out alike in one piece or many.

Shape letters: B batch, N frames of 1/187.5 s, F features, H bands, G groups of bands, W width.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from engine.errors import ModelBrokenError

SHIPPED = Path(__file__).parents[1] / "weights" / "air"
WEIGHTS_FILE, CONFIG_FILE = "air.safetensors", "air.json"


@dataclass(frozen=True)
class AirNetConfig:
    """The air net's size."""

    features: int = 34  # F
    bands: int = 16  # H
    groups: int = 4  # G
    width: int = 40  # of the quick branch
    slow_width: int = 64
    dropout: float = (
        0.2  # of the slow branch's channels, in training: what a sound is like as a whole is learnt by heart
    )
    pooled: int = 8  # frames in a step of the slow branch
    slow_dilations: tuple[int, ...] = (1, 2, 4, 8, 16)
    quick_dilations: tuple[int, ...] = (1, 2, 4, 1)
    level_mean: float = -60.0  # dB; features are levels around it,
    level_scale: float = 20.0  # in these steps

    @property
    def reach(self) -> int:
        """Frames on either side on which a frame's output depends, in whole steps of the slow branch."""
        return (1 + sum(self.slow_dilations) + 1) * self.pooled + self.pooled * -(-sum(self.quick_dilations) // 8)


class _AirBlock(nn.Module):
    """x + convolutions of x: [B, W, N] -> [B, W, N]."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.wide = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.mixed = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = self.mixed(F.gelu(self.wide(x)))
        return x + changed


class AirNet(nn.Module):
    """Features [B, F, N] -> levels above the reference [B, H, N] in dB, and tonality [B, G, N] in dB.

    The last feature is 1 inside a sound and 0 outside, where all others are 0, too. N is a multiple of `pooled`,
    counted from a fixed frame on: a frame's place in its step of the slow branch may not depend on how a sound is cut.
    """

    mean_levels: Tensor  # [H], dB: how recordings fall on average; the net knows better, and is measured against it

    def __init__(self, config: AirNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or AirNetConfig()
        self.register_buffer("mean_levels", torch.zeros(config.bands))
        self.slow_in = nn.Conv1d(2 * config.features, config.slow_width, 1)
        self.slow = nn.Sequential(*(_AirBlock(config.slow_width, dilation) for dilation in config.slow_dilations))
        self.quick_in = nn.Conv1d(config.features, config.width, 3, padding=1)
        self.from_slow = nn.Conv1d(config.slow_width, config.width, 1)
        self.quick = nn.Sequential(*(_AirBlock(config.width, dilation) for dilation in config.quick_dilations))
        self.dropout = nn.Dropout1d(config.dropout)
        self.head = nn.Conv1d(config.width, config.bands + config.groups, 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        config = self.config
        steps = F.avg_pool1d(features, config.pooled)
        loudest = F.max_pool1d(features, config.pooled)
        seen = self.dropout(self.slow(self.dropout(self.slow_in(torch.cat([steps, loudest], dim=1)))))
        seen = self.from_slow(seen).repeat_interleave(config.pooled, dim=2)
        found: Tensor = self.head(self.quick(F.gelu(self.quick_in(features) + seen)))
        levels, tonality = found.split([config.bands, config.groups], dim=1)
        return levels * config.level_scale, tonality * 10.0


def save_air_net(net: AirNet, folder: Path, metadata: dict[str, Any]) -> None:
    """Write weights (16 bits) and config, with how it was trained."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.half().contiguous() for name, tensor in net.state_dict().items()}, folder / WEIGHTS_FILE)
    content = {"config": asdict(net.config), **metadata}
    (folder / CONFIG_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


@cache
def load_air_net(folder: Path = SHIPPED) -> AirNet:
    """Return the net, on the processor; one for all models.

    Raises:
        ModelBrokenError: a file is missing or damaged.
    """
    try:
        content = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        sizes: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in content["config"].items()
        }
        net = AirNet(AirNetConfig(**sizes))
        net.load_state_dict({name: tensor.float() for name, tensor in load_file(folder / WEIGHTS_FILE).items()})
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelBrokenError(folder, f"{type(error).__name__}: {error}") from error
    return net.eval().requires_grad_(requires_grad=False)
