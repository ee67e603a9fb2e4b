"""Stereo: as wide as asked for, whole in mono, without holes; at width 0 nothing changes."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn.modules.module import register_module_forward_hook

from engine import Audio, Engine, Generate
from engine.errors import InvalidRequestError
from engine.operations.ambiences import AMBIENCES, EVENTS, natural_correlation
from engine.operations.generate import tries_at
from engine.operations.loudness import level_of
from engine.operations.progress import Progress, ProgressReporter
from engine.operations.stereo import correlation_of, place, spread
from engine.operations.width import FURTHEST
from engine.presets import TINY, build
from engine.sounds import SOUNDS
from engine.take_provenance import request_of

RATE = 16_000


def noise(seed: int, seconds: float = 5.0, slope: float = 1.0) -> np.ndarray:
    """Noise whose spectrum falls, and whose level goes up and down once a second or so."""
    rng = np.random.default_rng(seed)
    size = round(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(size))
    spectrum *= np.maximum(np.arange(len(spectrum)), 100) ** -slope
    waveform = np.fft.irfft(spectrum, size)
    swell = 1 + 0.7 * np.sin(2 * np.pi * (0.8 + 0.1 * seed) * np.arange(size) / RATE + seed)
    return (waveform * swell / np.abs(waveform).max() / 2).astype(np.float32)


def bands_db(waveform: np.ndarray, octaves: float = 0.5) -> np.ndarray:
    """Level of bands above 60 Hz, dB."""
    power = np.abs(np.fft.rfft(waveform.astype(np.float64))) ** 2
    hertz = np.fft.rfftfreq(len(waveform), 1 / RATE)
    edges = 62.5 * 2 ** np.arange(0, 7.01, octaves)
    return np.array([10 * np.log10(power[(hertz >= a) & (hertz < b)].sum()) for a, b in pairwise(edges)])


class TestSpread:
    @pytest.mark.parametrize("correlation", [0.2, 0.5, 0.8])
    def test_has_the_correlation_that_is_asked_for(self, correlation):
        stereo = spread(noise(1), noise(2), correlation, RATE)

        assert correlation_of(stereo) == pytest.approx(correlation, abs=0.08)
        assert 10 * np.log10(np.square(stereo[0]).sum() / np.square(stereo[1]).sum()) == pytest.approx(0, abs=1)

    @pytest.mark.parametrize("slope", [0.0, 0.5, 2.0])
    def test_sounds_in_mono_like_the_first_take_alone(self, slope):
        """Also where the second one has quite another spectrum."""
        first = noise(1)

        mono = spread(first, noise(2, slope=slope), 0.2, RATE).mean(axis=0)

        assert np.abs(bands_db(mono) - bands_db(first)).max() < 1.5
        assert level_of(mono[None], RATE).lufs == pytest.approx(level_of(first[None], RATE).lufs, abs=0.5)

    def test_has_no_hole_where_both_takes_are_one_sound_or_its_opposite(self):
        first = noise(1)
        for second in (first, -first, np.zeros_like(first), 0.1 * noise(2)):
            mono = spread(first, second, 0.2, RATE).mean(axis=0)
            assert np.abs(bands_db(mono) - bands_db(first)).max() < 1.5

    def test_of_pure_tones_stays_whole(self):
        time = np.arange(5 * RATE) / RATE
        tones = [sum(np.sin(2 * np.pi * hz * time + phase * hz) for hz in (220, 440, 880)) / 6 for phase in (0, 0.3)]
        first, second = (tone.astype(np.float32) for tone in tones)

        mono = spread(first, second, 0.3, RATE).mean(axis=0)

        assert 10 * np.log10(np.square(mono).sum() / np.square(first).sum()) == pytest.approx(0, abs=0.3)

    def test_follows_the_first_takes_silence(self):
        first, second = noise(1), noise(2)
        first[RATE : 3 * RATE] = 0

        stereo = spread(first, second, 0.2, RATE)

        assert np.abs(stereo[:, round(1.7 * RATE) : round(2.3 * RATE)]).max() < 1e-4
        assert np.isfinite(stereo).all()

    def test_of_a_long_sound_has_no_seam(self):
        """It is made in blocks of 20 s; around a border it is what it would be without."""
        first, second = noise(1, 44.0), noise(2, 44.0)
        whole, later = spread(first, second, 0.4, RATE), spread(first[8 * RATE :], second[8 * RATE :], 0.4, RATE)

        around = slice(19 * RATE, 21 * RATE)
        moved = slice(11 * RATE, 13 * RATE)
        assert np.abs(whole[:, around] - later[:, moved]).max() < 1e-4

    @pytest.mark.parametrize("size", [1, 100, 1023, 5000])
    def test_of_any_length(self, size):
        assert spread(noise(1)[:size], noise(2)[:size], 0.5, RATE).shape == (2, size)

    def test_of_silence_is_silence(self):
        silence = np.zeros(RATE, np.float32)
        assert not spread(silence, silence, 0.5, RATE).any()


class TestPlace:
    @pytest.mark.parametrize("position", [-0.6, 0.0, 0.6])
    def test_is_heard_on_its_side_and_in_mono_as_it_was(self, position):
        stereo = place(noise(1), position)

        assert np.allclose(stereo.mean(axis=0), noise(1), atol=1e-7)
        assert np.sign(np.square(stereo[1]).sum() - np.square(stereo[0]).sum()) == np.sign(position)


class TestKinds:
    def test_every_sound_of_the_corpus_has_a_width(self):
        known = {*AMBIENCES, *EVENTS}
        assert [name for name in SOUNDS if name.replace("_", " ") not in known] == []
        assert not set(AMBIENCES) & set(EVENTS)
        assert all(0.2 <= correlation <= 0.8 for correlation in AMBIENCES.values())

    @pytest.mark.parametrize(
        ("prompt", "kind"),
        [("heavy rain on a roof", "rain"), ("a strong wind", "wind"), ("waves at the beach", "ocean"), ("a dog", None)],
    )
    @torch.inference_mode()
    def test_words_are_matched_to_the_nearest(self, nano, prompt, kind):
        rendering = tries_at(nano._loaded(), Generate(prompt), ProgressReporter()).rendering

        assert natural_correlation(rendering.model, rendering.condition.wanted) == (
            None if kind is None else AMBIENCES[kind]
        )

    @torch.inference_mode()
    def test_a_model_reads_the_names_of_all_kinds_once(self):
        rendering = tries_at(build(TINY), Generate("rain"), ProgressReporter()).rendering
        used: list[torch.nn.Module] = []
        with register_module_forward_hook(lambda net, *_: used.append(net)):
            first = natural_correlation(rendering.model, rendering.condition.wanted)
            once = len(used)
            again = natural_correlation(rendering.model, rendering.condition.wanted)

        assert once > 0
        assert len(used) == once
        assert again == first


@pytest.fixture(scope="module")
def noisy() -> Engine:
    """A small model that takes every prompt for an ambience."""
    return Engine(build(TINY))


class TestTakes:
    def test_without_width_are_as_they_were(self, noisy):
        (take,) = noisy.run(Generate("rain", seconds=1, steps=2))
        (zero,) = noisy.run(Generate("rain", seconds=1, steps=2, width=0))

        assert take.num_channels == 1
        assert np.array_equal(take.samples, zero.samples)
        assert "width" not in take.story

    def test_of_events_are_the_mono_take_at_a_place(self, nano):
        given = {"seconds": 1, "steps": 2, "tries": 1, "candidates": 2}
        mono = nano.run(Generate("a dog barks", **given))
        stereo = nano.run(Generate("a dog barks", **given, width=1))

        for one, wide in zip(mono, stereo, strict=True):
            scale = np.abs(one.samples).max() / np.abs(wide.samples.mean(axis=0)).max()
            assert wide.num_channels == 2
            assert np.allclose(wide.samples.mean(axis=0) * scale, one.samples[0], atol=1e-5)
            assert correlation_of(wide.samples) > 0.999
        places = [np.square(take.samples).sum(axis=1) for take in stereo]
        shares = [left / (left + right) for left, right in places]
        assert shares[0] != pytest.approx(shares[1], abs=0.01)
        loudest = (1 + FURTHEST) ** 2 / ((1 + FURTHEST) ** 2 + (1 - FURTHEST) ** 2)
        assert all(1 - loudest <= share <= loudest for share in shares)

    @pytest.mark.parametrize("width", [0.5, 1.0])
    def test_of_an_ambience_are_wide_and_whole(self, nano, width):
        given = {"seconds": 2.56, "seed": 3, "tries": 1}
        (mono,) = nano.run(Generate("rain", **given))
        (wide,) = nano.run(Generate("rain", **given, width=width))

        assert correlation_of(wide.samples) == pytest.approx(1 - width * 0.8, abs=0.15)
        middle = wide.samples.mean(axis=0)
        assert level_of(middle[None], RATE).lufs == pytest.approx(level_of(mono.samples, RATE).lufs, abs=1.5)
        audible = bands_db(mono.samples[0]) > bands_db(mono.samples[0]).max() - 50
        assert np.abs(bands_db(middle) - bands_db(mono.samples[0]))[audible].max() < 1.5

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "prompt",
        ["rain", "wind", "ocean waves", "a stream", "a crowd", "applause", "a fire", "traffic", "bees", "bubbles"],
    )
    def test_of_ten_ambiences_are_neither_narrow_nor_torn_apart(self, nano, prompt):
        (mono,) = nano.run(Generate(prompt, seed=3, tries=1))
        (wide,) = nano.run(Generate(prompt, seed=3, tries=1, width=1))

        assert 0.15 < correlation_of(wide.samples) < 0.85
        middle, alone = bands_db(wide.samples.mean(axis=0), 1), bands_db(mono.samples[0], 1)
        assert np.abs(middle - alone)[alone > alone.max() - 50].max() < 4  # of sparse ones, such as a fire, the most

    def test_are_made_again_from_their_story(self, nano):
        (take,) = nano.run(Generate("rain", seconds=1, steps=2, width=0.7, seed=5))

        (again,) = nano.run(request_of(take.story, {}))

        assert take.story["width"] == 0.7
        assert np.array_equal(again.samples, take.samples)

    def test_are_the_same_together_in_windows_and_as_drafts(self, noisy):
        requests = [Generate(prompt, seconds=1, steps=2, width=1, candidates=2) for prompt in ("rain", "wind")]
        together = noisy.run_together(requests, [None, None], [None, None])
        for request, takes in zip(requests, together, strict=True):
            assert isinstance(takes, list)
            for one, other in zip(noisy.run(request), takes, strict=True):
                assert np.array_equal(one.samples, other.samples)
        for request in (Generate("rain", seconds=3.0, steps=1, width=1), Generate("rain", draft=True, width=1)):
            (take,) = noisy.run(request)
            assert take.num_channels == 2
            assert take.seconds == pytest.approx(request.seconds)

    def test_like_a_clip_are_as_loud_as_it(self, noisy):
        clip = Audio(np.stack([noise(4), noise(5)]) * np.float32(0.3), RATE)
        (take,) = noisy.run(Generate(like=clip, steps=1, seconds=2, width=1))

        assert level_of(take.samples, take.sample_rate).lufs == pytest.approx(
            level_of(clip.samples, RATE).lufs, abs=0.5
        )

    @pytest.mark.parametrize("width", [-0.1, 1.1, "wide", True])
    def test_have_a_width_from_0_to_1(self, width):
        with pytest.raises(InvalidRequestError, match="expected a number from 0 to 1"):
            replace(Generate("rain"), width=width)


@pytest.mark.parametrize("candidates", [1, 2])
def test_progress_moves_through_both_takes_of_an_ambience(candidates):
    news: list[Progress] = []
    request = Generate("rain", seconds=0.5, steps=4, seed=1, width=1, tries=1, candidates=candidates)

    Engine(build(TINY)).run(request, on_step=news.append)

    fractions = [one.fraction for one in news if one.step]
    assert len(fractions) == 8
    assert all(later > earlier for earlier, later in pairwise(fractions))
    assert max(one.fraction for one in news) <= 1
