"""The HiFi-GAN vocoder against transformers' SpeechT5HifiGan, and its published size."""

import pytest
import torch

from engine.models.vocoder import HiFiGan, HiFiGanConfig
from tests.engine.twins import transformers_vocoder

NARROW = HiFiGanConfig(channels=64)


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
