"""Clips of any sample rate: every sample in its place, at the clip's own rate and encoding."""

from pathlib import Path

import numpy as np
import pytest

from engine import Audio, Engine, Inpaint, Restyle, Upscale, Vary
from engine.operations.excerpt import take_excerpt

RATES = [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000]  # Hz
MODEL_RATE = 16_000

at_every_rate = pytest.mark.parametrize("rate", RATES)


def clicks(rate: int, seconds: float = 1.27) -> Audio:
    """Short bursts of low noise at uneven distances, different to the left and to the right."""
    random, num_samples = np.random.default_rng(5), round(seconds * rate)
    time = np.arange(num_samples) / rate
    envelope = sum(np.exp(-0.5 * np.square((time - place) / 0.008)) for place in (0.21, 0.4, 0.77, 1.02))
    tones = [np.sin(2 * np.pi * hz * time[None] + random.uniform(0, 6, (2, 1))) for hz in (311, 733, 1270, 2210)]
    return Audio((0.1 * sum(tones) * envelope).astype(np.float32), rate, encoding="PCM_16")


def delay_s(one: np.ndarray, other: np.ndarray, rate: int) -> float:
    """Where the cross-correlation of two sounds [T] peaks, in seconds."""
    size = 2 * len(one)
    spectrum = np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size))
    lag = int(np.fft.irfft(spectrum, size).argmax())
    return (lag if lag < len(one) else lag - size) / rate


def loudness(samples: np.ndarray, rate: int) -> np.ndarray:
    """The power of the channels' sum over 4 ms around each sample, [T]."""
    kernel = np.hanning(round(0.008 * rate))
    return np.convolve(np.square(samples, dtype=np.float64).sum(axis=0), kernel / kernel.sum(), "same")


class TestEveryRate:
    @at_every_rate
    def test_the_way_to_the_model_and_back_delays_nothing(self, rate: int) -> None:
        """What lies in both bands comes back as it was, to a thousandth."""
        clip = clicks(rate)
        excerpt = take_excerpt(clip, 0, clip.num_samples, MODEL_RATE, None)
        back = excerpt.restore(excerpt.waveform)
        assert back.shape == clip.samples.shape
        assert delay_s(clip.samples[0], back[0], rate) == 0
        assert np.abs(back - (clip.samples - clip.samples.mean(axis=1, keepdims=True))).max() < 1e-3 * clip.peak

    @at_every_rate
    @pytest.mark.parametrize("operation", ["restyle", "inpaint", "vary"])
    def test_number_of_samples_rate_and_encoding_are_kept(
        self, tiny: Engine, tmp_path: Path, rate: int, operation: str
    ) -> None:
        clip = clicks(rate, 0.5)
        requests = {
            "restyle": Restyle(clip, "rain", steps=2),
            "inpaint": Inpaint(clip, "rain", [(0.1, 0.2)], steps=2),
            "vary": Vary(clip, steps=2),
        }
        (take,) = tiny.run(requests[operation])
        assert take.samples.shape == clip.samples.shape
        assert (take.sample_rate, take.encoding) == (rate, "PCM_16")
        take.write(tmp_path / "take.wav")
        assert Audio.read(tmp_path / "take.wav").encoding == "PCM_24"

    @at_every_rate
    def test_upscaling_makes_no_rate_less(self, tiny: Engine, rate: int) -> None:
        clip = clicks(rate, 0.5)
        (take,) = tiny.run(Upscale(clip, "rain", cutoff_hz=3_000, steps=2))
        assert take.sample_rate == (rate if rate >= 40_000 else 48_000)
        assert take.num_samples == round(clip.num_samples * take.sample_rate / rate)

    @pytest.mark.slow
    @at_every_rate
    def test_the_gentlest_restyle_keeps_every_burst_in_its_place(self, nano: Engine, rate: int) -> None:
        """One step in a thousand is the codec's way alone: within 2 ms, a fifth of a frame of the log-mel."""
        clip = clicks(rate)
        (take,) = nano.run(Restyle(clip, "drops", strength=0.001, structure=0, steps=1000))
        assert abs(delay_s(loudness(clip.samples, rate), loudness(take.samples, rate), rate)) < 0.002


@pytest.fixture(scope="module")
def nano() -> Engine:
    return Engine.load("nano", "cpu")
