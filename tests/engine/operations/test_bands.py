"""Band splitting: in place, complete, and deep."""

import numpy as np
import pytest
from scipy.signal import firwin, oaconvolve

from engine.operations.bands import keep_band


def tone(hz: float, rate: int = 48_000, size: int = 60_000) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(size) / rate)[None].astype(np.float32)


@pytest.mark.parametrize(
    ("low_hz", "high_hz", "passing", "stopped"),
    [(None, 7_500, 6_500, 8_500), (500, None, 700, 300), (200, 3_000, 1_000, 4_000), (0, 1_000, 20, 2_000)],
)
def test_tones_inside_pass_in_place_and_tones_outside_are_gone(
    low_hz: float | None, high_hz: float | None, passing: float, stopped: float
) -> None:
    inner = slice(5_000, -5_000)
    assert np.abs(keep_band(tone(passing), 48_000, low_hz, high_hz) - tone(passing))[:, inner].max() < 1e-3
    assert np.abs(keep_band(tone(stopped), 48_000, low_hz, high_hz))[:, inner].max() < 3e-6


def test_both_sides_open_is_everything() -> None:
    assert np.array_equal(keep_band(tone(100), 48_000, None, None), tone(100))
    assert np.array_equal(keep_band(tone(100), 48_000, None, 24_000), tone(100))


@pytest.mark.parametrize("size", [10, 1_000, 32_768, 100_003])
def test_any_length_keeps_its_length_and_its_number_format(size: int) -> None:
    noise = np.random.default_rng(0).standard_normal((2, size))
    assert keep_band(noise, 96_000, 50, 9_000).shape == (2, size)
    assert keep_band(noise, 96_000, 50, 9_000).dtype == np.float64
    assert keep_band(noise.astype(np.float32), 96_000, 50, 9_000).dtype == np.float32


def test_the_filter_is_the_textbook_one() -> None:
    """Against SciPy's window-method design and its own convolution, across several blocks."""
    noise = np.random.default_rng(0).standard_normal((2, 150_000))
    half = round(7.803 * 48_000 / 300 / 2)
    taps = firwin(2 * half + 1, 3_000, window=("kaiser", 12.2655), fs=48_000)
    expected = oaconvolve(noise, taps[None], mode="same", axes=1)

    filtered = keep_band(noise, 48_000, None, 3_000)

    assert np.allclose(filtered[:, half:-half], expected[:, half:-half], atol=1e-6)
