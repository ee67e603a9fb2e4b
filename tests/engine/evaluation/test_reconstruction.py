"""Spectral distances against the same formulas written in NumPy and SciPy."""

import math

import librosa
import numpy as np
import pytest
import scipy.signal
import torch

from engine.evaluation.evaluation_errors import NotFiniteError
from engine.evaluation.reconstruction import log_spectral_distance, mel_l1, published_lsd, spectral_convergence
from engine.sounds import render

DISTANCES = [log_spectral_distance, mel_l1, spectral_convergence]
READABLE = lambda distance: getattr(distance, "__name__", "")  # noqa: E731 - pytest wants a callable for ids


def noise(seed: int, clips: int = 2, samples: int = 16_000, level: float = 0.3) -> torch.Tensor:
    return level * torch.randn(clips, samples, generator=torch.Generator().manual_seed(seed))


def scipy_magnitudes(waveform: np.ndarray) -> np.ndarray:
    """SciPy's centred STFT, unscaled: [F, frames]."""
    window = scipy.signal.get_window("hann", 1024, fftbins=True)
    padded = np.pad(waveform, 512)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 1024)[::160]
    return np.abs(np.fft.rfft(frames * window, axis=1)).T


class TestEveryDistance:
    @pytest.mark.parametrize("distance", DISTANCES, ids=READABLE)
    def test_identical_clips_are_at_distance_nought(self, distance) -> None:
        clip = noise(1)

        assert distance(clip, clip).tolist() == [0.0, 0.0]

    @pytest.mark.parametrize("distance", DISTANCES, ids=READABLE)
    def test_each_clip_has_its_own_figure(self, distance) -> None:
        estimate, target = noise(1), noise(2)

        together = distance(estimate, target)

        assert together.shape == (2,)
        assert together[1].item() == pytest.approx(distance(estimate[1:], target[1:]).item(), rel=1e-5)

    @pytest.mark.parametrize("distance", DISTANCES, ids=READABLE)
    def test_further_away_is_further(self, distance) -> None:
        target = noise(1)

        near, far = distance(target + noise(2, level=0.02), target), distance(target + noise(2, level=0.2), target)

        assert (near < far).all()

    @pytest.mark.parametrize("distance", DISTANCES, ids=READABLE)
    def test_values_that_are_not_numbers_are_refused(self, distance) -> None:
        broken = noise(1)
        broken[0, 7:10] = math.nan

        with pytest.raises(NotFiniteError, match="the estimate holds 3 values"):
            distance(broken, noise(2))

    @pytest.mark.parametrize("distance", DISTANCES, ids=READABLE)
    def test_unequal_lengths_are_refused(self, distance) -> None:
        with pytest.raises(ValueError, match="expected two equal"):
            distance(noise(1), noise(1, samples=15_000))


class TestLogSpectralDistance:
    def test_is_the_mean_over_frames_of_the_rms_level_difference(self) -> None:
        estimate, target = noise(1, clips=1), noise(2, clips=1)
        levels = [20 * np.log10(np.maximum(scipy_magnitudes(side[0].numpy()), 1e-3)) for side in (estimate, target)]
        expected = np.sqrt(((levels[0] - levels[1]) ** 2).mean(axis=0)).mean()

        assert log_spectral_distance(estimate, target).item() == pytest.approx(expected, rel=1e-4)

    def test_half_the_amplitude_is_six_decibels(self) -> None:
        target = noise(3)

        assert log_spectral_distance(target / 2, target).tolist() == pytest.approx([20 * math.log10(2)] * 2, rel=1e-3)

    def test_silence_against_silence_is_nought(self) -> None:
        assert log_spectral_distance(torch.zeros(1, 8000), torch.zeros(1, 8000)).item() == 0


class TestMelL1:
    def test_agrees_with_librosa(self) -> None:
        estimate, target = noise(4, clips=1), noise(5, clips=1)
        log_mels = []
        for side in (estimate, target):
            padded = np.pad(side[0].numpy(), 432, mode="reflect")
            mel = librosa.feature.melspectrogram(
                y=padded, sr=16_000, n_fft=1024, hop_length=160, center=False, power=1.0, n_mels=64, fmin=0, fmax=8000
            )
            log_mels.append(np.log(np.maximum(mel, 1e-5)))

        assert mel_l1(estimate, target).item() == pytest.approx(np.abs(log_mels[0] - log_mels[1]).mean(), rel=1e-3)


class TestSpectralConvergence:
    def test_is_the_relative_frobenius_norm(self) -> None:
        estimate, target = noise(6, clips=1), noise(7, clips=1)
        heard, wanted = (scipy_magnitudes(side[0].numpy()) for side in (estimate, target))

        assert spectral_convergence(estimate, target).item() == pytest.approx(
            np.linalg.norm(wanted - heard) / np.linalg.norm(wanted), rel=1e-4
        )

    def test_silence_instead_of_sound_is_one(self) -> None:
        assert spectral_convergence(torch.zeros(1, 8000), noise(8, 1, 8000)).item() == pytest.approx(1)


class TestPublishedLsd:
    def test_is_the_formula_over_librosas_spectra(self) -> None:
        target, estimate = (render("rain", seed, 1.0).waveform for seed in (1, 2))
        bins = int(2048 * 16_000 / 44_100)
        levels = [
            np.abs(librosa.stft(side, n_fft=bins, hop_length=160, pad_mode="constant")).astype(np.float64)
            for side in (estimate, target)
        ]
        ratio = np.log10(levels[1] ** 2 / (levels[0] + 1e-12) ** 2 + 1e-12)
        expected = np.sqrt((ratio**2).mean(axis=0)).mean()

        ours = published_lsd(torch.from_numpy(estimate[None]), torch.from_numpy(target[None]))

        assert ours.item() == pytest.approx(expected, rel=1e-3)

    def test_a_tenfold_level_is_two(self) -> None:
        noise = torch.randn(1, 16_000, generator=torch.Generator().manual_seed(1))

        assert published_lsd(0.1 * noise, noise).item() == pytest.approx(2.0, rel=1e-4)
