"""The curves of a sound: right in pitch, loudness and brightness, not known where there is nothing, and relative."""

import math

import numpy as np
import pytest
import torch

from engine.gesture import CURVES, measure_curves, relative_curves, smooth_curves

RATE, ROW = 16_000, 640
SECONDS = np.arange(5 * RATE) / RATE
ROWS = (np.arange(5 * RATE // ROW) + 0.5) * ROW / RATE
LOUDNESS, BRIGHTNESS, PITCH = range(len(CURVES))


def voice(hertz: np.ndarray) -> np.ndarray:
    """A buzz of up to ten harmonics below 7 kHz, along a curve of f0 [T]."""
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    return np.sum([np.sin(k * phase) / k for k in range(1, 11) if k * hertz.max() < 7000], axis=0) * 0.2


def measured(waveform: np.ndarray) -> torch.Tensor:
    return measure_curves(torch.from_numpy(waveform)[None], RATE, ROW)[0]


class TestPitch:
    @pytest.mark.parametrize("middle", [70.0, 150.0, 440.0, 1500.0])
    def test_follows_a_voice(self, middle):
        curve = np.log2(middle) + 0.4 * np.sin(2 * np.pi * 0.5 * SECONDS)

        found = measured(voice(2**curve))[PITCH].numpy()

        wanted = np.log2(middle) + 0.4 * np.sin(2 * np.pi * 0.5 * ROWS)
        assert np.abs(found - wanted).max() < 0.05

    def test_follows_a_whistle(self):
        curve = np.log2(1800) + 0.6 * np.sin(2 * np.pi * 0.3 * SECONDS)

        found = measured(0.1 * np.sin(2 * np.pi * np.cumsum(2**curve) / RATE))[PITCH].numpy()

        assert np.abs(found - np.log2(1800) - 0.6 * np.sin(2 * np.pi * 0.3 * ROWS)).max() < 0.05

    def test_of_noise_is_not_known(self):
        assert measured(np.random.default_rng(1).standard_normal(5 * RATE))[PITCH].isnan().all()


class TestLoudnessAndBrightness:
    def test_loudness_is_the_level_in_decibels(self):
        level = -6 - 12 * SECONDS
        found = measured(voice(np.full_like(SECONDS, 200)) * 10 ** (level / 20))[LOUDNESS].numpy()

        assert np.abs(np.diff(found)[2:-2] + 12 * ROW / RATE).max() < 0.1

    def test_brightness_rises_with_the_spectrum(self):
        noise = np.random.default_rng(2).standard_normal(5 * RATE)
        share = SECONDS / 5
        dark = np.convolve(noise, np.ones(32) / 8, "same")

        found = measured((1 - share) * dark + share * noise)[BRIGHTNESS].numpy()

        assert np.corrcoef(found, ROWS)[0, 1] > 0.85
        assert found[-1] - found[0] > 1

    def test_the_faint_has_neither_pitch_nor_brightness(self):
        waveform = voice(np.full_like(SECONDS, 200))
        waveform[RATE : 2 * RATE] *= 1e-3

        curves = measured(waveform)

        faint = slice(RATE // ROW + 2, 2 * RATE // ROW - 2)
        assert curves[BRIGHTNESS, faint].isnan().all()
        assert curves[PITCH, faint].isnan().all()
        assert not curves[LOUDNESS].isnan().any()


class TestEdges:
    def test_silence_has_no_curves(self):
        assert measured(np.zeros(RATE)).isnan().all()
        assert relative_curves(measured(np.zeros(RATE))[None]).isnan().all()

    @pytest.mark.parametrize("size", [1, 7, ROW - 1, ROW, ROW + 1, 10 * ROW + 3])
    def test_any_length_has_its_rows(self, size):
        curves = measured(np.full(size, 0.1))

        assert curves.shape == (3, math.ceil(size / ROW))

    def test_one_clip_does_not_change_another(self):
        both = torch.from_numpy(np.stack([voice(np.full_like(SECONDS, 200)), np.zeros_like(SECONDS)]))

        torch.testing.assert_close(measure_curves(both, RATE, ROW)[:1], measure_curves(both[:1], RATE, ROW))


class TestSmoothing:
    def test_takes_the_median_of_what_is_known(self):
        curves = torch.tensor([[[0.0, 9.0, 1.0, math.nan, 2.0, 3.0]]])

        smooth = smooth_curves(curves, 3)

        assert smooth[0, 0, 1] == 1
        assert smooth[0, 0].isnan().tolist() == [False, False, False, True, False, False]

    def test_over_one_row_changes_nothing(self):
        curves = torch.randn(1, 3, 8)
        assert torch.equal(smooth_curves(curves, 1), curves)


class TestRelative:
    def test_says_how_a_sound_moves_and_not_where_it_is(self):
        curve = 0.5 * np.sin(2 * np.pi * 0.5 * SECONDS)
        low, high = (measured(gain * voice(2**curve * hertz)) for gain, hertz in ((1.0, 110), (0.1, 440)))

        a, b = (relative_curves(curves[None])[0] for curves in (low, high))

        assert (a[LOUDNESS] - b[LOUDNESS]).abs().max() < 0.05
        assert (a[PITCH] - b[PITCH]).abs().max() < 0.05

    def test_is_within_one(self):
        relative = relative_curves(torch.tensor([[[-200.0, 0.0], [1.0, 14.0], [5.0, 14.0]]]))

        assert relative.abs().max() <= 1
        assert relative[0, LOUDNESS].tolist() == [-1, 1]
