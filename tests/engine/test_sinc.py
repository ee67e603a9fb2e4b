"""The short sinc: number for number what torchaudio makes with its defaults, see `golden/make_sinc.py`."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.models.clap import ClapConfig, LaionClap
from engine.sinc import resample_by_sinc

GOLDEN = Path(__file__).with_name("golden") / "sinc.npz"


@pytest.mark.parametrize(("old", "new"), [(16_000, 48_000), (44_100, 16_000), (22_050, 16_000)])
def test_makes_what_torchaudio_makes(old: int, new: int) -> None:
    with np.load(GOLDEN) as arrays:
        waveform, expected = torch.from_numpy(arrays["waveform"]), torch.from_numpy(arrays[f"{old}_{new}"])

    made = resample_by_sinc(waveform, old, new)

    assert made.shape == expected.shape
    torch.testing.assert_close(made, expected, rtol=0, atol=1e-6)


def test_the_same_rate_is_the_same_sound() -> None:
    waveform = torch.randn(2, 100)

    assert torch.equal(resample_by_sinc(waveform, 44_100, 44_100), waveform)


def test_the_published_models_ear_hears_through_it() -> None:
    """With the images above 8 kHz that its training heard: 7.5 kHz at 16 kHz has one at 8.5 kHz."""
    clap = LaionClap(ClapConfig(audio_tower="HTSAT-test", text_tower="roberta-test", embedding_dim=64))
    tone = 0.5 * torch.sin(2 * torch.pi * 7_500 * torch.arange(16_000) / 16_000)[None]
    at_48_khz = resample_by_sinc(tone, 16_000, 48_000)
    spectrum = torch.fft.rfft(at_48_khz * torch.hann_window(48_000)).abs()[0]

    assert 20 * torch.log10(spectrum[8_500] / spectrum[7_500]) > -60
    with torch.inference_mode():
        assert torch.equal(clap.embed_audio(tone, 16_000), clap.embed_audio(at_48_khz, 48_000))
