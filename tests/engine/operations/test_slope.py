"""A new band held to its clip's slope: no tone, no hiss, nothing in pauses; what follows the slope passes."""

import numpy as np
import pytest

from engine.operations.bands import keep_band
from engine.operations.slope import held_to_slope
from engine.operations.splice import rms

RATE, CUTOFF_HZ = 44_100, 4_000.0


def noise(seed: int, size: int = RATE, channels: int = 1, level: float = 0.1) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((channels, size)) * level).astype(np.float32)


def below(samples: np.ndarray) -> np.ndarray:
    return keep_band(samples, RATE, None, CUTOFF_HZ)


def above(samples: np.ndarray) -> np.ndarray:
    return keep_band(samples, RATE, CUTOFF_HZ, 8_000)


def tone(hz: float, level: float = 0.1) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE))[None].astype(np.float32)


def held_db(made: np.ndarray, source: np.ndarray) -> float:
    """By how much the new band is turned down."""
    held = held_to_slope(made, source, RATE, CUTOFF_HZ)
    return 20 * np.log10(max(rms(held), 1e-12) / rms(made))


class TestSlope:
    def test_noise_that_goes_on_passes(self) -> None:
        assert held_db(above(noise(2)), below(noise(1))) == pytest.approx(0, abs=1)

    def test_louder_than_that_it_is_brought_down(self) -> None:
        held = held_to_slope(above(noise(2, level=1.0)), below(noise(1)), RATE, CUTOFF_HZ)
        assert 20 * np.log10(rms(held) / rms(above(noise(2)))) == pytest.approx(2, abs=2)

    def test_a_dull_sound_gets_no_hiss(self) -> None:
        """Falling by 24 dB an octave, the band above may lie 24 dB below the octave under the cutoff, not beside it."""
        spectrum = np.fft.rfft(noise(1)) * (1_000 / np.maximum(np.fft.rfftfreq(RATE, 1 / RATE), 1_000)) ** 4
        dull = np.fft.irfft(spectrum, RATE).astype(np.float32)
        lost = rms(above(dull))
        held = held_to_slope(above(noise(2)), below(dull), RATE, CUTOFF_HZ)
        assert 20 * np.log10(rms(held) / lost) < 8

    def test_in_a_pause_nothing_sounds(self) -> None:
        pause = slice(20_000, 40_000)
        source = below(noise(1))
        source[:, pause] = 0
        held = held_to_slope(above(noise(2)), source, RATE, CUTOFF_HZ)
        assert rms(held[:, 22_000:38_000]) < 1e-4 * rms(held[:, :18_000])

    def test_channels_have_slopes_of_their_own(self) -> None:
        source = below(noise(1, channels=2)) * np.array([[1.0], [0.01]], np.float32)
        held = held_to_slope(above(noise(2, channels=2)), source, RATE, CUTOFF_HZ)
        assert rms(held[1]) < 0.03 * rms(held[0])


class TestTones:
    def test_noise_gets_none(self) -> None:
        """A whine as loud as all of the noise is brought down to the noise's own unevenness."""
        whine = tone(5_500, level=0.05)
        held = held_to_slope(whine, below(noise(1)), RATE, CUTOFF_HZ)
        assert 20 * np.log10(rms(held) / rms(whine)) < -12

    def test_a_low_note_gets_none(self) -> None:
        assert held_db(tone(5_500), below(tone(400) + noise(1, level=1e-5))) < -50

    def test_clicks_get_none_between_them(self) -> None:
        clicks = np.zeros((1, RATE), np.float32)
        clicks[0, ::11_025] = 1.0
        held = held_to_slope(tone(5_500), below(clicks), RATE, CUTOFF_HZ)
        assert rms(held) < 0.1 * rms(tone(5_500))
        assert rms(held[:, 3_000:8_000]) < 1e-3

    def test_overtones_that_go_on_pass(self) -> None:
        """Overtones falling by 6 dB an octave below the cutoff and above."""
        notes = [tone(500 * k, level=0.1 / k) for k in range(1, 16)]
        assert held_db(sum(notes[8:]), below(sum(notes[:8]))) > -3
