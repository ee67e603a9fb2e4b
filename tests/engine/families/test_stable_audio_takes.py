"""Stable Audio 3 behind the same requests: whole sounds and edits at several rates, the surroundings untouched."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import Audio, Engine, Generate, Inpaint, Restyle, Upscale, Vary
from engine.checkpoints.stable_audio import open_stable_audio
from engine.engine import EngineError
from engine.errors import CancelledError, CurvesMissingError, InvalidRequestError
from engine.families.stable_audio.stable_audio import StableAudio

RATE = 44_100


@pytest.fixture(scope="module", params=["authors, small", "diffusers, medium"])
def engine(request, small, medium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    written = small.write_authors(folder) if request.param == "authors, small" else medium.write_folder(folder)
    return Engine.load(written, "cpu")


@pytest.fixture(scope="module")
def short_windows(small, tmp_path_factory):
    """The same model as if it had been trained on nothing longer than 20 ms."""
    opened = Engine.load(small.write_authors(tmp_path_factory.mktemp("short")), "cpu")
    model = opened._loaded()
    config = replace(model.config, longest_s=0.02)
    return Engine(StableAudio(config, model.dit, model.same, model.duration, model.reader), "short")


def clip_at(rate, channels=2, seconds=0.2):
    noise = np.random.default_rng(rate).normal(0, 0.1, (channels, round(seconds * rate))).astype(np.float32)
    return Audio(noise, rate)


class TestGenerate:
    def test_stereo_at_48_khz_as_long_as_asked(self, engine):
        takes = engine.run(Generate("rain", seconds=0.5, candidates=2, draft=True))

        assert engine.sample_rate == 48_000
        assert [(take.samples.shape, take.sample_rate) for take in takes] == [((2, 24_000), 48_000)] * 2
        assert not np.array_equal(*takes[0].samples), "two channels of their own"
        assert not np.array_equal(takes[0].samples, takes[1].samples)
        assert (takes[0].story["steps"], takes[0].story["model_rate_hz"]) == (4, RATE)

    def test_at_the_model_s_own_rate_if_only_its_band_is_wanted(self, engine):
        asked = Generate("rain", seconds=0.5, steps=2)
        own, resampled = (engine.run(replace(asked, model_band=only))[0] for only in (True, False))

        assert (own.samples.shape, own.sample_rate) == ((2, 22_050), RATE)
        assert np.abs(own.resample(48_000).samples - resampled.samples).max() < 1e-6

    def test_in_mono_the_mean_of_both_channels(self, engine):
        stereo, mono = (
            engine.run(Generate("rain", seconds=0.5, steps=2, output_channels=wanted))[0] for wanted in (None, "mono")
        )

        assert mono.samples.shape == (1, 24_000)
        assert np.abs(mono.samples - stereo.samples.mean(axis=0)).max() < 1e-6
        assert (stereo.story["output_channels"], mono.story["output_channels"]) == ("stereo", "mono")

    def test_a_seed_is_a_sound_and_its_number_of_takes_changes_nothing(self, engine):
        alone = engine.run(Generate("rain", seconds=0.5, seed=3, steps=2))[0]
        several = engine.run(Generate("rain", seconds=0.5, seed=3, steps=2, candidates=2))[0]
        other = engine.run(Generate("rain", seconds=0.5, seed=4, steps=2))[0]

        assert np.array_equal(alone.samples, several.samples)
        assert not np.array_equal(alone.samples, other.samples)

    def test_the_prompt_matters(self, engine):
        rain, dog = (engine.run(Generate(prompt, seconds=0.5, steps=2))[0] for prompt in ("rain", "a dog"))

        assert not np.array_equal(rain.samples, dog.samples)

    def test_longer_than_the_net_knows_in_windows(self, short_windows):
        take = short_windows.run(Generate("rain", seconds=0.5, steps=3))[0]

        assert take.samples.shape == (2, 24_000)
        assert np.abs(take.samples).max() > 0.01

    def test_what_is_left_out_of_a_long_prompt_is_told(self, short_windows):
        take = short_windows.run(Generate("rain on a roof at night", seconds=0.5, steps=1))[0]

        assert any("left out: 't night'" in warning for warning in take.story["warnings"])

    def test_can_be_stopped_at_every_step(self, engine):
        seen = []
        with pytest.raises(CancelledError):
            engine.run(Generate("rain", seconds=0.5), on_step=seen.append, should_stop=lambda: len(seen) > 2)

        assert len(seen) <= 3

    def test_several_together_are_the_same_as_alone(self, engine):
        wanted = [Generate("rain", seconds=0.5, steps=2, seed=seed) for seed in (1, 2)]
        never = [lambda: False] * 2

        together = engine.run_together(wanted, [lambda _: None] * 2, never)

        for request, takes in zip(wanted, together, strict=True):
            assert not isinstance(takes, EngineError)
            assert np.array_equal(takes[0].samples, engine.run(request)[0].samples)


class TestMemory:
    def test_the_text_encoder_leaves_where_memory_is_short(self, short_windows):
        model = short_windows._loaded()
        parts = (model.config, model.dit, model.same, model.duration, model.reader)

        Engine(StableAudio(*parts, spare_bytes=0)).run(Generate("thunder", seconds=0.5, steps=1))
        assert model.reader.is_loaded
        Engine(StableAudio(*parts, spare_bytes=1 << 60)).run(Generate("wind", seconds=0.5, steps=1))
        assert not model.reader.is_loaded

    @torch.no_grad()
    def test_in_half_precision_the_denoiser_says_nearly_the_same(self, small, tmp_path):
        folder = small.write_authors(tmp_path)
        precise, half = (
            StableAudio(**vars(open_stable_audio(folder))).to("cpu", dtype) for dtype in (torch.float32, torch.bfloat16)
        )
        x = torch.randn(1, *precise.latent_shape(20))

        exact, near = (model.denoiser(model.condition(["rain"], 1.0))(x, 0.5).x0 for model in (precise, half))

        assert near.dtype == torch.float32
        assert not torch.equal(near, exact)
        assert float((near - exact).std()) < 0.05 * float(exact.std())


class TestInpaint:
    @pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
    @pytest.mark.parametrize("channels", [1, 2])
    def test_outside_the_regions_every_sample_stays(self, engine, rate, channels):
        clip = clip_at(rate, channels)
        regions = [(0.02, 0.05), (0.12, 0.16)]

        take = engine.run(Inpaint(clip, "rain", regions=regions, steps=2))[0]

        stays = np.ones(clip.num_samples, bool)
        for start, end in regions:
            stays[round(start * rate) : round(end * rate)] = False
        assert take.samples.shape == clip.samples.shape
        assert np.array_equal(take.samples[:, stays], clip.samples[:, stays])
        for start, end in regions:
            inside = slice(round(start * rate), round(end * rate))
            assert not np.array_equal(take.samples[:, inside], clip.samples[:, inside])

    def test_one_sound_on_both_sides_stays_one_sound(self, engine):
        mono = clip_at(48_000, 1)
        clip = Audio(np.repeat(mono.samples, 2, axis=0), 48_000)

        take = engine.run(Inpaint(clip, "rain", regions=[(0.04, 0.12)], steps=2))[0]

        assert np.array_equal(*take.samples)

    def test_the_net_hears_what_surrounds_the_region(self, engine):
        clip = clip_at(RATE)
        other = Audio(clip.samples * np.linspace(1, -1, clip.num_samples, dtype=np.float32), RATE)
        made = [
            engine.run(Inpaint(one, "rain", regions=[(0.08, 0.12)], steps=2))[0].samples[:, 3700:5100]
            for one in (clip, other)
        ]
        made = [one / np.abs(one).max() for one in made]

        assert not np.allclose(*made, atol=1e-2)

    def test_to_the_end_of_a_clip_is_its_continuation(self, engine):
        clip = clip_at(RATE)
        longer = Audio(np.pad(clip.samples, ((0, 0), (0, 8820))), RATE)

        take = engine.run(Inpaint(longer, "rain", regions=[(0.2, 0.4)], steps=2))[0]

        assert np.array_equal(take.samples[:, :8820], clip.samples)
        assert np.abs(take.samples[:, 8820:]).max() > 0.001


class TestRestyle:
    @pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
    def test_a_region_moves_and_the_rest_stays(self, engine, rate):
        clip = clip_at(rate)

        take = engine.run(Restyle(clip, "rain", strength=0.5, start_s=0.04, end_s=0.12, steps=2, structure=0))[0]

        inside = slice(round(0.04 * rate), round(0.12 * rate))
        stays = np.ones(clip.num_samples, bool)
        stays[inside] = False
        assert np.array_equal(take.samples[:, stays], clip.samples[:, stays])
        assert not np.array_equal(take.samples[:, inside], clip.samples[:, inside])

    def test_strength_0_is_the_clip_and_1_forgets_it(self, engine):
        clip, other = clip_at(RATE), Audio(clip_at(48_000).samples[:, :8820], RATE)

        assert np.array_equal(engine.run(Restyle(clip, "rain", strength=0, steps=2))[0].samples, clip.samples)
        made = [engine.run(Restyle(one, "rain", strength=1, steps=2))[0].samples for one in (clip, other)]
        likeness = np.corrcoef(made[0].ravel(), made[1].ravel())[0, 1]
        assert likeness > 0.99, "nothing is left of either clip but its level"

    def test_little_strength_stays_nearer_to_the_sound_that_the_autoencoder_makes_of_the_clip(self, engine):
        clip = clip_at(RATE)
        made = [
            engine.run(Restyle(clip, "rain", strength=strength, steps=4))[0].samples.ravel()
            for strength in (0.01, 0.02, 0.9)
        ]

        assert np.corrcoef(made[0], made[1])[0, 1] > np.corrcoef(made[0], made[2])[0, 1]

    def test_vary_needs_no_words(self, engine):
        clip = clip_at(RATE)

        take = engine.run(Vary(clip, steps=2))[0]

        assert take.samples.shape == clip.samples.shape
        assert not np.array_equal(take.samples, clip.samples)


class TestRefused:
    @pytest.mark.parametrize(
        ("request_", "knob"),
        [
            (Generate(like=clip_at(RATE, seconds=0.5)), "like"),
            (Generate("rain", width=0.5), "width"),
            (Generate("rain", sampler="dpm++2m"), "sampler"),
            (Restyle(clip_at(RATE), "rain", structure=0.5), "structure"),
            (Inpaint(clip_at(RATE), "rain", regions=[(0.04, 0.12)], high_hz=500), "high_hz"),
            (Inpaint(clip_at(RATE), "rain", regions=[(0.04, 0.12, 100, 500)]), "regions"),
            (Upscale(clip_at(RATE)), "request"),
        ],
        ids=["like", "width", "sampler", "structure", "band", "own band", "upscale"],
    )
    def test_what_it_cannot_do_before_any_work(self, engine, request_, knob):
        seen = []
        with pytest.raises(InvalidRequestError) as refused:
            engine.run(request_, on_step=seen.append)

        assert refused.value.text.startswith(f"{knob} is ")
        assert refused.value.hint
        assert not seen

    def test_it_follows_nothing(self, engine):
        with pytest.raises(CurvesMissingError, match="follows no clip at all"):
            engine.run(Generate("rain", follow=clip_at(RATE, seconds=0.5)))

    def test_it_names_no_sounds(self, engine):
        with pytest.raises(InvalidRequestError, match="one that hears"):
            engine.listen(clip_at(RATE))
