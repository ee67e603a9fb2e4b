"""Envelopes and their likeness against librosa and SciPy; jumps that can be worked out by hand."""

import librosa
import numpy as np
import pytest
import scipy.stats

from engine.evaluation.contours import border_jump_db, envelope_likeness, loudness_envelope
from engine.evaluation.evaluation_errors import NotFiniteError, PairMissingError, TooFewClipsError
from engine.sounds import render


class TestEnvelope:
    def test_agrees_with_librosa(self) -> None:
        waveform = render("dog", 1, 2.0).waveform
        rms = librosa.feature.rms(y=waveform, frame_length=640, hop_length=160, center=True, pad_mode="constant")[0]
        level = 20 * np.log10(np.maximum(rms, 1e-6))

        envelope = loudness_envelope(waveform, 16_000)

        assert envelope.shape == (200,)
        assert envelope == pytest.approx(np.maximum(level, level.max() - 60)[:200], abs=0.05)

    def test_silence_is_flat(self) -> None:
        assert loudness_envelope(np.zeros(1600, np.float32), 16_000).std() == 0

    def test_values_that_are_not_numbers_are_refused(self) -> None:
        with pytest.raises(NotFiniteError, match="loudness was to be followed holds 1600"):
            loudness_envelope(np.full(1600, np.inf, np.float32), 16_000)


class TestLikeness:
    SOURCES = np.random.default_rng(1).standard_normal((4, 50))
    RESULTS = SOURCES + 0.7 * np.random.default_rng(2).standard_normal((4, 50))

    def test_is_the_mean_of_pearsons_correlations(self) -> None:
        table = [[scipy.stats.pearsonr(result, source)[0] for source in self.SOURCES] for result in self.RESULTS]

        own, chance = envelope_likeness(list(self.SOURCES), list(self.RESULTS))

        assert own == pytest.approx(np.mean(np.diag(table)))
        assert chance == pytest.approx(np.mean([table[i][j] for i in range(4) for j in range(4) if i != j]))

    def test_what_does_not_move_is_like_nothing(self) -> None:
        assert envelope_likeness([np.zeros(9), np.arange(9.0)], [np.arange(9.0), np.ones(9)]) == pytest.approx((0, 0.5))

    def test_a_missing_partner_is_named(self) -> None:
        with pytest.raises(PairMissingError, match="clip 3"):
            envelope_likeness(list(self.SOURCES), list(self.RESULTS[:3]))

    def test_one_pair_has_no_others(self) -> None:
        with pytest.raises(TooFewClipsError, match="at least 2"):
            envelope_likeness([np.arange(9.0)], [np.arange(9.0)])


class TestJump:
    def test_a_tenth_of_the_level_is_twenty_decibels(self) -> None:
        clip = np.concatenate([np.full(2000, 0.5), np.full(2000, 0.05)]).astype(np.float32)

        assert border_jump_db(clip, 16_000, 2000) == pytest.approx(20, abs=1e-3)
        assert border_jump_db(clip[::-1], 16_000, 2000) == pytest.approx(20, abs=1e-3)
        assert border_jump_db(clip, 16_000, 1000) == pytest.approx(0, abs=1e-3)

    def test_silence_counts_as_a_floor(self) -> None:
        clip = np.concatenate([np.ones(2000), np.zeros(2000)]).astype(np.float32)

        assert border_jump_db(clip, 16_000, 2000) == pytest.approx(80, abs=1e-3)

    def test_the_ends_of_a_clip_have_one_side(self) -> None:
        assert border_jump_db(np.ones(2000, np.float32), 16_000, 0) == pytest.approx(80, abs=1e-3)
