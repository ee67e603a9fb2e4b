"""The model's parts over long sounds: the same as in one piece, or as near as their norms and phases allow."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from engine import Engine
from engine.models.vocoder import HiFiGan, HiFiGanConfig
from engine.operations.long_sounds import decode_long, encode_long, log_mel_long, vocode_long
from engine.operations.splice import rms
from engine.operations.windows import lay_windows

NARROW = HiFiGanConfig(channels=32)  # the published kernels and rates on a thirty-second of the channels

Scramble = Callable[[nn.Module, int], HiFiGan]


def go_on() -> None:
    """Nobody wants to stop."""


@pytest.fixture
def sweep() -> torch.Tensor:
    """3.84 s of a rising tone at 16 kHz, [1, T]."""
    time = torch.arange(96 * 640) / 16_000
    return 0.3 * torch.sin(2 * torch.pi * (300 + 40 * time) * time)[None]


class TestLongWaveforms:
    """The model's parts over windows, against the same parts in one piece."""

    @torch.inference_mode()
    def test_encoding_and_decoding_agree_with_one_piece(self, tiny: Engine, sweep: torch.Tensor) -> None:
        model = tiny._loaded()
        one, many = lay_windows(96, 96, 4), lay_windows(96, 32, 4)

        latents = [encode_long(model, sweep, windows, go_on) for windows in (one, many)]
        assert latents[0].shape == latents[1].shape == (1, 8, 96, 16)
        assert (latents[0] - latents[1]).abs().mean() < 0.02 * latents[0].abs().mean()

        log_mels = [decode_long(model, latents[0], windows, go_on) for windows in (one, many)]
        assert log_mels[0].shape == log_mels[1].shape == (1, 1, 384, 64)
        assert (log_mels[0] - log_mels[1]).abs().mean() < 0.02 * log_mels[0].abs().mean()

    @torch.inference_mode()
    def test_the_front_end_gives_what_it_gives_in_one_piece(self, tiny: Engine, sweep: torch.Tensor) -> None:
        model = tiny._loaded()
        long = log_mel_long(model, sweep, lay_windows(100, 32, 4), go_on)
        whole = model.log_mel(torch.nn.functional.pad(sweep, (0, 4 * 640)))
        assert long.shape == whole.shape == (1, 1, 400, 64)
        assert (long - whole).abs().max() < 1e-5

    @pytest.mark.parametrize(
        "config", [NARROW, replace(NARROW, rates=(4, 4, 4), kernels=(8, 8, 8)), replace(NARROW, dilations=(1, 3, 9))]
    )
    @torch.inference_mode()
    def test_hifi_gan_gives_what_it_gives_in_one_piece(self, config: HiFiGanConfig, scramble: Scramble) -> None:
        model = _Narrow(scramble(HiFiGan(config), 0))
        log_mel = torch.randn(1, 1, 400, 64, generator=torch.Generator().manual_seed(0))

        long = vocode_long(model, log_mel, lay_windows(100, 32, 4), torch.Generator, go_on)  # type: ignore[arg-type]

        whole = model.vocode(log_mel, torch.Generator())
        assert long.shape == whole.shape == (1, 400 * config.hop)
        assert np.abs(long - whole.numpy()).max() < 1e-5 * whole.abs().max()

    @pytest.mark.parametrize("side", [-1, 1], ids=["before", "after"])
    def test_hifi_gan_hears_no_further_than_it_says(self, side: int, scramble: Scramble) -> None:
        """A frame that is changed changes no sample beyond the reach; the published reach is 25 frames."""
        net = scramble(HiFiGan(NARROW), 1)
        log_mel = torch.randn(1, 1, 120, 64)
        changed = log_mel.clone()
        changed[:, :, 60] += 10
        where = (net(log_mel) != net(changed))[0].nonzero() // NARROW.hop - 60
        assert 0.6 * NARROW.reach < (side * where).max() <= NARROW.reach == 25

    @torch.inference_mode()
    def test_vocoding_keeps_the_level_across_windows(self, tiny: Engine) -> None:
        """Random phases of two windows cancel nowhere: noise keeps its level within 2 dB through each crossfade."""
        model = tiny._loaded()
        noise = 0.1 * torch.randn(1, 96 * 640, generator=torch.Generator().manual_seed(0))
        log_mel = model.log_mel(noise)
        windows = lay_windows(96, 32, 4)

        made = vocode_long(model, log_mel, windows, lambda: torch.Generator().manual_seed(1), go_on)

        assert made.shape == (1, 96 * 640)
        levels = np.array([rms(piece) for piece in np.split(made[:, 640:-640], 47, axis=1)])
        assert levels.min() > 0.8 * np.median(levels)
        assert levels.max() < 1.25 * np.median(levels)

    @pytest.mark.parametrize("phase", [0.0, 1.6, 3.1, 4.7])
    def test_windows_of_opposite_phase_do_not_cancel(self, phase: float) -> None:
        """A vocoder that hums with another phase in every window: the hum never sinks by more than a tenth."""
        hum = _Hum(phase)
        made = vocode_long(hum, torch.zeros(1, 1, 384, 64), lay_windows(96, 32, 4), torch.Generator, go_on)  # type: ignore[arg-type]
        loudness = np.sqrt(np.square(made.reshape(-1, 320)).mean(axis=1))
        assert loudness.min() > 0.9 * 0.5**0.5
        assert loudness.max() < 1.1 * 0.5**0.5


class _Narrow:
    """The part of a model that `vocode_long` needs, with a vocoder of few channels."""

    dtype = torch.float32

    def __init__(self, vocoder: HiFiGan) -> None:
        self.vocoder, self.config = vocoder, SimpleNamespace(mel=SimpleNamespace(hop=vocoder.config.hop))

    def vocode(self, log_mel: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return self.vocoder(log_mel, generator)


class _Hum:
    """The part of a model that `vocode_long` needs: 500 Hz, turned by `phase` with every window."""

    samples_per_row, dtype, vocoder = 640, torch.float32, SimpleNamespace(reach=None)

    def __init__(self, phase: float) -> None:
        self.phase, self.calls = phase, 0

    def vocode(self, log_mel: torch.Tensor, _generator: torch.Generator) -> torch.Tensor:
        self.calls += 1
        time = torch.arange(log_mel.shape[2] * 160) / 16_000
        return torch.sin(2 * torch.pi * 500 * time + self.phase * self.calls)[None]
