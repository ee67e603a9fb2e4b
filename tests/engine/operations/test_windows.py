"""Long sounds: windows that cover everything, agree with themselves and leave no seam."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from engine import CancelledError, Engine
from engine.diffusion.guidance import Denoised
from engine.operations.splice import rms
from engine.operations.windows import blend, decode_long, encode_long, lay_windows, over_windows, vocode_long


def go_on() -> None:
    """Nobody wants to stop."""


@pytest.fixture
def sweep() -> torch.Tensor:
    """3.84 s of a rising tone at 16 kHz, [1, T]."""
    time = torch.arange(96 * 640) / 16_000
    return 0.3 * torch.sin(2 * torch.pi * (300 + 40 * time) * time)[None]


class TestLaying:
    @pytest.mark.parametrize("rows", [4, 32, 40])
    def test_up_to_a_window_and_a_quarter_there_is_one(self, rows: int) -> None:
        assert list(lay_windows(rows, 32, 4)) == [(0, rows)]

    @pytest.mark.parametrize("rows", range(44, 400, 4))
    def test_windows_cover_all_rows_overlap_and_stay_on_the_grid(self, rows: int) -> None:
        windows = list(lay_windows(rows, 32, 4))

        assert windows[0][0] == 0
        assert windows[-1][1] == rows
        assert all(start % 4 == 0 and end - start == 32 for start, end in windows)
        overlaps = [left[1] - right[0] for left, right in pairwise(windows)]
        assert min(overlaps) >= 8
        assert max(overlaps) <= 24


class TestBlending:
    def test_what_all_windows_agree_on_stays_as_it_is(self) -> None:
        whole = torch.randn(2, 3, 100, 5)
        windows = lay_windows(100, 32, 4)
        blended = blend(windows, [whole[:, :, start:end] for start, end in windows], dim=2)
        assert torch.allclose(blended, whole, atol=1e-6)

    def test_windows_that_disagree_are_joined_without_a_step(self) -> None:
        """Window k says k; from row to row the blend moves by less than a quarter."""
        windows = lay_windows(100, 32, 4)
        blended = blend(windows, [torch.full((1, 1, 32, 1), float(k)) for k in range(len(windows.starts))], dim=2)
        steps = blended.flatten().diff()
        assert (steps >= -1e-6).all()
        assert steps.max() < 0.25

    def test_several_cells_a_row(self) -> None:
        frames = torch.randn(1, 1, 400, 64)
        windows = lay_windows(100, 32, 4)
        pieces = [frames[:, :, 4 * start : 4 * end] for start, end in windows]
        assert torch.allclose(blend(windows, pieces, dim=2), frames, atol=1e-6)


class TestDenoising:
    def test_a_denoiser_that_looks_at_one_cell_sees_no_windows(self) -> None:
        x = torch.randn(2, 8, 100, 16)
        denoise = over_windows(lambda y, t: Denoised(y * t, y + 1), lay_windows(100, 32, 4), torch.float32, go_on)

        x0, eps = denoise(x, 3)

        assert torch.allclose(x0, 3 * x, atol=1e-5)
        assert torch.allclose(eps, x + 1, atol=1e-5)

    def test_a_denoiser_that_feels_its_borders_leaves_no_seam(self) -> None:
        """Averaging makes each window differ from the next by 0.12; the blend moves by less than 0.03 a row."""
        x = torch.linspace(0, 1, 200)[None, None, :, None].expand(1, 8, 200, 16)
        windows = lay_windows(200, 32, 4)
        denoise = over_windows(lambda y, _: Denoised(y.mean(2, keepdim=True).expand_as(y), y), windows, x.dtype, go_on)
        steps = denoise(x, 1).x0[0, 0, :, 0].diff()
        assert steps.abs().max() < 0.03
        assert (steps > -1e-5).all()

    def test_stopping_is_possible_within_a_step(self) -> None:
        def stop() -> None:
            raise CancelledError

        denoise = over_windows(lambda y, _: Denoised(y, y), lay_windows(100, 32, 4), torch.float32, stop)
        with pytest.raises(CancelledError):
            denoise(torch.zeros(1, 8, 100, 16), 1)


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


class _Hum:
    """The part of a model that `vocode_long` needs: 500 Hz, turned by `phase` with every window."""

    samples_per_row, dtype = 640, torch.float32

    def __init__(self, phase: float) -> None:
        self.phase, self.calls = phase, 0

    def vocode(self, log_mel: torch.Tensor, _generator: torch.Generator) -> torch.Tensor:
        self.calls += 1
        time = torch.arange(log_mel.shape[2] * 160) / 16_000
        return torch.sin(2 * torch.pi * 500 * time + self.phase * self.calls)[None]
