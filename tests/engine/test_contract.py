"""What every family of models keeps to: the same claims about each, through `Engine` and through `engine.model`.

The nets are tiny and random: what they make is noise, of the right shape, in the right place.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine import Audio, Engine, Generate, Inpaint, Restyle, Vary
from engine.audioldm import AudioLDM
from engine.checkpoints.stable_audio import open_stable_audio
from engine.errors import CancelledError, EngineError, InvalidRequestError
from engine.families.stable_audio.stable_audio import StableAudio
from engine.model import SoundModel, require_possible
from engine.presets import PRESETS, build
from tests.engine.families.tiny_flow import TinyFlow
from tests.engine.families.tiny_stable_audio import TinyNets, small_config

SECONDS = 0.4


def audioldm(_folder: Path) -> AudioLDM:
    return build(replace(PRESETS["tiny"], shortest_s=0.2)).eval()


def stable_audio(config: Callable[[], Any]) -> Callable[[Path], StableAudio]:
    return lambda folder: StableAudio(**vars(open_stable_audio(TinyNets(config()).write_authors(folder))))


def base_form(folder: Path) -> StableAudio:
    return stable_audio(lambda: replace(small_config(), objective="flow", name="tiny-base"))(folder)


TENANTS: dict[str, Callable[[Path], Any]] = {
    "AudioLDM": audioldm,
    "Stable Audio 3, small": stable_audio(small_config),
    "Stable Audio 3, base": base_form,
    "a flow that no family has": lambda _folder: TinyFlow(),
}


@pytest.fixture(scope="module", params=TENANTS.values(), ids=TENANTS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SoundModel[Any]:
    tenant: SoundModel[Any] = request.param(tmp_path_factory.mktemp("model"))
    return tenant


def with_short_windows(model: Any) -> Any:
    """The same model, as if it had been trained on nothing longer than a fraction of a second."""
    if isinstance(model, AudioLDM):
        config = replace(model.config, window_rows=2 * model.row_multiple)
        short = AudioLDM(config)
        short.load_state_dict(model.state_dict())
        return short.eval()
    if isinstance(model, TinyFlow):
        return TinyFlow(window_rows=20)
    config = replace(model.config, longest_s=0.1)
    return StableAudio(config, model.dit, model.same, model.duration, model.reader)


@pytest.fixture(scope="module")
def engine(model: Any) -> Engine:
    return Engine(model)


@pytest.fixture(scope="module")
def run(engine: Engine) -> Callable[[Any], list[Audio]]:
    return engine.run


def clip_at(rate: int, channels: int = 2, seconds: float = SECONDS, seed: int = 1) -> Audio:
    noise = np.random.default_rng(seed).normal(0, 0.1, (channels, round(seconds * rate)))
    return Audio(noise.astype(np.float32), rate)


def outside(clip: Audio, *regions: tuple[float, float]) -> NDArray[np.bool_]:
    stays = np.ones(clip.num_samples, bool)
    for start, end in regions:
        stays[round(start * clip.sample_rate) : round(end * clip.sample_rate)] = False
    return stays


class TestModel:
    def test_a_sound_goes_to_a_latent_and_back_in_the_shapes_that_it_says(self, model: SoundModel[Any]) -> None:
        rows = model.rows_for(model.sample_rate // 3)
        sound = torch.randn(2, model.channels, model.sample_rate // 3) / 10
        with torch.inference_mode():
            latent = model.encode_sound(sound)
            back = model.decode_sound(latent)

        assert latent.shape == (2, *model.latent_shape(rows))
        assert back.shape == (2, model.channels, rows * model.samples_per_row)
        assert rows % model.row_multiple == 0

    @pytest.mark.parametrize("start", [1.0, 0.5, 0.05])
    def test_noise_levels_begin_where_they_are_told_and_end_clean(self, model: SoundModel[Any], start: float) -> None:
        schedule = model.schedule(20, start)

        signals = [level.signal for level in schedule.levels]
        assert 1 <= len(schedule) <= 20
        assert schedule.levels[-1].signal == pytest.approx(1, abs=1e-3)
        assert signals[1:] == sorted(signals[1:])
        assert schedule.levels[0].noise < model.schedule(20).levels[0].noise or start == 1

    def test_the_denoiser_s_two_readings_agree_with_its_level(self, model: SoundModel[Any]) -> None:
        (step, *_) = model.schedule(3, 0.6)
        x = torch.randn(1, *model.latent_shape(model.row_multiple * 4))
        with torch.inference_mode():
            wanted, negative = model.condition(["rain"], SECONDS), model.condition([""], SECONDS)
            x0, eps = model.denoiser(wanted, negative, 2.0)(x, step.time, model.given(x, None))

        assert torch.allclose(step.now.mix(x0, eps), x, atol=1e-4)
        assert x0.dtype == torch.float32


class TestTakes:
    def test_shapes_rates_and_numbers(self, run: Callable[[Any], list[Audio]], model: SoundModel[Any]) -> None:
        takes = run(Generate("rain", seconds=SECONDS, candidates=2, steps=2, tries=1, model_band=True))

        size = round(SECONDS * model.sample_rate)
        assert [take.samples.shape for take in takes] == [(model.channels, size)] * 2
        assert {take.sample_rate for take in takes} == {model.sample_rate}
        assert all(np.isfinite(take.samples).all() and np.abs(take.samples).max() <= 1 for take in takes)
        assert sorted(take.story["candidate"] for take in takes) == [1, 2]
        assert all((take.story["score"] is None) == (model.scorer is None) for take in takes)

    def test_a_seed_is_a_sound(self, run: Callable[[Any], list[Audio]]) -> None:
        one, same, other = (run(Generate("rain", seconds=SECONDS, steps=2, seed=seed))[0].samples for seed in (1, 1, 2))

        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)

    def test_a_take_does_not_depend_on_how_many_there_are(self, run: Callable[[Any], list[Audio]]) -> None:
        asked = Generate("rain", seconds=SECONDS, steps=2, tries=1)
        (alone,) = run(asked)

        (first,) = (take for take in run(replace(asked, candidates=3)) if take.story["candidate"] == 1)

        assert np.array_equal(first.samples, alone.samples)

    def test_what_is_longer_than_its_window_is_made_in_several(self, model: SoundModel[Any]) -> None:
        short = with_short_windows(model)
        asked = Generate("rain", seconds=SECONDS, steps=3)
        pieced, whole = (Engine(one).run(asked)[0] for one in (short, model))

        assert pieced.samples.shape == whole.samples.shape
        assert not np.array_equal(pieced.samples, whole.samples)
        assert np.isfinite(pieced.samples).all()

    def test_requests_together_are_the_same_as_alone(self, engine: Engine) -> None:
        asked = [Generate("rain", seconds=SECONDS, steps=2, seed=seed) for seed in (1, 2)]
        together = engine.run_together(asked, [lambda _: None] * 2, [lambda: False] * 2)

        for request, takes in zip(asked, together, strict=True):
            assert not isinstance(takes, EngineError)
            assert np.array_equal(takes[0].samples, engine.run(request)[0].samples)

    def test_it_can_be_stopped_at_a_step(self, engine: Engine) -> None:
        seen: list[Any] = []
        with pytest.raises(CancelledError):
            engine.run(Generate("rain", seconds=SECONDS, steps=9), seen.append, lambda: len(seen) > 2)

        assert len(seen) <= 3


class TestEdits:
    @pytest.mark.parametrize("channels", [1, 2], ids=["mono", "stereo"])
    @pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
    def test_outside_the_regions_every_sample_stays(
        self, run: Callable[[Any], list[Audio]], rate: int, channels: int
    ) -> None:
        clip, regions = clip_at(rate, channels), [(0.06, 0.12), (0.25, 0.31)]
        take = run(Inpaint(clip, "rain", regions=regions, steps=2))[0]

        stays = outside(clip, *regions)
        assert (take.samples.shape, take.sample_rate) == (clip.samples.shape, rate)
        assert np.array_equal(take.samples[:, stays], clip.samples[:, stays])
        assert not np.array_equal(take.samples, clip.samples)

    @pytest.mark.parametrize("channels", [1, 2], ids=["mono", "stereo"])
    def test_a_restyled_region_has_the_clip_s_form(self, run: Callable[[Any], list[Audio]], channels: int) -> None:
        clip = clip_at(48_000, channels)
        take = run(Restyle(clip, "rain", strength=0.5, start_s=0.1, end_s=0.2, steps=2, structure=0))[0]

        stays = outside(clip, (0.1, 0.2))
        assert take.samples.shape == clip.samples.shape
        assert np.array_equal(take.samples[:, stays], clip.samples[:, stays])
        assert not np.array_equal(take.samples[:, ~stays], clip.samples[:, ~stays])

    def test_one_sound_on_both_sides_stays_one_sound(self, run: Callable[[Any], list[Audio]]) -> None:
        clip = Audio(np.repeat(clip_at(48_000, 1).samples, 2, axis=0), 48_000)

        assert np.array_equal(*run(Inpaint(clip, "rain", regions=[(0.1, 0.2)], steps=2))[0].samples)
        assert np.array_equal(*run(Restyle(clip, "rain", strength=0.5, steps=2, structure=0))[0].samples)

    def test_strength_0_is_the_clip_bit_for_bit(self, run: Callable[[Any], list[Audio]]) -> None:
        clip = clip_at(48_000)

        assert np.array_equal(run(Restyle(clip, "rain", strength=0, steps=2))[0].samples, clip.samples)

    def test_full_strength_forgets_the_clip_and_little_does_not(self, run: Callable[[Any], list[Audio]]) -> None:
        clips = [clip_at(48_000, seed=seed) for seed in (1, 2)]
        alike = []
        for strength in (0.002, 1.0):
            made = (Restyle(clip, "rain", strength=strength, steps=4, structure=0) for clip in clips)
            alike.append(likeness(*(run(request)[0].samples for request in made)))

        assert alike[1] > max(alike[0], 0.9)

    @pytest.mark.parametrize("channels", [1, 2], ids=["mono", "stereo"])
    def test_an_edit_begins_and_ends_as_softly_as_the_clip(
        self, run: Callable[[Any], list[Audio]], channels: int
    ) -> None:
        """Noise that is there at once would be a click, with highs that the clip has not."""
        clip = clip_at(48_000, channels)
        clip.samples[:, :480] *= np.linspace(0, 1, 480, dtype=np.float32)
        clip.samples[:, -480:] *= np.linspace(1, 0, 480, dtype=np.float32)
        for asked in (
            Restyle(clip, "rain", strength=0.9, steps=2, structure=0),
            Vary(clip, steps=2),
            Inpaint(clip, "rain", regions=[(0.0, 0.1), (SECONDS - 0.1, SECONDS)], steps=2),
        ):
            samples = run(asked)[0].samples
            assert np.abs(samples[:, [0, -1]]).max() < 0.005

    def test_vary_needs_no_words(self, engine: Engine) -> None:
        clip = clip_at(48_000)
        take = engine.run(Vary(clip, steps=2))[0]

        assert take.samples.shape == clip.samples.shape
        assert not np.array_equal(take.samples, clip.samples)


def likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return abs(float(np.corrcoef(one.ravel(), other.ravel())[0, 1]))


class TestMissing:
    @pytest.mark.parametrize(
        ("capability", "request_", "knob"),
        [
            ("hearing", Generate(like=clip_at(48_000, seconds=0.5)), "like"),
            ("curves", Generate("rain", follow=clip_at(48_000, seconds=0.5)), "follow"),
            ("widening", Generate("rain", width=0.5), "width"),
            ("contour", Restyle(clip_at(48_000), "rain", structure=0.5), "structure"),
            ("band_masks", Inpaint(clip_at(48_000), "rain", regions=[(0.1, 0.2)], high_hz=500), "high_hz"),
            ("band_masks", Inpaint(clip_at(48_000), "rain", regions=[(0.1, 0.2, 100, 500)]), "regions"),
        ],
        ids=["like", "follow", "width", "structure", "a band", "a region's band"],
    )
    def test_a_capability_that_is_missing_is_said_before_any_work(
        self, engine: Engine, model: SoundModel[Any], capability: str, request_: Any, knob: str
    ) -> None:
        if getattr(model.capabilities, capability):
            require_possible(model, request_)
            return
        seen: list[Any] = []
        with pytest.raises(InvalidRequestError if knob != "follow" else EngineError) as refused:
            engine.run(request_, on_step=seen.append)

        assert knob in refused.value.text
        assert refused.value.hint
        assert not seen

    @pytest.mark.parametrize("sampler", ["ddim", "dpm++2m", "dpm++2m-sde"])
    def test_a_sampler_that_it_does_not_know(self, engine: Engine, model: SoundModel[Any], sampler: str) -> None:
        asked = Generate("rain", seconds=SECONDS, steps=2, sampler=sampler)  # type: ignore[arg-type]
        if sampler in model.capabilities.samplers:
            assert engine.run(asked)
        else:
            with pytest.raises(InvalidRequestError, match="sampler"):
                engine.run(asked)
