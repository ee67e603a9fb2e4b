"""Inpaint: exactly the regions change, over every format of file; the model hears what surrounds them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from engine import Audio, Engine, Generate, Inpaint, InvalidRequestError
from engine.diffusion.path import CLEAN, NoiseLevel
from engine.operations.bands import keep_band
from engine.operations.condition import condition_of
from engine.operations.loudness import level_of
from engine.operations.masks import MaskedSpan, imposing, observed_cells, reaching
from engine.operations.mel_rendering import MelRendering
from engine.operations.progress import ProgressReporter
from engine.operations.splice import rms


def noise_clip(seconds: float = 1.0, rate: int = 48_000, channels: int = 1, level: float = 0.1) -> Audio:
    shape = (channels, round(seconds * rate))
    return Audio((np.random.default_rng(3).standard_normal(shape) * level).astype(np.float32), rate)


def untouched(clip: Audio, *regions: tuple[float, float]) -> np.ndarray:
    """bool [T]: what lies outside the regions."""
    mask = np.ones(clip.num_samples, bool)
    for start_s, end_s in regions:
        mask[round(start_s * clip.sample_rate) : round(end_s * clip.sample_rate)] = False
    return mask


class TestExactness:
    @pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
    @pytest.mark.parametrize("channels", [1, 2], ids=["mono", "stereo"])
    @pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
    def test_through_files_everything_else_is_bit_identical(
        self, tiny: Engine, tmp_path: Path, rate: int, channels: int, subtype: str
    ) -> None:
        noise = np.random.default_rng(2).uniform(-0.9, 0.9, (round(0.5 * rate), channels))
        soundfile.write(tmp_path / "clip.wav", noise, rate, subtype=subtype)
        request = Inpaint(Audio.read(tmp_path / "clip.wav"), "glass breaks", regions=[(0.2, 0.3)], steps=1)

        tiny.run(request)[0].write(tmp_path / "take.wav")

        info = soundfile.info(tmp_path / "take.wav")
        assert (info.samplerate, info.channels, info.frames) == (rate, channels, len(noise))
        assert info.subtype == {"PCM_16": "PCM_24"}.get(subtype, subtype)
        before, after = (
            soundfile.read(tmp_path / name, dtype="float64", always_2d=True)[0] for name in ("clip.wav", "take.wav")
        )
        outside = untouched(request.clip, (0.2, 0.3))
        assert np.array_equal(before[outside], after[outside])
        assert (before[~outside] != after[~outside]).mean() > 0.99

    def test_several_regions_near_and_far(self, tiny: Engine) -> None:
        """Two share what the model hears at once, the third is an excerpt of its own."""
        regions = [(0.2, 0.4), (0.6, 0.7), (3.0, 3.2)]
        clip = noise_clip(4.0, 22_050)
        (take,) = tiny.run(Inpaint(clip, "glass breaks", regions))
        outside = untouched(clip, *regions)
        assert np.array_equal(take.samples[:, outside], clip.samples[:, outside])
        assert (take.samples != clip.samples)[:, ~outside].mean() > 0.99

    @pytest.mark.parametrize("region", [(0.0, 0.3), (0.7, 1.0), (0.0, 1.0), (0.5, 0.52)])
    def test_regions_at_the_edges_the_whole_and_the_smallest(self, tiny: Engine, region: tuple[float, float]) -> None:
        clip = noise_clip()
        (take,) = tiny.run(Inpaint(clip, "glass breaks", [region]))
        outside = untouched(clip, region)
        assert take.samples.shape == clip.samples.shape
        assert np.array_equal(take.samples[:, outside], clip.samples[:, outside])
        assert not np.array_equal(take.samples, clip.samples)

    def test_a_clip_of_fifty_milliseconds(self, tiny: Engine) -> None:
        clip = noise_clip(0.05)
        (take,) = tiny.run(Inpaint(clip, "glass breaks", [(0.01, 0.04)]))
        assert np.array_equal(take.samples[:, :480], clip.samples[:, :480])

    def test_only_the_surroundings_are_computed(self, tiny: Engine) -> None:
        """In ten minutes of sound a short region takes as many steps and windows as in a few seconds."""
        calls = []
        clip = Audio(np.tile(noise_clip(1.0, 8_000).samples, 600), 8_000)
        request = Inpaint(clip, "glass breaks", [(300.0, 300.5)], steps=2)

        def should_stop() -> bool:
            calls.append(1)
            return False

        (take,) = tiny.run(request, should_stop=should_stop)

        outside = untouched(clip, (300.0, 300.5))
        assert np.array_equal(take.samples[:, outside], clip.samples[:, outside])
        assert len(calls) < 20

    def test_a_region_longer_than_a_window(self, tiny: Engine) -> None:
        clip = noise_clip(5.0, 16_000)
        (take,) = tiny.run(Inpaint(clip, "glass breaks", [(1.0, 4.0)], steps=2))
        outside = untouched(clip, (1.0, 4.0))
        assert np.array_equal(take.samples[:, outside], clip.samples[:, outside])


class TestObserved:
    def test_it_is_imposed_at_the_noise_level_that_was_reached(self) -> None:
        observed, noise, x = (torch.full((2, 3, 4, 1), value) for value in (2.0, 1.0, 7.0))
        keep = torch.tensor([True, False, False, True])[:, None]
        impose = imposing(observed, keep, lambda: noise)

        at_a_quarter, clean = impose(x, NoiseLevel(0.5, 0.75**0.5)), impose(x, CLEAN)

        assert at_a_quarter[0, 0, :, 0].tolist() == pytest.approx([0.5 * 2 + 0.75**0.5, 7, 7, 0.5 * 2 + 0.75**0.5])
        assert clean[0, 0, :, 0].tolist() == [2, 7, 7, 2]

    @pytest.mark.parametrize(("sampler", "is_fresh"), [("dpm++2m-sde", True), ("dpm++2m", False), ("ddim", False)])
    def test_a_sampler_that_adds_noise_meets_fresh_noise_on_what_is_known(
        self, tiny: Engine, sampler: str, is_fresh: bool
    ) -> None:
        model, request = tiny._loaded(), Generate("rain", sampler=sampler, steps=2)
        rendering = MelRendering(model, condition_of(model, "rain", request), request, ProgressReporter(), 16_000)
        start = rendering.noise()
        draw = rendering.observed_noise(start)

        draws = [draw(), draw()]

        assert torch.equal(draws[0], draws[1]) != is_fresh
        assert torch.equal(draws[0], start) != is_fresh

    def test_the_prompt_and_the_surroundings_both_matter(self, tiny: Engine) -> None:
        clip = noise_clip()
        other = replace(clip, samples=np.roll(clip.samples, 10_000))
        request = Inpaint(clip, "glass breaks", [(0.4, 0.6)])
        made = [
            tiny.run(one)[0].samples[:, 21_000:27_000]
            for one in (request, replace(request, prompt="rain"), replace(request, clip=other))
        ]
        assert not np.array_equal(made[0], made[1])
        assert not np.array_equal(made[0], made[2])


class TestBand:
    @pytest.mark.parametrize(("low_hz", "high_hz"), [(500.0, 2_000.0), (None, 1_000.0), (2_000.0, None)])
    def test_outside_the_band_the_region_keeps_its_sound(
        self, tiny: Engine, low_hz: float | None, high_hz: float | None
    ) -> None:
        clip, inner = noise_clip(), slice(22_000, 26_000)
        (take,) = tiny.run(Inpaint(clip, "glass breaks", [(0.4, 0.6)], low_hz=low_hz, high_hz=high_hz))

        change = take.samples - clip.samples
        in_band = keep_band(change, 48_000, low_hz and 0.8 * low_hz, high_hz and 1.25 * high_hz)
        assert np.array_equal(change[:, untouched(clip, (0.4, 0.6))], np.zeros((1, 38_400)))
        assert rms(change[:, inner]) > 0.005
        assert rms((change - in_band)[:, inner]) < 0.02 * rms(change[:, inner])

    def test_each_region_may_have_its_own(self, tiny: Engine) -> None:
        """Two in one moment, one of its own, one in all frequencies; elsewhere not one bit changes."""
        clip = noise_clip(2.0)
        regions = [(0.2, 0.6, None, 500), (0.2, 0.6, 2_000, 3_000), (0.8, 1.2, 4_000, 6_000), (1.5, 1.8)]
        (take,) = tiny.run(Inpaint(clip, "glass breaks", regions))

        change = take.samples - clip.samples
        outside = untouched(clip, *(region[:2] for region in regions))
        assert np.array_equal(change[:, outside], np.zeros((1, outside.sum())))
        for (start, end), changed, unchanged in (
            ((0.25, 0.55), [(None, 400), (2_100, 2_900)], [(700, 1_700), (3_500, 20_000)]),
            ((0.85, 1.15), [(4_200, 5_800)], [(None, 3_500), (6_700, 20_000)]),
            ((1.55, 1.75), [(None, 2_000), (2_000, 7_000)], []),
        ):
            inner = slice(round(start * 48_000), round(end * 48_000))
            for band in changed:
                assert rms(keep_band(change, 48_000, *band)[:, inner]) > 0.003
            for band in unchanged:
                assert rms(keep_band(change, 48_000, *band)[:, inner]) < 0.02 * rms(change[:, inner])
        assert take.story["regions"][1] == [0.2, 0.6, 2_000.0, 3_000.0]
        assert take.story["regions"][0] == [0.2, 0.6, None, 500.0]
        assert take.story["regions"][3] == [1.5, 1.8]

    def test_one_band_for_all_is_the_same_as_that_band_for_each(self, tiny: Engine) -> None:
        common = Inpaint(noise_clip(), "glass breaks", [(0.1, 0.3), (0.6, 0.8)], low_hz=500, high_hz=2_000)
        own = Inpaint(common.clip, "glass breaks", [(0.1, 0.3, 500, 2_000), (0.6, 0.8, 500, 2_000)])
        assert np.array_equal(tiny.run(common)[0].samples, tiny.run(own)[0].samples)

    def test_air_is_kept_where_that_is_wanted(self, tiny: Engine) -> None:
        clip, inner = noise_clip(), slice(22_000, 26_000)
        changes = [
            tiny.run(Inpaint(clip, "glass breaks", [(0.4, 0.6)], keep_air=keep_air))[0].samples - clip.samples
            for keep_air in (False, True)
        ]
        new, kept = (rms(keep_band(change, 48_000, 9_000, None)[:, inner]) for change in changes)
        assert new > 0.05
        assert kept < 0.001

    def test_cells_are_those_that_reach_into_the_band(self, tiny: Engine) -> None:
        model = tiny._loaded()
        bands: list[tuple[float | None, float | None]] = [(None, None), (None, 200), (4_000, None)]
        cells = [~observed_cells(model, 4, [MaskedSpan(0, 2_560, *band)])[0] for band in bands]
        assert [column.sum() for column in cells] == [16, 2, 4]
        assert cells[1][:2].all()
        assert cells[2][-4:].all()
        assert reaching(model.config.mel, 4_000, None).sum() == 15

    def test_a_band_above_all_that_can_be_made_is_refused(self, tiny: Engine) -> None:
        with pytest.raises(InvalidRequestError, match=r"low_hz is 9000; expected less than 8000"):
            tiny.run(Inpaint(noise_clip(), "glass breaks", [(0.4, 0.6)], low_hz=9_000))


class TestLoudness:
    @pytest.mark.parametrize("level", [0.02, 0.06])
    def test_it_is_the_neighbourhoods(self, tiny: Engine, level: float) -> None:
        clip = noise_clip(level=level)
        (take,) = tiny.run(Inpaint(clip, "glass breaks", [(0.3, 0.7)]))
        assert rms(take.samples[:, 16_000:32_000]) == pytest.approx(level, rel=0.35)

    def test_it_is_that_of_what_was_there(self, tiny: Engine) -> None:
        """A part a little softer than its surroundings stays softer; one of very high peaks is as loud as it was."""
        for level in (0.5, 3.0):
            clip = noise_clip(level=0.1)
            samples = clip.samples.copy()
            samples[:, 14_400:33_600] *= 0.6
            samples = np.clip(samples * level, -1, 1)
            (take,) = tiny.run(Inpaint(replace(clip, samples=samples), "glass breaks", [(0.3, 0.7)]))
            made, was = (level_of(one[:, 14_400:33_600], 48_000).lufs for one in (take.samples, samples))
            assert made == pytest.approx(was, abs=1.5)

    @pytest.mark.parametrize("gain", [10.0, 0.001], ids=["an event", "a gap"])
    def test_of_an_event_or_a_gap_it_is_the_neighbourhoods(self, tiny: Engine, gain: float) -> None:
        clip = noise_clip(level=0.03)
        samples = clip.samples.copy()
        samples[:, 14_400:33_600] *= gain
        (take,) = tiny.run(Inpaint(replace(clip, samples=samples), "glass breaks", [(0.3, 0.7)]))
        made, around = (level_of(one[:, 16_000:32_000], 48_000).lufs for one in (take.samples, clip.samples))
        assert made == pytest.approx(around, abs=2)

    @pytest.mark.parametrize(("prompt", "change_lu"), [("a dog barks", 0.0), ("light rain", -20.0)])
    def test_an_event_makes_way_for_another_as_loud_but_an_ambience_closes_over_it(
        self, nano: Engine, prompt: str, change_lu: float
    ) -> None:
        clip = noise_clip(level=0.03)
        samples = clip.samples.copy()
        samples[:, 14_400:33_600] *= 10
        (take,) = nano.run(Inpaint(replace(clip, samples=samples), prompt, [(0.3, 0.7)], seed=1, steps=4))
        made, was = (level_of(one[:, 16_000:32_000], 48_000).lufs for one in (take.samples, samples))
        assert made - was == pytest.approx(change_lu, abs=2.5)

    def test_in_silence_it_is_the_models_own(self, tiny: Engine) -> None:
        clip = Audio(np.zeros((2, 48_000), np.float32), 48_000)
        (take,) = tiny.run(Inpaint(clip, "glass breaks", [(0.3, 0.7)]))
        assert np.isfinite(take.samples).all()
        assert np.array_equal(take.samples[0], take.samples[1])
        assert rms(take.samples[:, :14_400]) == 0

    def test_nothing_wraps_or_clips(self, tiny: Engine) -> None:
        square = np.where(np.arange(48_000) // 40 % 2, 1.0, -1.0)[None].astype(np.float32)
        (take,) = tiny.run(Inpaint(Audio(square, 48_000, encoding="PCM_16"), "glass breaks", [(0.3, 0.7)]))
        assert take.peak <= 1


class TestOffset:
    def test_every_region_rests_on_the_clips(self, tiny: Engine) -> None:
        """Several regions, at a start and inside, in all frequencies and in bands; each channel has its own offset."""
        noise = np.repeat(noise_clip(2.0).samples, 2, axis=0)
        offsets = np.array([[0.25], [-0.1]], np.float32)
        regions = [(0.0, 0.3), (0.5, 0.7), (0.9, 1.3, None, 2_000), (1.5, 1.8, 500, None)]
        (take,) = tiny.run(Inpaint(Audio(noise + offsets, 48_000), "glass breaks", regions))
        means = take.samples.reshape(2, 20, 4_800).mean(axis=2)
        assert np.abs(means - offsets).max() < 0.03


class TestAir:
    @pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000])
    def test_no_region_is_a_dull_hole(self, tiny: Engine, rate: int) -> None:
        clip = noise_clip(2.0, rate)
        (take,) = tiny.run(Inpaint(clip, "glass breaks", [(0.5, 0.9), (1.2, 1.6)]))
        for start_s, end_s in ((0.55, 0.85), (1.25, 1.55)):
            inner = slice(round(start_s * rate), round(end_s * rate))
            made, was = (rms(keep_band(one.samples, rate, 9_000, None)[:, inner]) for one in (take, clip))
            assert 20 * np.log10(made / was) == pytest.approx(0, abs=3)

    def test_of_a_removed_cough_nothing_hisses_on(self, tiny: Engine) -> None:
        clip = noise_clip(2.0, level=0.02)
        samples = clip.samples.copy()
        samples[:, 40_000:56_000] *= 20
        (take,) = tiny.run(Inpaint(replace(clip, samples=samples), "room", [(40_000 / 48_000, 56_000 / 48_000)]))
        made, around = (
            rms(keep_band(one, 48_000, 9_000, None)[:, 42_000:54_000]) for one in (take.samples, clip.samples)
        )
        assert 20 * np.log10(made / around) == pytest.approx(0, abs=3)

    def test_in_a_low_band_there_is_none(self, tiny: Engine) -> None:
        clip = noise_clip()
        (take,) = tiny.run(Inpaint(clip, "wind", [(0.3, 0.7)], high_hz=2_000))
        assert rms(keep_band(take.samples - clip.samples, 48_000, 8_000, None)[:, 17_000:31_000]) < 1e-5


class TestTakes:
    def test_candidates_are_ranked_repeatable_and_independent(self, tiny: Engine) -> None:
        request = Inpaint(noise_clip(2.5), "glass breaks", [(0.4, 0.6), (2.0, 2.2)], candidates=3)
        takes, again = tiny.run(request), tiny.run(request)
        (fewer,) = (take for take in takes if take.story["candidate"] == 1)
        (alone,) = tiny.run(replace(request, candidates=1))

        scores = [take.story["score"] for take in takes]
        assert scores == sorted(scores, reverse=True)
        assert all(np.array_equal(one.samples, other.samples) for one, other in zip(takes, again, strict=True))
        assert np.array_equal(alone.samples, fewer.samples)

    def test_the_story_has_what_was_asked(self, tiny: Engine) -> None:
        (take,) = tiny.run(Inpaint(noise_clip(), "glass breaks", [(0.4, 0.6)], low_hz=100))
        assert take.story["operation"] == "inpaint"
        assert take.story["regions"] == [[0.4, 0.6]]
        assert take.story["low_hz"] == 100
        assert "high_hz" not in take.story
        assert take.story["keep_air"] is False
