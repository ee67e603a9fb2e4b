"""Splicing: constant power, limited peaks, and not one bit changed outside."""

import numpy as np
import pytest

from engine.operations.limiter import true_peak
from engine.operations.splice import FULL_SCALE, crossfade, limit_peak, overlay, rms, splice

RATE = 48_000


def noise(seed: int, size: int = 48_000, channels: int = 2, level: float = 0.1) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((channels, size)) * level).astype(np.float32)


class TestCrossfade:
    def test_unrelated_sounds_keep_their_power(self) -> None:
        """Averaged over many fades, the power at every point is the same within 8 %."""
        faded = np.stack([crossfade(noise(2 * k, 100, 20), noise(2 * k + 1, 100, 20)) for k in range(200)])
        power = np.square(faded).mean(axis=(0, 1))
        assert power == pytest.approx(0.01, rel=0.08)

    def test_a_sound_faded_into_itself_stays_itself(self) -> None:
        sound = noise(1, 1_000)
        assert np.abs(crossfade(sound, sound) - sound).max() < 1e-6

    def test_full_scale_is_never_exceeded(self) -> None:
        """Two full-scale squares that agree half of the time would add up to more."""
        old = np.where(np.arange(1_000) % 2, 1.0, -1.0)[None]
        new = np.where(np.arange(1_000) % 4 < 2, 1.0, -1.0)[None]
        assert np.abs(crossfade(old, new)).max() > 1.2
        assert np.abs(crossfade(old, new, FULL_SCALE)).max() <= 1

    def test_silence_on_either_side(self) -> None:
        sound, silence = noise(1, 100), np.zeros((2, 100), np.float32)
        assert rms(crossfade(silence, silence)) == 0
        assert np.isfinite(crossfade(silence, sound)).all()


class TestSplice:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
    @pytest.mark.parametrize(
        ("start", "size"), [(10_000, 20_000), (0, 5_000), (28_000, 20_000), (47_040, 960), (0, 48_000)]
    )
    def test_outside_nothing_changes(self, dtype: type, start: int, size: int) -> None:
        samples = noise(1).astype(dtype)

        result = splice(samples, noise(2, size), start, RATE)

        outside = np.ones(48_000, bool)
        outside[start : start + size] = False
        assert result.dtype == dtype
        assert np.array_equal(result[:, outside], samples[:, outside])
        assert not np.array_equal(result[:, ~outside], samples[:, ~outside])

    def test_the_middle_of_the_part_is_the_part(self) -> None:
        part = noise(2, 20_000)
        assert np.array_equal(splice(noise(1), part, 10_000, RATE)[:, 11_440:28_560], part[:, 1_440:-1_440])

    def test_a_part_as_long_as_the_clip_is_the_result(self) -> None:
        """The clip, which may last ten minutes, is not copied for it; neither is changed."""
        clip, part = noise(1), noise(2)
        assert np.array_equal(splice(clip, part, 0, RATE), part)
        assert np.array_equal(clip, noise(1))
        assert np.abs(splice(clip, 20 * part, 0, RATE)).max() <= 1

    def test_there_is_no_step_at_the_borders(self) -> None:
        """A slow wave spliced into another one of opposite sign moves no faster than a 30 ms fade has to."""
        wave = 0.5 * np.cos(2 * np.pi * 5 * np.arange(48_000) / RATE)[None].astype(np.float32)
        result = splice(wave, -wave[:, 10_000:30_000], 10_000, RATE)
        assert np.abs(np.diff(result)).max() < 3 * np.abs(np.diff(wave)).max() + np.pi / 2 / 1_440

    def test_peaks_of_a_part_are_limited_and_the_rest_stays_as_loud(self) -> None:
        part = noise(2, 20_000)
        part[:, 10_000] = 4.0
        result = splice(noise(1), part, 10_000, RATE)[:, 11_440:28_560]
        assert true_peak(result, RATE) <= 1
        assert np.array_equal(result[:, :8_000], part[:, 1_440:9_440])
        assert rms(result[:, -2_000:]) == pytest.approx(rms(part[:, -3_440:-1_440]), rel=0.15)

    def test_a_float_clip_beyond_full_scale_keeps_its_headroom(self) -> None:
        samples = noise(1, level=1.0)
        part = noise(2, 20_000, level=1.0) * 0.9
        limit = float(np.abs(samples).max())
        assert limit > 3
        assert np.abs(splice(samples, part, 10_000, RATE)).max() <= limit

    def test_short_parts_have_short_fades(self) -> None:
        part = noise(2, 960)
        assert np.array_equal(splice(noise(1), part, 10_000, RATE)[:, 10_240:10_720], part[:, 240:-240])


class TestLimitPeak:
    def test_all_is_turned_down(self) -> None:
        part = noise(1, level=1.0)
        assert np.allclose(limit_peak(part), part / np.abs(part).max(), atol=1e-6)
        assert np.array_equal(limit_peak(part * 0.01), part * np.float32(0.01))
        assert rms(limit_peak(np.zeros((1, 0), np.float32))) == 0


def test_a_hole_is_filled_from_its_very_edges() -> None:
    """Where the clip breaks off the fades last 10 ms; out of sound, or of silence that lasts, 30."""
    clip, part = noise(1), noise(2, 10_000)
    holed = clip.copy()
    holed[:, 20_000:30_000] = 0
    for samples, fade in ((clip, 1_440), (holed, 480), (clip * 0, 1_440)):
        new = splice(samples, part, 20_000, RATE)[:, 20_000:30_000]
        assert np.array_equal(new[:, fade:-fade], part[:, fade:-fade])
        assert (new[:, :fade] != part[:, :fade]).mean() > 0.9
        assert (new[:, -fade:] != part[:, -fade:]).mean() > 0.9


class TestOverlay:
    def test_outside_nothing_changes_and_inside_both_sound(self) -> None:
        under, added = noise(1), noise(2, 10_000)
        result = overlay(under, added, 20_000, RATE)
        assert np.array_equal(result[:, :20_000], under[:, :20_000])
        assert np.array_equal(result[:, 30_000:], under[:, 30_000:])
        inner = slice(21_440, 28_560)
        assert np.array_equal(result[:, inner], (under[:, 20_000:30_000] + added)[:, 1_440:-1_440])

    def test_its_ends_fade_inside_the_clip_only(self) -> None:
        under, added = np.zeros((1, 10_000), np.float32), np.full((1, 10_000), 0.5, np.float32)
        whole, part = overlay(under, added, 0, RATE), overlay(under, added[:, :5_000], 2_000, RATE)
        assert np.array_equal(whole, added)
        assert np.abs(np.diff(part)).max() < 0.001

    @pytest.mark.parametrize("level", [0.1, 0.5, 2.0])
    def test_only_what_is_added_gives_way_at_full_scale(self, level: float) -> None:
        under = np.sin(np.arange(48_000) / 30)[None].astype(np.float32) * np.linspace(0, 1, 48_000, dtype=np.float32)
        result = overlay(under, noise(3, channels=1, level=level), 0, RATE)
        assert np.abs(result).max() <= FULL_SCALE
        assert rms((result - under)[:, :2_000]) > 0.05 * min(level, 1)

    def test_a_clip_beyond_full_scale_may_stay_there(self) -> None:
        under = noise(1, level=0.6)
        result = overlay(under, noise(2, level=0.6), 0, RATE)
        assert np.abs(result).max() <= np.abs(under).max()
