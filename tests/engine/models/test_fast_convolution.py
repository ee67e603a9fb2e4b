"""Short convolutions make what plain ones make, for every shape, and leave everything else about a net as it was."""

from dataclasses import replace
from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.device import fits_in_memory
from engine.engine import Engine, prepare_for_inference
from engine.models.fast_convolution import (
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    Kernel,
    computes,
    memory_of_kernels,
    prepare,
    transform,
)
from engine.models.layers import GroupNorm
from engine.models.unet import UNet
from engine.models.vae import Vae
from engine.models.vocoder import HiFiGan, HiFiGanConfig
from engine.presets import TINY, S, build
from engine.requests import Generate

WIDE = 128  # channels from which the short way is taken


def relative_error(ours: Tensor, reference: Tensor) -> float:
    assert ours.shape == reference.shape
    return float((ours.double() - reference.double()).norm() / reference.double().norm())


def prepared_error(net: nn.Module, x: Tensor) -> float:
    """How far the prepared net is from the plain one in double precision."""
    with torch.inference_mode():
        reference = net.double()(x.double())
        prepare(net.float())
        return relative_error(net(x), reference)


class TestImages:
    @pytest.mark.parametrize(
        ("height", "width"),
        [(1, 1), (3, 2), (4, 4), (5, 7), (32, 2), (33, 16), (64, 3)],
        ids=lambda size: f"{size} cells",
    )
    def test_any_size_of_image(self, height, width):
        x = torch.randn(2, WIDE, height, width)

        assert prepared_error(Conv2d(WIDE, WIDE + 1, 3), x) < 3e-6

    @pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["rows", "channels last"])
    def test_either_layout(self, layout):
        x = torch.randn(1, WIDE, 12, 5).to(memory_format=layout)

        assert prepared_error(Conv2d(WIDE, 2 * WIDE, 3), x) < 3e-6

    def test_an_image_that_is_cut_into_blocks(self):
        x = torch.randn(1, WIDE, 150, 64)

        assert prepared_error(Conv2d(WIDE, WIDE, 3), x) < 3e-6

    @pytest.mark.parametrize("channels", [(8, WIDE), (WIDE, 1)], ids=["few in", "few out"])
    def test_few_channels_go_the_plain_way_bit_for_bit(self, channels):
        conv, x = Conv2d(*channels, 3), torch.randn(1, channels[0], 9, 9)
        with torch.inference_mode():
            plain = conv(x)
            prepare(conv)

            assert torch.equal(conv(x), plain)


class TestSignals:
    @pytest.mark.parametrize(
        ("kernel", "dilation", "length"),
        list(product((3, 5, 7, 11), (1, 3, 5), (1, 64, 1001))),
    )
    def test_any_kernel_dilation_and_length(self, kernel, dilation, length):
        assert prepared_error(Conv1d(WIDE, WIDE, kernel, dilation), torch.randn(1, WIDE, length)) < 5e-6

    @pytest.mark.parametrize("channels", [(8, 16), (64, 1)], ids=["8 to 16", "64 to 1"])
    def test_few_channels(self, channels):
        assert prepared_error(Conv1d(*channels, 7, 3), torch.randn(2, channels[0], 100)) < 2e-6

    @pytest.mark.parametrize("channels", [16, 2 * WIDE], ids=["few channels", "many channels"])
    @pytest.mark.parametrize(
        ("kernel", "stride"), [(16, 5), (16, 4), (8, 2), (4, 2)], ids=["16 by 5", "16 by 4", "8 by 2", "4 by 2"]
    )
    def test_upsampling(self, channels, kernel, stride):
        net = ConvTranspose1d(channels, channels // 2, kernel, stride)

        assert prepared_error(net, torch.randn(2, channels, 31)) < 5e-6

    def test_a_whole_vocoder(self):
        net = HiFiGan(HiFiGanConfig(channels=2 * WIDE, rates=(4, 2), kernels=(8, 4)))

        assert prepared_error(net, torch.randn(1, 1, 37, 64)) < 1e-5


class TestKernels:
    @pytest.mark.parametrize("size", [3, 7, 11], ids=lambda size: f"{size} taps")
    def test_they_are_twice_as_big_at_most(self, size):
        weight = torch.randn(8, 8, size, 1)
        kernel = transform(weight, None, size // 2)

        assert sum(taps.numel() for taps in kernel.taps) <= 2 * weight.numel()

    def test_they_are_made_once_and_not_stored(self):
        conv = Conv2d(WIDE, WIDE, 3)
        prepare(conv)
        with torch.inference_mode():
            conv(torch.randn(1, WIDE, 8, 8))
            made = conv._kernel
            conv(torch.randn(1, WIDE, 16, 4))

        assert isinstance(made, Kernel)
        assert conv._kernel is made
        assert list(conv.state_dict()) == ["weight", "bias"]

    def test_gradients_flow_the_plain_way(self):
        conv, x = Conv2d(WIDE, WIDE, 3), torch.randn(1, WIDE, 8, 8)
        prepare(conv)

        conv(x).sum().backward()

        assert conv.weight.grad is not None
        assert conv._kernel is None


class TestNorms:
    @pytest.mark.parametrize("mean", [0.0, 3.0], ids=["centred", "with an offset"])
    def test_a_big_image_is_normalised_better_than_by_pytorch(self, mean):
        x = (torch.randn(1, 64, 256, 64) + mean).to(memory_format=torch.channels_last)
        norm = GroupNorm(32, 64)
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
        with torch.inference_mode():
            reference = F.group_norm(x.double(), 32, norm.weight.double(), norm.bias.double(), norm.eps)
            plain = relative_error(norm(x), reference)
            prepare(norm)

            assert relative_error(norm(x), reference) < min(1e-6, plain)

    def test_other_devices_go_the_plain_way(self):
        """PyTorch's kernel for cards refuses the short way's layout; `meta` computes nothing, but goes a way."""
        norm = GroupNorm(32, 64)
        prepare(norm)
        x = torch.randn(1, 64, 256, 64).to(memory_format=torch.channels_last)

        with torch.inference_mode():
            assert computes(x)
            assert not computes(x.to("meta"))
            assert norm.to("meta")(x.to("meta")).shape == x.shape


class TestTheEngine:
    def test_same_request_and_seed_are_the_same_bits(self):
        request = Generate("rain", seconds=1.0, steps=2, seed=5)
        engine = Engine.load("nano", device="cpu")

        first, second = (engine.run(request)[0].samples for _ in range(2))

        assert (first == second).all()

    @pytest.mark.slow
    def test_the_nets_of_s_make_the_same_to_a_hundred_thousandth(self):
        model = build(S)
        x, t, condition = torch.randn(2, 8, 64, 16), torch.tensor([500, 500]), torch.randn(2, 512)
        mel = torch.randn(1, 1, 64, 64)

        def everything() -> list[Tensor]:
            with torch.inference_mode():
                return [
                    model.unet(x, t, condition),
                    model.vae.decode(x[:1]),
                    model.vae.encode(mel).mean,
                    model.vocoder(mel),
                ]

        plain = everything()
        for net in (model.unet, model.vae):
            net.to(memory_format=torch.channels_last)
        prepare(model)

        assert max(map(relative_error, everything(), plain)) < 1e-5


NETS = {
    "image": (Conv2d(WIDE, WIDE, 3), (1, WIDE, 9, 9)),
    "signal": (Conv1d(WIDE, WIDE, 7, 3), (1, WIDE, 40)),
    "eleven taps": (Conv1d(WIDE, WIDE, 11), (1, WIDE, 40)),
    "upsampling": (ConvTranspose1d(WIDE, WIDE, 16, 5), (1, WIDE, 9)),
    "narrow": (Conv2d(8, WIDE, 3), (1, 8, 9, 9)),
}


class TestMemory:
    @pytest.mark.parametrize("name", NETS)
    def test_what_kernels_will_take_is_known_beforehand(self, name: str) -> None:
        conv, shape = NETS[name]
        expected = memory_of_kernels(conv)
        prepare(conv)
        with torch.inference_mode():
            conv(torch.randn(shape))

        kept = sum(taps.numel() * taps.element_size() for taps in conv._kernel.taps) if conv._kernel else 0
        assert kept == expected

    def test_without_kernels_none_is_made(self) -> None:
        conv, x = Conv1d(WIDE, WIDE, 7), torch.randn(1, WIDE, 40)
        prepare(conv, kernels=False)
        with torch.inference_mode():
            made = conv(x)

        assert conv._kernel is None
        assert torch.allclose(made, nn.Conv1d.forward(conv, x), atol=1e-5)

    def test_the_published_sizes(self) -> None:
        """GiB of UNet, autoencoder and vocoder, as engine/README.md tells."""
        with torch.device("meta"):
            nets = [UNet(S.unet), Vae(S.vae), HiFiGan(HiFiGanConfig())]

        assert sum(map(memory_of_kernels, nets)) / 2**30 == pytest.approx(1.47, abs=0.01)

    def test_what_does_not_fit_is_done_without(self) -> None:
        assert fits_in_memory(2**20)
        assert not fits_in_memory(2**50)

    def test_they_can_be_switched_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RETAKE_SPARING", "1")
        model = prepare_for_inference(build(replace(TINY, unet=replace(TINY.unet, base_channels=WIDE))), torch.float32)

        assert memory_of_kernels(model) > 0
        assert not any(getattr(module, "evaluates", False) for module in model.modules())
