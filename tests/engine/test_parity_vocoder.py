"""The HiFi-GAN vocoder against transformers' SpeechT5HifiGan, and its published size."""

import pytest
import torch
from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

from engine.models.vocoder import HiFiGan, HiFiGanConfig

NARROW = HiFiGanConfig(channels=64)
NAMES = {
    "conv_in": "conv_pre",
    "conv_out": "conv_post",
    "upsample": "upsampler",
    "dilated": "convs1",
    "plain": "convs2",
}


def theirs_from_ours(vocoder: HiFiGan) -> dict[str, torch.Tensor]:
    """Our state dict -> transformers' names; there the residual stacks of all stages stand in one list."""
    stacks = len(vocoder.config.residual_kernels)
    theirs = {"mean": torch.zeros(vocoder.config.num_mels), "scale": torch.ones(vocoder.config.num_mels)}
    for key, value in vocoder.state_dict().items():
        first, *rest = key.split(".")
        if first == "residual":
            stage, stack, kind, *rest = rest
            first, rest = "resblocks", [str(int(stage) * stacks + int(stack)), NAMES[kind], *rest]
        theirs[".".join([NAMES.get(first, first), *rest])] = value
    return theirs


def transformers_vocoder(vocoder: HiFiGan) -> SpeechT5HifiGan:
    ours = vocoder.config
    config = SpeechT5HifiGanConfig(
        model_in_dim=ours.num_mels, sampling_rate=16000, upsample_initial_channel=ours.channels,
        upsample_rates=list(ours.rates), upsample_kernel_sizes=list(ours.kernels),
        resblock_kernel_sizes=list(ours.residual_kernels),
        resblock_dilation_sizes=[list(ours.dilations)] * len(ours.residual_kernels),
        leaky_relu_slope=0.1, normalize_before=False,
    )  # fmt: skip
    theirs = SpeechT5HifiGan(config).eval()
    theirs.load_state_dict(theirs_from_ours(vocoder))
    return theirs


@torch.inference_mode()
def waveforms_of_both(vocoder: HiFiGan, frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What both make of one log-mel [2, 1, N, 64]; theirs has 32 samples more than N hops, which we cut."""
    log_mel = -5 + 3 * torch.randn(2, 1, frames, 64, generator=torch.Generator().manual_seed(3))
    theirs = transformers_vocoder(vocoder)(log_mel[:, 0])
    assert theirs.shape == (2, 160 * frames + 32)
    return vocoder(log_mel), theirs[:, : 160 * frames]


def test_size_is_the_published_one():
    with torch.device("meta"):
        assert sum(p.numel() for p in HiFiGan(HiFiGanConfig()).parameters()) == 55_264_897


class TestAgreementWithTransformers:
    def test_narrow(self, scramble, relative_error):
        assert relative_error(*waveforms_of_both(scramble(HiFiGan(NARROW), 1), frames=24)) <= 1e-5

    @pytest.mark.slow
    def test_at_full_width(self, scramble, relative_error):
        assert relative_error(*waveforms_of_both(scramble(HiFiGan(HiFiGanConfig()), 2), frames=8)) <= 1e-5
