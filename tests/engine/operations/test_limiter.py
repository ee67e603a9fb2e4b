"""The limiter: never above the ceiling, between the samples either; below it bit for bit what came in."""

import numpy as np
import pytest

from engine.operations.bands import keep_band
from engine.operations.limiter import limit, true_peak
from engine.operations.splice import rms

RATE = 48_000


def noise(seed: int = 1, size: int = 48_000, channels: int = 2, level: float = 0.1) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((channels, size)) * level).astype(np.float32)


def sine(hz: float, rate: int = RATE, phase: float = 0.0, level: float = 1.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(rate) / rate + phase))[None].astype(np.float32)


def interpolated(samples: np.ndarray) -> np.ndarray:
    """Four times the rate by zeros in the spectrum, exact for what repeats: another judge than the limiter's own."""
    spectrum = np.fft.rfft(samples.astype(np.float64))
    size = samples.shape[1]
    wide = np.zeros((samples.shape[0], 2 * size + 1), np.complex128)
    wide[:, : spectrum.shape[1]] = spectrum
    return 4 * np.fft.irfft(wide, 4 * size)


class TestTruePeak:
    def test_between_the_samples(self) -> None:
        """A sine at a quarter of the rate whose samples all lie at 0.707; the standard's filter is 0.2 dB at fault."""
        samples = sine(12_000, phase=np.pi / 4)
        assert np.abs(samples).max() == pytest.approx(0.7071, abs=1e-3)
        assert true_peak(samples[:, 100:-100], RATE) == pytest.approx(1, rel=0.1)

    @pytest.mark.parametrize("hz", [50, 997, 5_000])
    def test_of_lower_sines_it_is_their_amplitude(self, hz: float) -> None:
        """Annex 2 allows 0.55 dB."""
        assert true_peak(sine(hz, level=0.5), RATE) == pytest.approx(0.5, rel=0.02)

    def test_never_less_than_the_largest_sample(self) -> None:
        click = np.zeros((1, 1_000), np.float32)
        click[0, 500] = -1
        assert true_peak(click, RATE) >= 1
        assert true_peak(click[:, :0], RATE) == 0


class TestCeiling:
    @pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 96_000])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("sound", ["noise", "sine", "square", "clicks", "all of it"])
    def test_is_never_exceeded(self, sound: str, dtype: type, rate: int) -> None:
        time = np.arange(rate) / rate
        sounds = {
            "noise": noise(size=rate, level=0.7),
            "sine": 1.6 * np.sin(2 * np.pi * rate / 4 * time + 0.7)[None],
            "square": 3.0 * np.sign(np.sin(2 * np.pi * 110 * time))[None],
            "clicks": 5.0 * (np.arange(rate) % 997 == 0)[None],
            "all of it": noise(size=rate, level=20.0),
        }
        samples = sounds[sound].astype(dtype)
        limited = limit(samples, 0.9, rate)
        assert limited.dtype == dtype
        assert np.abs(limited).max() <= 0.9
        assert true_peak(limited, rate) <= 0.9
        assert true_peak(limited, rate) > 0.6

    def test_holds_for_an_exact_interpolation(self) -> None:
        limited = limit(keep_band(noise(level=1.0), RATE, None, 18_000), 0.9, RATE)
        assert np.abs(interpolated(limited)[:, 4_000:-4_000]).max() < 0.9 * 1.06  # the standard's filter errs by 0.5 dB


class TestTransparency:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_below_the_ceiling_the_very_samples_come_back(self, dtype: type) -> None:
        samples = noise(level=0.1).astype(dtype)
        before = samples.copy()
        assert limit(samples, 0.9, RATE) is samples
        assert np.array_equal(samples, before)

    def test_far_from_a_peak_nothing_changes(self) -> None:
        samples = noise()
        samples[0, 24_000] = 2.0
        limited = limit(samples, 0.9, RATE)
        same = (limited == samples).all(axis=0)
        assert same[: 24_000 - 300].all(), "more than the look-ahead before it"
        assert same[24_000 + 24_000 :].all() or same[-5_000:].all(), "half a second after it"
        assert rms(limited) == pytest.approx(rms(samples), rel=0.1)
        assert samples[0, 24_000] == 2, "what came in is left alone"

    def test_one_gain_for_both_channels(self) -> None:
        samples = noise()
        samples[1] = samples[0] / 2
        samples[:, 24_000] = 3.0, 1.5
        limited = limit(samples, 0.9, RATE)
        assert np.allclose(limited[1] * 2, limited[0], atol=1e-6)

    def test_the_gain_moves_smoothly(self) -> None:
        """A constant with a peak in it shows the gain itself: it takes milliseconds, not samples."""
        samples = np.full((1, 48_000), 0.5, np.float32)
        samples[0, 24_000] = 2.0
        gain = np.delete(limit(samples, 0.9, RATE)[0], 24_000) / 0.5
        assert gain.min() == pytest.approx(0.45, rel=0.15)
        assert np.abs(np.diff(gain)).max() < 0.02
