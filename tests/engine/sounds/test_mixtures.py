"""Mixtures: two sounds in one clip, their levels, their order in time, and what is said of them."""

import re

import numpy as np
import pytest

from engine.sounds import SOUNDS, captions, mixture_captions, render_mixture
from engine.sounds.captions import wordings
from engine.sounds.mixture_captions import HELD_OUT_PATTERNS, PATTERNS
from engine.sounds.mixtures import SCENES, loudness_db


@pytest.fixture(scope="module")
def mixtures():
    return [render_mixture(seed, 2.56) for seed in range(40)]


def of(relation, mixtures):
    found = [mixture for mixture in mixtures if mixture.relation == relation]
    assert found
    return found


def difference_db(mixture):
    first, second = (loudness_db(layer, mixture.sample_rate) for layer in mixture.layers)
    return first - second


class TestRenderMixture:
    @pytest.mark.parametrize(("seconds", "sample_rate"), [(1.0, 16000), (5.12, 16000), (2.0, 44100), (2.0, 48000)])
    def test_any_length_at_any_rate_is_finite_audible_and_bounded(self, seconds, sample_rate):
        for seed in range(6):
            waveform = render_mixture(seed, seconds, sample_rate).waveform
            assert waveform.dtype == np.float32
            assert waveform.shape == (round(seconds * sample_rate),)
            assert np.all(np.isfinite(waveform))
            assert 0.25 < np.max(np.abs(waveform)) <= 0.95

    def test_the_same_seed_gives_the_same_clip_and_another_seed_another(self):
        first, again, other = render_mixture(5, 1.0), render_mixture(5, 1.0), render_mixture(6, 1.0)
        assert np.array_equal(first.waveform, again.waveform)
        assert (first.caption, first.names, first.attributes) == (again.caption, again.names, again.attributes)
        assert not np.array_equal(first.waveform, other.waveform)

    def test_another_rate_keeps_what_is_heard(self):
        for seed in range(4):
            low, high = render_mixture(seed, 2.0, 16000), render_mixture(seed, 2.0, 48000)
            assert (low.names, low.attributes, low.relation) == (high.names, high.attributes, high.relation)

    def test_the_layers_are_two_different_sounds_and_add_up(self, mixtures):
        for mixture in mixtures:
            assert mixture.names[0] != mixture.names[1]
            assert np.allclose(mixture.layers.sum(axis=0), mixture.waveform, atol=1e-6)

    def test_a_background_lies_6_to_14_db_lower(self, mixtures):
        for mixture in of("behind", mixtures):
            assert 5.9 <= difference_db(mixture) <= 14.1

    def test_sounds_that_are_alike_in_level_lie_within_2_db(self, mixtures):
        for mixture in [*of("together", mixtures), *of("followed", mixtures)]:
            assert abs(difference_db(mixture)) <= 2.1

    def test_what_follows_begins_when_the_first_has_ended(self, mixtures):
        for mixture in of("followed", mixtures):
            first, second = (np.flatnonzero(layer) for layer in mixture.layers)
            assert first[-1] < second[0]
            assert 0.3 < second[0] / len(mixture.waveform) < 0.65

    def test_a_level_of_its_own_is_not_claimed(self, mixtures):
        assert not any("level" in attributes for mixture in mixtures for attributes in mixture.attributes)


class TestScenes:
    def test_every_scene_offers_beds_and_events_that_exist(self):
        for scene in SCENES:
            assert len(scene.beds) >= 2
            assert len(scene.events) >= 5
            assert {*scene.beds, *scene.events} <= set(SOUNDS)
            assert not set(scene.beds) & set(scene.events)


ATTRIBUTES = ({"speed": "fast", "count": "twice"}, {"intensity": "heavy"})


class TestMixtureCaptions:
    @pytest.mark.parametrize("held_out", [False, True])
    def test_the_same_seed_gives_the_same_captions(self, held_out):
        first, again, other = (
            mixture_captions(("dog", "rain"), ATTRIBUTES, "behind", seed, 20, held_out=held_out) for seed in (4, 4, 5)
        )
        assert first == again
        assert first != other

    @pytest.mark.parametrize("held_out", [False, True])
    def test_name_both_sounds_without_marks_and_with_right_articles(self, held_out):
        for relation in PATTERNS:
            for caption in mixture_captions(("dog", "rain"), ATTRIBUTES, relation, 1, 100, held_out=held_out):
                assert re.search(r"dog|bark|pupp|woof", caption), caption
                assert re.search(r"rain|shower|downpour", caption), caption
                assert caption == caption.lower()
                assert not re.search(r"[|~*/{}]|  | ,|\ba [aeio]|\ban [^aeiou]", caption), caption

    def test_say_counts_and_attributes_of_each(self):
        spoken = mixture_captions(("dog", "rain"), ATTRIBUTES, "behind", 1, 300)
        assert any(re.search(r"two .*barks .*heavy.* in the background", caption) for caption in spoken)
        assert any(re.search(r"while (heavy )?rain (falls|is falling)", caption) for caption in spoken)

    def test_say_the_order_in_time(self):
        spoken = mixture_captions(("knock", "door_creak"), ({}, {}), "followed", 1, 300)
        for caption in spoken:
            knock, creak = re.search(r"knock", caption).start(), re.search(r"creak|squeak", caption).start()
            assert (knock > creak) == (" after " in caption), caption

    def test_patterns_of_training_and_held_out_ones_are_different(self):
        for relation, patterns in PATTERNS.items():
            assert len(HELD_OUT_PATTERNS[relation]) >= 3
            assert not set(patterns) & set(HELD_OUT_PATTERNS[relation])

    @pytest.mark.parametrize("relation", PATTERNS)
    def test_held_out_ones_never_occur_in_training(self, relation):
        for names in (("cat", "wind"), ("explosion", "glass"), ("coin", "laser")):
            training = set(mixture_captions(names, ({}, {}), relation, 1, 300))
            assert not training & set(mixture_captions(names, ({}, {}), relation, 1, 100, held_out=True))

    def test_every_pair_of_every_scene_can_be_said(self):
        for scene in SCENES:
            for first in scene.events:
                for second in scene.beds:
                    for relation in PATTERNS:
                        for held_out in (False, True):
                            assert mixture_captions((first, second), ({}, {}), relation, 1, 3, held_out=held_out)

    def test_in_training_contain_no_held_out_clause(self):
        for held_out_wording in wordings("rain", held_out=True):
            phrase = held_out_wording.replace(" | ", " ")
            spoken = mixture_captions(("dog", "rain"), ({}, {}), "together", 2, 200)
            assert not any(phrase in caption for caption in spoken)

    def test_a_sentence_may_stand_in_the_present(self):
        spoken = captions("dog", {}, 1, 300)
        assert "a dog barks" in spoken
        assert "dogs bark" in spoken
