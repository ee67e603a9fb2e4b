"""What lies beside a region, and the offset that it rests on."""

import numpy as np
import pytest

from engine.operations.surroundings import beside, offset_line

RATE = 8_000


def sound(seconds: float = 3.0) -> np.ndarray:
    return (np.random.default_rng(1).standard_normal((2, round(seconds * RATE))) * 0.1).astype(np.float32)


class TestBeside:
    def test_half_a_second_on_either_side(self) -> None:
        samples = sound()
        before, after = beside(samples, (8_000, 16_000), RATE)
        assert np.array_equal(before, samples[:, 4_000:8_000])
        assert np.array_equal(after, samples[:, 16_000:20_000])

    def test_without_other_regions_and_beyond_no_end(self) -> None:
        samples = sound()
        before, after = beside(samples, (1_000, 16_000), RATE, [(200, 600), (17_000, 40_000)])
        assert np.array_equal(before, samples[:, np.r_[:200, 600:1_000]])
        assert np.array_equal(after, samples[:, 16_000:17_000])


class TestOffset:
    def test_is_straight_from_side_to_side_for_each_channel(self) -> None:
        offsets = np.array([[0.2], [-0.1]], np.float32)
        sides = [sound(0.5) + offsets, sound(0.5) - offsets]
        line = offset_line(sides, sound(1.0), RATE)
        assert line[:, 0] == pytest.approx([0.2, -0.1], abs=0.01)
        assert line[:, -1] == pytest.approx([-0.2, 0.1], abs=0.01)
        assert np.abs(np.diff(line)).max() < 1e-4

    def test_at_an_end_it_is_the_one_sides(self) -> None:
        line = offset_line([sound(0.0), sound(0.5) + np.float32(0.3)], sound(), RATE)
        assert line[:, 0] == pytest.approx([0.3, 0.3], abs=0.01)

    def test_of_a_whole_it_is_its_own(self) -> None:
        own = sound() + np.float32(0.3)
        assert offset_line([own[:, :0], own[:, :0]], own, RATE)[:, 0] == pytest.approx(own.mean(axis=1), abs=1e-6)

    @pytest.mark.parametrize("hz", [30, 50, 110])
    def test_a_low_note_is_none(self, hz: float) -> None:
        note = np.sin(2 * np.pi * hz * np.arange(round(0.47 * RATE)) / RATE)[None].astype(np.float32)
        assert np.abs(offset_line([note, note], note, RATE)).max() < 0.005
