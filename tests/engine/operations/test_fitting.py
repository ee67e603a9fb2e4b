"""Fitting a made part to its place: what bled into its ends leaves its loudness alone."""

import numpy as np
import pytest

from engine import Audio, Engine, Inpaint
from engine.operations.fitting import hush_ends
from engine.operations.loudness import level_of

RATE = 16_000


class TestEnds:
    def test_what_towers_over_the_rest_is_turned_down(self) -> None:
        part = (np.random.default_rng(0).standard_normal((2, RATE)) * 0.01).astype(np.float32)
        part[:, :400] *= 50
        kept = part.copy()
        hush_ends(part, 480, start=True, end=True)
        assert np.array_equal(part[:, 960:], kept[:, 960:])
        assert np.sqrt(np.square(part[:, :480]).mean()) <= 0.0205

    def test_where_nothing_fades_it_stays(self) -> None:
        part = (np.random.default_rng(0).standard_normal((1, RATE)) * 0.01).astype(np.float32)
        part[:, :400] *= 50
        kept = part.copy()
        hush_ends(part, 480, start=False, end=True)
        assert np.array_equal(part, kept)

    def test_a_gap_in_a_tone_is_filled_at_its_loudness(self, nano: Engine) -> None:
        tone = (0.3 * np.sin(2 * np.pi * 1_000 * np.arange(3 * RATE) / RATE)).astype(np.float32)[None]
        (take,) = nano.run(Inpaint(Audio(tone, RATE), "rain", regions=[(1.05, 1.95)], seed=7))
        made, was = (level_of(one[:, 16_800:31_200], RATE).lufs for one in (take.samples, tone))
        assert made == pytest.approx(was, abs=2)
