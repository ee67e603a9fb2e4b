"""Loudness: the standard's and the EBU's own test signals, and sounds brought to a loudness."""

import math

import numpy as np
import pytest

from engine.operations.limiter import true_peak
from engine.operations.loudness import balancing_gains, level_of, set_loudness

RATE = 48_000


def tone(db: float, seconds: float = 2.0, hz: float = 1_000.0, rate: int = RATE, channels: int = 2) -> np.ndarray:
    samples = 10 ** (db / 20) * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    return np.repeat(samples[None], channels, axis=0).astype(np.float32)


def noise(seed: int = 1, size: int = 48_000, channels: int = 2, level: float = 0.1) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((channels, size)) * level).astype(np.float32)


class TestMeter:
    @pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000, 96_000])
    def test_a_full_scale_sine_in_one_channel(self, rate: int) -> None:
        """BS.1770-4: 0 dB at 997 Hz in one channel reads -3.01."""
        assert level_of(tone(0, hz=997, rate=rate, channels=1), rate).lufs == pytest.approx(-3.01, abs=0.1)

    @pytest.mark.parametrize("db", [-23.0, -33.0])
    def test_ebu_cases_1_and_2(self, db: float) -> None:
        """EBU Tech 3341: a stereo sine reads its own level."""
        assert level_of(tone(db), RATE).lufs == pytest.approx(db, abs=0.1)

    def test_ebu_cases_3_and_4(self) -> None:
        """Soft passages around a loud one do not count (a tenth of the EBU's lengths)."""
        quiet, faint = tone(-36, 1.0), tone(-72, 1.0)
        case = np.concatenate([faint, quiet, tone(-23, 6.0), quiet, faint], axis=1)
        assert level_of(case, RATE).lufs == pytest.approx(-23, abs=0.25)

    def test_high_sounds_are_louder_low_ones_softer(self) -> None:
        low, middle, high = (level_of(tone(-23, hz=hz), RATE).lufs for hz in (30, 1_000, 4_000))
        assert low < middle - 3
        assert high == pytest.approx(middle + 3.3, abs=0.4)

    def test_an_offset_is_no_sound(self) -> None:
        samples = noise()
        offset = np.array([[0.3], [-0.1]], np.float32)
        assert level_of(samples + offset, RATE).lufs == pytest.approx(level_of(samples, RATE).lufs, abs=0.01)
        assert level_of(np.zeros((2, 48_000), np.float32) + offset, RATE).is_silent

    @pytest.mark.parametrize("seconds", [0.02, 0.1, 0.39, 0.41])
    def test_what_is_shorter_than_a_block_has_a_loudness(self, seconds: float) -> None:
        assert level_of(tone(-23, seconds), RATE).lufs == pytest.approx(-23, abs=1)

    def test_silence_and_nothing(self) -> None:
        assert level_of(np.zeros((2, 48_000), np.float32), RATE).lufs == -math.inf
        assert level_of(np.zeros((1, 0), np.float32), RATE).is_silent

    def test_a_very_quiet_sound_is_measured_too(self) -> None:
        assert level_of(tone(-90), RATE).lufs == pytest.approx(-90, abs=0.1)

    def test_below_a_frequency(self) -> None:
        both = tone(-23, hz=500) + tone(-23, hz=12_000)
        assert level_of(both, RATE, below_hz=7_500).lufs == pytest.approx(
            level_of(tone(-23, hz=500), RATE).lufs, abs=0.1
        )

    def test_shares_tell_the_balance(self) -> None:
        samples = noise() * np.array([[1.0], [0.5]], np.float32)
        assert level_of(samples, RATE).shares == pytest.approx((0.8, 0.2), abs=0.01)


class TestSetLoudness:
    def test_what_has_room_is_only_scaled(self) -> None:
        samples = noise(level=0.01)
        raised = samples.copy()
        set_loudness(raised, -25.0, 1.0, RATE)
        assert level_of(raised, RATE).lufs == pytest.approx(-25, abs=0.05)
        assert np.allclose(raised / raised[0, 0], samples / samples[0, 0], rtol=1e-4)

    def test_peaks_give_way_and_the_rest_keeps_its_loudness(self) -> None:
        """Clicks 20 dB above a noise: turning all of it down would cost 15 dB and more."""
        samples = noise(level=0.02)
        samples[:, ::9_000] = 0.8
        set_loudness(samples, -14.0, 1.0, RATE)
        assert true_peak(samples, RATE) <= 1
        assert level_of(samples, RATE).lufs == pytest.approx(-14, abs=0.5)

    @pytest.mark.parametrize("lufs", [-20.0, -math.inf])
    def test_silence_stays_silence(self, lufs: float) -> None:
        silence = np.zeros((2, 10_000), np.float32)
        set_loudness(silence, lufs, 1.0, RATE)
        assert not silence.any()


class TestBalance:
    def test_channels_take_on_the_wanted_one(self) -> None:
        wanted = level_of(noise(2) * np.array([[1.0], [0.25]], np.float32), RATE)
        part = noise(1)
        part *= balancing_gains(level_of(part, RATE), wanted)
        assert level_of(part, RATE).shares == pytest.approx(wanted.shares, abs=0.01)

    def test_beside_a_silent_channel_the_part_is_silent(self) -> None:
        wanted = level_of(noise(2) * np.array([[1.0], [0.0]], np.float32), RATE)
        assert balancing_gains(level_of(noise(1), RATE), wanted)[1, 0] == 0

    def test_silence_has_no_balance(self) -> None:
        silence = level_of(noise() * 0, RATE)
        assert balancing_gains(level_of(noise(), RATE), silence).tolist() == [[1], [1]]
        assert balancing_gains(silence, level_of(noise(), RATE)).tolist() == [[1], [1]]
