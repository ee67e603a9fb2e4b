"""The air net: its reach is what it says, its weights are small, and damaged ones are refused."""

from pathlib import Path

import pytest
import torch

from engine.errors import ModelBrokenError
from engine.models.air_net import CONFIG_FILE, SHIPPED, WEIGHTS_FILE, AirNet, load_air_net, save_air_net


@pytest.fixture(scope="module")
def net() -> AirNet:
    return load_air_net()


def test_shapes(net: AirNet) -> None:
    config = net.config
    levels, tonality = net(torch.zeros(2, config.features, 64))
    assert levels.shape == (2, config.bands, 64)
    assert tonality.shape == (2, config.groups, 64)


@pytest.mark.parametrize("side", [-1, 1])
def test_nothing_beyond_its_reach_matters(net: AirNet, side: int) -> None:
    config, frames = net.config, 1024
    features = torch.randn(1, config.features, frames, generator=torch.Generator().manual_seed(1))
    for place in (512, 513, 519):
        changed = features.clone()
        if side < 0:
            changed[..., : place - config.reach] += 3
        else:
            changed[..., place + config.reach + 1 :] += 3
        assert torch.allclose(net(features)[0][..., place], net(changed)[0][..., place], atol=1e-4)


def test_the_shipped_weights_are_at_most_2_mb() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 2_000_000


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    net = AirNet()
    save_air_net(net, tmp_path, {"recordings": 3})
    again = load_air_net(tmp_path)
    assert again.config == net.config
    assert torch.allclose(again.head.weight, net.head.weight, atol=1e-3)


@pytest.mark.parametrize("name", [WEIGHTS_FILE, CONFIG_FILE])
@pytest.mark.parametrize("content", [None, b"", b'{"config": {"bands": 3}}'], ids=["none", "empty", "other"])
def test_damaged_weights_are_refused(tmp_path: Path, name: str, content: bytes | None) -> None:
    save_air_net(AirNet(), tmp_path, {})
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelBrokenError):
        load_air_net(tmp_path)
