"""Slopes of the log-mel against NumPy on librosa's mel; blurred and roughened sounds on either side of the corpus."""

import librosa
import numpy as np
import pytest
import torch

from engine.evaluation.evaluation_errors import NotFiniteError
from engine.evaluation.gradients import AUDIBLE, MOVING, GradientRow, gradient_energy, gradient_rows
from engine.mel import LogMel, MelConfig
from engine.sounds import SOUNDS, render


def numpy_slopes(waveform: np.ndarray) -> list[float]:
    padded = np.pad(waveform, 432, mode="reflect")
    mel = librosa.feature.melspectrogram(
        y=padded, sr=16_000, n_fft=1024, hop_length=160, center=False, power=1.0, n_mels=64, fmin=0, fmax=8000
    )
    log_mel = np.log(np.maximum(mel, 1e-5)).astype(np.float64)
    line = log_mel.max() - AUDIBLE
    means = []
    for axis in (1, 0):
        before, after = (np.swapaxes(log_mel, 0, axis)[part] for part in (slice(None, -1), slice(1, None)))
        slopes = np.abs(np.maximum(after, line) - np.maximum(before, line))
        means.append(slopes[np.maximum(before, after) > line].mean())
    return means


def log_mel_of(waveform: np.ndarray) -> torch.Tensor:
    return LogMel(MelConfig())(torch.from_numpy(waveform[None]))[0, 0]


class TestEnergy:
    @pytest.mark.parametrize("sound", ["siren", "rain", "clock"])
    def test_agrees_with_librosa_and_numpy(self, sound: str) -> None:
        waveform = render(sound, 1, 2.0).waveform

        assert gradient_energy(log_mel_of(waveform)) == pytest.approx(numpy_slopes(waveform), rel=2e-3)

    def test_does_not_depend_on_level(self) -> None:
        log_mel = log_mel_of(render("siren", 1, 2.0).waveform).clamp(min=-6)

        assert gradient_energy(log_mel) == pytest.approx(gradient_energy(log_mel - 3), rel=1e-5)

    def test_what_stands_still_has_slopes_over_frequency_only(self) -> None:
        over_time, over_frequency = gradient_energy(torch.arange(4.0).expand(10, 4))

        assert (over_time, over_frequency) == (0.0, 1.0)

    def test_silence_has_none(self) -> None:
        assert gradient_energy(torch.full((10, 64), -11.5)) == (0.0, 0.0)


class TestRows:
    def test_corpus_clips_are_as_sharp_as_themselves(self) -> None:
        truths = ["siren", "rain", "siren", "rain"]
        clips = [render(sound, index, 1.0).waveform for index, sound in enumerate(truths)]

        rows = gradient_rows(truths, clips, clips)

        assert [(row.sound, row.is_moving) for row in rows] == [("siren", True), ("rain", False)]
        assert [(row.over_time, row.over_frequency) for row in rows] == [(1.0, 1.0)] * 2
        assert all(row.is_close for row in rows)

    def test_noise_in_the_place_of_a_siren_is_blurred(self) -> None:
        noise = np.random.default_rng(1).standard_normal(32_000).astype(np.float32)

        row = gradient_rows(["siren"], [noise], [render("siren", 1, 2.0).waveform])[0]

        assert max(row.over_time, row.over_frequency) < 0.5
        assert not row.is_close

    def test_clicks_in_the_place_of_rain_are_rough(self) -> None:
        clicks = np.zeros(32_000, np.float32)
        clicks[::4000] = 0.5

        row = gradient_rows(["rain"], [clicks], [render("rain", 1, 2.0).waveform])[0]

        assert row.over_time > 1.5

    def test_silence_is_blurred_altogether(self) -> None:
        row = gradient_rows(["siren"], [np.zeros(32_000, np.float32)], [render("siren", 1, 2.0).waveform])[0]

        assert (row.over_time, row.over_frequency) == (0.0, 0.0)

    @pytest.mark.parametrize("ratio", [0.79, 1.21])
    def test_a_fifth_is_the_tolerance(self, ratio: float) -> None:
        assert not GradientRow("siren", ratio, 1.0, is_moving=True).is_close
        assert not GradientRow("siren", 1.0, ratio, is_moving=True).is_close
        assert GradientRow("siren", 1 + 0.9 * (ratio - 1), 1.0, is_moving=True).is_close

    def test_corpus_clips_without_any_slope_are_no_measure(self) -> None:
        with pytest.raises(NotFiniteError, match="siren beside silent corpus clips holds 2"):
            gradient_rows(["siren"], [render("siren", 1, 1.0).waveform], [np.zeros(16_000, np.float32)])

    def test_clips_that_are_not_numbers_are_refused(self) -> None:
        corpus = render("siren", 1, 1.0).waveform

        with pytest.raises(NotFiniteError, match="a generated clip holds 16000"):
            gradient_rows(["siren"], [np.full(16_000, np.nan, np.float32)], [corpus])

    def test_some_sounds_of_the_corpus_move(self) -> None:
        assert {"siren", "birds", "laser", "drops", "cat"} <= MOVING & set(SOUNDS)
