"""Air: as loud as the surroundings' highs, moving with what lies below, never a copy, and none where there was none."""

import numpy as np
import pytest
import torch

from engine.operations.air import add_air, air_of
from engine.operations.bands import keep_band
from engine.operations.splice import rms

FROM_HZ = 7_500.0


def noise(rate: int = 48_000, seconds: float = 1.0, seed: int = 1, channels: int = 2, level: float = 0.1) -> np.ndarray:
    samples = np.random.default_rng(seed).standard_normal((channels, round(seconds * rate))) * level
    return samples.astype(np.float32)


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def dull(samples: np.ndarray, rate: int = 48_000) -> np.ndarray:
    return keep_band(samples, rate, None, FROM_HZ)


def with_air(part: np.ndarray, surroundings: np.ndarray, rate: int = 48_000, seed: int = 1) -> np.ndarray:
    result = part.copy()
    add_air(result, air_of([surroundings], rate, FROM_HZ), generator(seed))
    return result


def decibels(one: np.ndarray, other: np.ndarray) -> float:
    return 20 * np.log10(rms(one) / rms(other))


class TestLevel:
    @pytest.mark.parametrize("rate", [22_050, 32_000, 44_100, 48_000, 96_000, 192_000])
    def test_it_is_the_surroundings_in_every_band(self, rate: int) -> None:
        around = noise(rate)
        around += 2 * keep_band(noise(rate, seed=3), rate, FROM_HZ, 9_000)
        result = with_air(dull(noise(rate, seed=2), rate), around, rate)
        for low_hz, high_hz in ((8_500, 10_000), (10_000, 14_000), (14_000, 20_000), (30_000, 40_000)):
            if high_hz < rate / 2:
                bands = (keep_band(one, rate, low_hz, high_hz) for one in (result, around))
                assert decibels(*bands) == pytest.approx(0, abs=1.5)

    def test_below_the_models_end_nothing_is_added(self) -> None:
        part = dull(noise(seed=2))
        change = with_air(part, noise()) - part
        assert decibels(keep_band(change, 48_000, None, 6_500), change) < -40

    def test_where_an_encoder_left_nothing_there_is_nothing(self) -> None:
        change = with_air(dull(noise(seed=2)), keep_band(noise(), 48_000, None, 12_000)) - dull(noise(seed=2))
        assert decibels(keep_band(change, 48_000, 13_500, None), change) < -30

    @pytest.mark.parametrize("rate", [8_000, 11_025, 16_000])
    def test_low_rates_have_no_room_for_it(self, rate: int) -> None:
        part = noise(rate)
        assert np.array_equal(with_air(part, noise(rate, seed=2), rate), part)

    @pytest.mark.parametrize("around", [np.zeros((2, 24_000), np.float32), np.zeros((2, 0), np.float32)])
    def test_silent_surroundings_have_none(self, around: np.ndarray) -> None:
        part = dull(noise())
        assert np.array_equal(with_air(part, around), part)

    def test_a_silent_part_has_only_what_is_always_there(self) -> None:
        bursts = noise() * (np.arange(48_000) // 6_000 % 2 == 0)
        assert rms(with_air(np.zeros((2, 48_000), np.float32), bursts)) < 1e-4


class TestMovement:
    def test_it_moves_with_what_was_made_not_with_what_was_there(self) -> None:
        """Bursts at other places than the surroundings' own."""
        there, made = (np.arange(48_000) // 6_000 % 2 == parity for parity in (0, 1))
        result = with_air(dull(noise(seed=2)) * made, noise() * there)
        envelope = np.sqrt(np.square(keep_band(result, 48_000, 9_000, None)).reshape(2, -1, 1_200).mean(axis=2))[0]
        assert np.corrcoef(envelope, made[::1_200])[0, 1] > 0.8

    def test_a_steady_rest_goes_on(self) -> None:
        made = dull(noise(seed=2)) * (np.arange(48_000) < 24_000)
        result = keep_band(with_air(made, noise()), 48_000, 9_000, None)
        assert decibels(result[:, 30_000:-1_000], keep_band(noise(), 48_000, 9_000, None)) > -6


class TestCarrier:
    def test_the_seed_says_which_and_the_same_is_the_same(self) -> None:
        part = dull(noise(seed=2))
        one, same, other = (with_air(part, noise(), seed=seed) for seed in (1, 1, 2))
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)

    def test_equal_channels_stay_equal(self) -> None:
        around, part = (np.repeat(noise(seed=seed, channels=1), 2, axis=0) for seed in (1, 2))
        result = with_air(dull(part), around)
        assert np.array_equal(result[0], result[1])

    @pytest.mark.parametrize("likeness", [-1.0, 0.0, 0.6])
    def test_channels_are_as_alike_as_the_surroundings(self, likeness: float) -> None:
        around = noise(seconds=2)
        around[1] = likeness * around[0] + np.sqrt(1 - likeness**2) * around[1]
        change = with_air(dull(noise(seed=2)), around) - dull(noise(seed=2))
        assert np.corrcoef(change)[0, 1] == pytest.approx(likeness, abs=0.06)
