"""What brings decoded takes to a clip's loudness, brightness and pitch, on sounds whose curves are known."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.gesture import measure_curves, relative_curves
from engine.mel import LogMel, MelConfig
from engine.operations.contour import loudness_of
from engine.operations.performance import Performance, repitched

RATE, ROW = 16_000, 640
SECONDS = 2.0
ROWS = round(SECONDS * RATE / ROW)
MEL = MelConfig()

Waveform = NDArray[np.float32]


def noise(seconds: float = SECONDS) -> Waveform:
    return np.random.default_rng(1).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def tone(hertz: float | Waveform = 220.0, seconds: float = SECONDS) -> Waveform:
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hertz, round(seconds * RATE))) / RATE
    return (0.1 * sum(np.sin(k * phase) / k for k in range(1, 8))).astype(np.float32)


def curves(**known: torch.Tensor) -> torch.Tensor:
    """Curves [3, H] of which only some are known."""
    wanted = torch.full((3, ROWS), torch.nan)
    for place, name in enumerate(("loudness", "brightness", "pitch")):
        if name in known:
            wanted[place] = known[name]
    return wanted


def log_mel_of(waveform: Waveform) -> torch.Tensor:
    return LogMel(MEL)(torch.from_numpy(waveform[None]))[:, :, : ROWS * 4]


def pitch_of(waveform: Waveform) -> torch.Tensor:
    return measure_curves(torch.from_numpy(waveform[None]), RATE, ROW)[0, 2]


def correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    known = ~(one.isnan() | other.isnan())
    return float(torch.corrcoef(torch.stack([one[known], other[known]]))[0, 1])


class TestLoudness:
    swell = torch.sin(torch.linspace(0, math.pi, ROWS)) - 0.2  # from -0.2, 36 dB down, to 0.8 and back

    def test_noise_swells_with_the_clip(self) -> None:
        shaped = Performance(curves(loudness=self.swell)).shape(log_mel_of(noise()), MEL)
        by_row = loudness_of(shaped)[0].unflatten(0, (-1, 4)).mean(dim=1)
        assert correlation(by_row, self.swell) > 0.99
        assert float(by_row.max() - by_row.min()) > math.log(10) * 15 / 20  # three fifths of the swell's 30 dB

    def test_is_free_where_the_clip_has_ended(self) -> None:
        half = self.swell.clone()
        half[ROWS // 2 :] = torch.nan
        plain = log_mel_of(noise())
        shaped = Performance(curves(loudness=half)).shape(plain, MEL)
        assert torch.equal(shaped[:, :, 2 * ROWS :], plain[:, :, 2 * ROWS :])
        assert not torch.equal(shaped[:, :, : 2 * ROWS], plain[:, :, : 2 * ROWS])

    def test_silence_stays_silent(self) -> None:
        silent = torch.full((1, 1, 4 * ROWS, MEL.num_mels), math.log(MEL.floor))
        assert torch.equal(Performance(curves(loudness=self.swell)).shape(silent, MEL), silent)


class TestBrightness:
    def test_noise_becomes_brighter_and_stays_as_loud(self) -> None:
        plain, rise = log_mel_of(noise()), torch.linspace(-0.3, 0.3, ROWS)  # more than an octave
        shaped = Performance(curves(brightness=rise)).shape(plain, MEL)
        octaves = (shaped[0, 0].exp() * torch.arange(MEL.num_mels)).sum(1) / shaped[0, 0].exp().sum(1)
        by_row = octaves.unflatten(0, (-1, 4)).mean(dim=1)
        assert correlation(by_row, rise) > 0.95
        assert torch.allclose(loudness_of(shaped), loudness_of(plain), atol=0.3)

    def test_what_is_free_stays(self) -> None:
        plain = log_mel_of(noise())
        assert torch.equal(Performance(curves()).shape(plain, MEL), plain)


class TestPitch:
    @pytest.mark.parametrize("octaves", [-1.5, -0.5, 0.25, 1.0])
    def test_a_tone_is_moved_by_so_much_and_stays_as_loud_and_long(self, octaves: float) -> None:
        plain = tone()
        bent = repitched(plain, torch.full((ROWS,), octaves), RATE, ROW)
        assert bent.shape == plain.shape
        assert 2 ** float(pitch_of(bent).nanmedian()) == pytest.approx(220 * 2**octaves, rel=0.01)
        assert bent.std() == pytest.approx(plain.std(), rel=0.05)

    def test_no_tone_folds_back_from_half_the_rate(self) -> None:
        high = (0.1 * np.sin(2 * np.pi * 6_000 * np.arange(RATE) / RATE)).astype(np.float32)
        bent = repitched(high, torch.full((25,), 1.0), RATE, ROW)
        assert np.abs(bent[RATE // 4 : -RATE // 4]).max() < 0.001

    def test_a_tone_glides_where_the_clip_does(self) -> None:
        glide = torch.linspace(-0.25, 0.25, ROWS)  # an octave in all
        falling = tone(220 * 2 ** np.linspace(0.3, -0.3, round(SECONDS * RATE)).astype(np.float32))
        bent = Performance(curves(pitch=glide)).bend(falling, RATE, ROW)
        assert correlation(pitch_of(bent), glide) > 0.98
        measured = relative_curves(measure_curves(torch.from_numpy(bent[None]), RATE, ROW))[0, 2]
        assert float(measured.nan_to_num().max() - measured.nan_to_num().min()) == pytest.approx(0.5, abs=0.05)

    def test_what_has_no_pitch_stays_as_it_is(self) -> None:
        plain = noise()
        assert np.array_equal(Performance(curves(pitch=torch.linspace(-1, 1, ROWS))).bend(plain, RATE, ROW), plain)

    @pytest.mark.parametrize("samples", [1, 100, 640, 3_000])
    def test_short_sounds(self, samples: int) -> None:
        plain = tone(seconds=samples / RATE)
        bent = Performance(curves(pitch=torch.linspace(-1, 1, ROWS))).bend(plain, RATE, ROW)
        assert bent.shape == plain.shape
        assert np.isfinite(bent).all()
