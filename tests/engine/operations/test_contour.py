"""Structure in a restyle: the clip's rise and fall in loudness is held, softly or hard, and nothing else is harmed."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import Audio, CancelledError, Engine, InvalidRequestError, Restyle, Vary
from engine.evaluation.contours import loudness_envelope
from engine.mel import MelConfig
from engine.operations.contour import RANGE, Contour, amplified, depth_of, loudness_of
from engine.presets import PRESETS, build
from engine.sounds import render

MEL = MelConfig()
FLOOR = math.log(MEL.floor)


def bursts(seconds: float, rate: int = 16_000, channels: int = 1) -> Audio:
    """Noise that sounds for 0.25 s and pauses for 0.25 s; the second channel pauses where the first one sounds."""
    time = np.arange(round(seconds * rate)) / rate
    sounds = np.stack([(time * 2 + channel / 2) % 1 < 0.5 for channel in range(channels)])
    noise = np.random.default_rng(3).standard_normal((1, len(time))) * 0.1
    return Audio((noise * (0.02 + sounds)).astype(np.float32), rate)


def likeness(take: Audio, clip: Audio) -> float:
    """The mean correlation of the channels' contours at 16 kHz."""
    heard, source = take.resample(16_000), clip.resample(16_000)
    pairs = [
        [loudness_envelope(one, 16_000) for one in channel]
        for channel in zip(heard.samples, source.samples, strict=True)
    ]
    return float(np.mean([np.corrcoef(first, second)[0, 1] for first, second in pairs]))


class TestDepth:
    @pytest.mark.parametrize("strength", [0.1, 0.35, 0.6, 1.0])
    def test_without_structure_it_is_the_strength(self, strength: float) -> None:
        assert depth_of(strength, 0.0) == strength

    def test_with_structure_it_is_more_but_never_more_than_all(self) -> None:
        assert 0.6 < depth_of(0.6, 0.2) < depth_of(0.6, 0.5) < depth_of(0.6, 1.0) < 1
        assert depth_of(1.0, 0.5) == 1
        assert depth_of(0.0, 0.5) == 0


class TestAmplified:
    def test_what_sounds_is_as_much_louder_as_asked(self) -> None:
        loud = torch.full((1, 1, 3, 64), -4.0)
        gain = torch.tensor([[-2.0, 0.0, 2.0]])
        assert torch.allclose(loudness_of(amplified(loud, gain, MEL)), -4 + gain)

    def test_silence_stays_silent(self) -> None:
        silence = torch.full((1, 1, 2, 64), FLOOR)
        assert torch.equal(amplified(silence, torch.tensor([[3.0, -3.0]]), MEL), silence)

    def test_nothing_falls_below_the_floor(self) -> None:
        quiet = torch.full((1, 1, 1, 64), FLOOR + 1)
        assert amplified(quiet, torch.tensor([[-5.0]]), MEL).min() == pytest.approx(FLOOR)


class TestShape:
    def test_full_structure_gives_frames_the_rise_and_fall_of_the_clip(self) -> None:
        clip = torch.tensor([[-3.0, -4.0, -3.5, -5.0]])
        shaped = Contour(clip, 1.0).shape(torch.full((1, 1, 4, 64), -4.0), 0, MEL)
        own = loudness_of(shaped)
        assert torch.allclose(own - own.mean(), clip - clip.mean(), atol=1e-5)

    def test_half_of_it_goes_half_of_the_way(self) -> None:
        clip = torch.tensor([[-3.0, -5.0]])
        own = loudness_of(Contour(clip, 0.5).shape(torch.full((1, 1, 2, 64), -4.0), 0, MEL))
        assert torch.allclose(own, torch.tensor([[-3.5, -4.5]]))

    def test_silence_in_the_clip_is_no_abyss(self) -> None:
        clip = torch.tensor([[-3.0, FLOOR]])
        own = loudness_of(Contour(clip, 1.0).shape(torch.full((1, 1, 2, 64), -4.0), 0, MEL))
        assert float(own[0, 0] - own[0, 1]) == pytest.approx(RANGE, abs=1e-4)


class TestWithoutStructure:
    def test_the_models_default_is_used(self, tiny: Engine, clip: Audio) -> None:
        """The tiny model has none, as the published ones have none: plain noising."""
        (default,), (none,) = (tiny.run(Restyle(clip, "thunder", structure=s, steps=2)) for s in (None, 0.0))
        assert np.array_equal(default.samples, none.samples)
        assert default.story["structure"] == 0

    def test_so_many_of_the_steps_are_taken_as_the_strength_says(self, tiny: Engine, clip: Audio) -> None:
        news = []
        tiny.run(Restyle(clip, "thunder", strength=0.25, structure=0, steps=20), on_step=news.append)
        assert max(one.step for one in news) == 5

    def test_another_take_of_a_clip_has_none(self, tiny: Engine, clip: Audio) -> None:
        (take,) = tiny.run(Vary(clip, steps=2))
        assert take.story["structure"] == 0

    def test_the_published_models_have_none(self) -> None:
        from_reference = {name: config.default_structure for name, config in PRESETS.items() if name in "sml"}
        assert from_reference == {"s": 0, "m": 0, "l": 0}


class TestWithStructure:
    @pytest.mark.parametrize("seconds", [1.0, 6.0], ids=["one window", "several windows"])
    def test_the_take_rises_and_falls_with_the_clip(self, tiny: Engine, seconds: float) -> None:
        clip = bursts(seconds)
        plain, held = (
            likeness(tiny.run(Restyle(clip, "thunder", strength=1, structure=s))[0], clip) for s in (0.0, 1.0)
        )
        assert held > 0.7
        assert held > plain + 0.2

    def test_each_channel_with_its_own(self, tiny: Engine) -> None:
        clip = bursts(1.2, 44_100, channels=2)
        (take,) = tiny.run(Restyle(clip, "thunder", structure=1))
        swapped = replace(clip, samples=clip.samples[::-1])
        assert take.samples.shape == clip.samples.shape
        assert likeness(take, clip) > likeness(take, swapped) + 0.5

    def test_every_candidate_is_held(self, tiny: Engine) -> None:
        clip = bursts(1.0)
        takes = tiny.run(Restyle(clip, "thunder", structure=1, candidates=3))
        assert min(likeness(take, clip) for take in takes) > 0.7

    def test_the_same_seed_makes_the_same_take(self, tiny: Engine, clip: Audio) -> None:
        request = Restyle(clip, "thunder", structure=0.5, steps=2)
        assert np.array_equal(tiny.run(request)[0].samples, tiny.run(request)[0].samples)

    def test_both_samplers_do_it(self, tiny: Engine) -> None:
        clip = bursts(1.0)
        (take,) = tiny.run(Restyle(clip, "thunder", structure=1, sampler="ddim"))
        assert likeness(take, clip) > 0.7

    def test_outside_the_region_nothing_changes(self, tiny: Engine, clip: Audio) -> None:
        (take,) = tiny.run(Restyle(clip, "thunder", start_s=0.5, end_s=1.0, structure=0.5, steps=2))
        assert np.array_equal(take.samples[:, :22_050], clip.samples[:, :22_050])
        assert np.array_equal(take.samples[:, 44_100:], clip.samples[:, 44_100:])
        assert take.story["structure"] == 0.5

    def test_no_strength_is_the_clip_itself(self, tiny: Engine, clip: Audio) -> None:
        (take,) = tiny.run(Restyle(clip, "thunder", strength=0, structure=1))
        assert np.array_equal(take.samples, clip.samples)

    def test_silence_is_a_clip(self, tiny: Engine) -> None:
        (take,) = tiny.run(Restyle(Audio(np.zeros((2, 16_000), np.float32), 16_000), "thunder", structure=1, steps=2))
        assert np.isfinite(take.samples).all()

    def test_it_stops_when_it_is_told_to(self, tiny: Engine, clip: Audio) -> None:
        steps: list[int] = []
        with pytest.raises(CancelledError):
            tiny.run(
                Restyle(clip, "thunder", structure=1, steps=20),
                on_step=lambda news: steps.append(news.step),
                should_stop=lambda: max(steps, default=0) >= 2,
            )
        assert max(steps) == 2

    @pytest.mark.parametrize("structure", [-0.1, 1.5, math.nan, True, "much"])
    def test_nonsense_is_refused(self, clip: Audio, structure: object) -> None:
        with pytest.raises(InvalidRequestError, match="structure"):
            Restyle(clip, "thunder", structure=structure)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def curved() -> Engine:
    """A tiny model whose autoencoder has convolutions only."""
    config = PRESETS["tiny"]
    return Engine(build(replace(config, vae=replace(config.vae, linear_skip=False))))


class TestSampler:
    """Fresh noise at every step lets the net mend what the pull disturbs; where nothing pulls there is none."""

    @pytest.mark.parametrize(
        ("structure", "asked", "sampler"),
        [(1, None, "dpm++2m-sde"), (0, None, "dpm++2m"), (1, "dpm++2m", "dpm++2m"), (0, "ddim", "ddim")],
    )
    def test_suits_the_structure_unless_one_is_asked_for(
        self, tiny: Engine, clip: Audio, structure: int, asked: str | None, sampler: str
    ) -> None:
        (take,) = tiny.run(Restyle(clip, "thunder", structure=structure, sampler=asked, steps=2))
        assert take.story["sampler"] == sampler

    def test_a_draft_has_its_own(self, nano: Engine, clip: Audio) -> None:
        (take,) = nano.run(Restyle(clip, "thunder", structure=1, draft=True))
        assert take.story["sampler"] == "ddim"


class TestAutoencodersWithoutALinearPath:
    """As those of the published models: no step can be held, but the decoded frames follow."""

    def test_the_take_still_rises_and_falls_with_the_clip(self, curved: Engine) -> None:
        clip = bursts(1.0)
        plain, held = (likeness(curved.run(Restyle(clip, "rain", strength=1, structure=s))[0], clip) for s in (0, 1))
        assert held > plain + 0.2

    def test_no_noise_is_added_as_nothing_pulls(self, curved: Engine) -> None:
        (take,) = curved.run(Restyle(bursts(0.5), "rain", structure=1, steps=2))
        assert take.story["sampler"] == "dpm++2m"

    def test_the_steps_are_those_of_the_strength(self, curved: Engine) -> None:
        news = []
        curved.run(Restyle(bursts(1.0), "rain", strength=0.25, structure=1, steps=20), on_step=news.append)
        assert max(one.step for one in news) == 5


@pytest.mark.slow
def test_the_shipped_model_holds_the_rise_and_fall_of_a_clip(nano: Engine) -> None:
    """Knocks made into rain, barks into wind: by default more of the gesture is left than by plain noising."""
    for name, prompt in (("knock", "rain"), ("dog", "wind")):
        clip = Audio(render(name, 14_500_000).waveform[None], 16_000)
        default, plain = (
            likeness(nano.run(Restyle(clip, prompt, strength=0.6, structure=s, steps=10))[0], clip) for s in (None, 0.0)
        )
        assert default > 0.5
        assert default > plain
