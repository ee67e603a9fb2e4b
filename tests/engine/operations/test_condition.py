"""What is wanted: words, a sound, or both by weight; what is not wanted; and models that cannot hear."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import Audio, Engine, Generate, Inpaint, Restyle, Upscale, Vary
from engine.audioldm import AudioLDM
from engine.errors import AudioTowerMissingError, EmptyPromptError, InvalidRequestError, SilentClipError
from engine.models.clap_interface import Clap
from engine.operations.condition import condition_of, embed_clip
from engine.operations.loudness import level_of
from engine.operations.mel_rendering import MelRendering
from engine.operations.progress import ProgressReporter
from engine.presets import PRESETS, build
from engine.sounds import render

CLIP = Audio((np.random.default_rng(5).standard_normal((1, 16_000)) * 0.1).astype(np.float32), 16_000)


class DeafClap:
    """A CLAP without an audio tower, as diffusers' folders have it."""

    has_audio_tower = False

    def __init__(self, clap: Clap) -> None:
        self.embed_text, self.knows, self.embedding_dim = clap.embed_text, clap.knows, clap.embedding_dim

    def embed_audio(self, *_: object) -> torch.Tensor:
        raise AudioTowerMissingError


class Deaf(AudioLDM):
    @property
    def clap(self) -> Clap:
        return DeafClap(super().clap)


@pytest.fixture(scope="module")
def deaf() -> Engine:
    return Engine(Deaf(PRESETS["tiny"]).eval())


@pytest.fixture(scope="module")
def model() -> AudioLDM:
    return build(PRESETS["tiny"])


@torch.inference_mode()
def wanted(model: AudioLDM, prompt: str, **sampling: object) -> torch.Tensor:
    return condition_of(model, prompt, Generate(prompt, **sampling)).wanted[0]


@torch.inference_mode()
def heard(model: AudioLDM, clip: Audio) -> torch.Tensor:
    return embed_clip(model, clip)[0]


class TestMixing:
    def test_a_sound_alone_is_the_condition_whatever_its_weight(self, model: AudioLDM) -> None:
        for weight in (0.0, 0.3, 1.0):
            assert torch.allclose(wanted(model, "", like=CLIP, like_weight=weight), heard(model, CLIP), atol=1e-6)

    def test_the_weight_goes_from_the_words_to_the_sound(self, model: AudioLDM) -> None:
        words, sound = wanted(model, "rain"), heard(model, CLIP)
        for weight in (0.0, 0.3, 1.0):
            expected = torch.nn.functional.normalize(weight * sound + (1 - weight) * words, dim=0)
            assert torch.allclose(wanted(model, "rain", like=CLIP, like_weight=weight), expected, atol=1e-6)

    def test_it_is_a_unit_vector(self, model: AudioLDM) -> None:
        assert float(wanted(model, "rain", like=CLIP, like_weight=0.4).norm()) == pytest.approx(1)


class TestLike:
    @pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 192_000])
    @pytest.mark.parametrize("seconds", [0.02, 0.3, 7.0])
    def test_any_rate_and_length_can_be_heard(self, model: AudioLDM, rate: int, seconds: float) -> None:
        tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)[None].astype(np.float32)
        assert torch.isfinite(heard(model, Audio(tone, rate))).all()

    def test_the_rate_does_not_change_what_is_heard(self, nano: Engine) -> None:
        clip = Audio(render("dog", seed=1, seconds=3.0, sample_rate=48_000).waveform, 48_000)
        again = clip.resample(16_000)
        assert float(heard(nano._loaded(), clip) @ heard(nano._loaded(), again)) > 0.999

    def test_channels_are_heard_together(self, model: AudioLDM) -> None:
        both = Audio(np.concatenate([CLIP.samples, 0.5 * np.roll(CLIP.samples, 99)]), 16_000)
        assert torch.allclose(heard(model, both), heard(model, both.to_mono()), atol=1e-6)

    @pytest.mark.parametrize(
        "make",
        [
            lambda like: Generate(seconds=0.4, like=like),
            lambda like: Restyle(CLIP, like=like),
            lambda like: Inpaint(CLIP, regions=[(0.2, 0.5)], like=like),
            lambda like: Upscale(CLIP, cutoff_hz=3_000, like=like),
            lambda like: Vary(CLIP, like=like),
        ],
        ids=["generate", "restyle", "inpaint", "upscale", "vary"],
    )
    def test_every_operation_takes_one(self, tiny: Engine, make: object) -> None:
        other = Audio(np.sign(np.sin(np.arange(9_000) / 20))[None].astype(np.float32) * 0.3, 22_050)
        one, two = tiny.run(make(CLIP))[0], tiny.run(make(other))[0]
        assert not np.array_equal(one.samples, two.samples)
        assert one.story["like_weight"] == 1.0
        assert not any(isinstance(value, Audio | np.ndarray) for value in one.story.values())

    def test_the_story_tells_its_weight(self, tiny: Engine) -> None:
        (take,) = tiny.run(Generate("rain", seconds=0.4, like=CLIP, like_weight=0.25))
        assert take.story["like_weight"] == 0.25
        assert "like_weight" not in tiny.run(Generate("rain", seconds=0.4))[0].story

    def test_ranking_uses_the_same_mixture(self, tiny: Engine) -> None:
        """Up to the three milliseconds of fade, which the ear did not hear yet."""
        request = Generate("rain", seconds=1.28, like=CLIP, like_weight=0.7, candidates=4)
        takes, again = tiny.run(request), tiny.run(request)
        model = tiny._loaded()
        condition = wanted(model, "rain", like=CLIP, like_weight=0.7)

        scores = [take.story["score"] for take in takes]
        assert scores == sorted(scores, reverse=True)
        assert scores == pytest.approx([float(heard(model, take) @ condition) for take in takes], abs=0.02)
        assert [take.story["candidate"] for take in takes] == [take.story["candidate"] for take in again]
        assert all(np.array_equal(one.samples, two.samples) for one, two in zip(takes, again, strict=True))


class TestChannels:
    @pytest.mark.parametrize("offset", [0.0, 0.3])
    def test_one_turned_over_cancels_nothing(self, model: AudioLDM, offset: float) -> None:
        turned = Audio(np.concatenate([CLIP.samples, -0.99 * CLIP.samples]) + np.float32(offset), 16_000)
        assert float(heard(model, turned) @ heard(model, CLIP)) == pytest.approx(1, abs=1e-3)

    def test_others_are_heard_as_their_mean(self, model: AudioLDM) -> None:
        other = np.roll(CLIP.samples, 4_000)
        for left, right in ((CLIP.samples, other), (CLIP.samples, 0 * other), (CLIP.samples, CLIP.samples)):
            assert torch.equal(
                heard(model, Audio(np.concatenate([left, right]), 16_000)), heard(model, _mean(left, right))
            )


def _mean(*channels: np.ndarray) -> Audio:
    return Audio(np.concatenate(channels).mean(axis=0, keepdims=True), 16_000)


class TestRefused:
    def test_an_empty_prompt_needs_a_sound(self) -> None:
        for make in (Generate, lambda: Restyle(CLIP), lambda: Inpaint(CLIP, regions=[(0, 0.5)])):
            with pytest.raises(EmptyPromptError):
                make()

    def test_silence_is_like_nothing(self) -> None:
        with pytest.raises(SilentClipError, match="like is silent: its largest sample is 0"):
            Generate(like=Audio(np.zeros((1, 8_000), np.float32), 8_000))

    @pytest.mark.parametrize(
        ("settings", "sentence"),
        [
            ({"like": "clip.wav"}, "like is 'str'; expected an Audio"),
            ({"like_weight": 1.5}, r"like_weight is 1\.5; expected a number from 0 to 1"),
            ({"like_weight": None}, "like_weight is not given"),
        ],
    )
    def test_what_is_no_sound_or_no_weight(self, settings: dict[str, object], sentence: str) -> None:
        with pytest.raises(InvalidRequestError, match=sentence):
            Generate("rain", **settings)


class TestModelsThatCannotHear:
    def test_takes_stay_in_order_unscored_with_a_warning(self, deaf: Engine) -> None:
        takes = deaf.run(Generate("rain", seconds=0.4, candidates=3))
        assert [take.story["candidate"] for take in takes] == [1, 2, 3]
        assert [take.story["score"] for take in takes] == [None] * 3
        for take in takes:
            assert "cannot hear its takes: they are in the order in which they were made" in take.story["warnings"][0]

    def test_of_several_tries_none_can_be_chosen(self, deaf: Engine) -> None:
        (take,) = deaf.run(Generate("rain", seconds=0.4, tries=4))
        assert (take.story["tries"], take.story["candidate"]) == (1, 1)

    def test_one_take_needs_no_warning(self, deaf: Engine) -> None:
        assert deaf.run(Restyle(CLIP, "rain"))[0].story["warnings"] == []

    @pytest.mark.parametrize("request_", [Generate(like=CLIP, seconds=0.4), Vary(CLIP)], ids=["like", "vary"])
    def test_sounds_cannot_be_prompts(self, deaf: Engine, request_: Generate | Vary) -> None:
        with pytest.raises(AudioTowerMissingError):
            deaf.run(request_)

    def test_upscaling_does_without(self, deaf: Engine) -> None:
        (take,) = deaf.run(Upscale(CLIP, cutoff_hz=3_000))
        assert "like_weight" not in take.story
        assert not np.array_equal(take.samples, CLIP.samples)


def test_takes_that_sound_the_same_keep_their_order(model: AudioLDM) -> None:
    request = Generate("rain", candidates=4)
    other = CLIP.samples[0] * np.linspace(1, 0, 16_000, dtype=np.float32) ** 4
    with torch.inference_mode():
        rendering = MelRendering(model, condition_of(model, "rain", request), request, ProgressReporter(), 16_000)
        order = rendering.rank([CLIP.samples[0], other, CLIP.samples[0], other])
    candidates = [candidate for candidate, _ in order]
    assert sorted((candidates[:2], candidates[2:])) == [[0, 2], [1, 3]]


@pytest.mark.slow
class TestTrained:
    @pytest.mark.parametrize(
        ("prompt", "negative"), [("a dog barks in the rain", "rain"), ("a dog barks while a siren wails", "a siren")]
    )
    def test_a_negative_prompt_moves_the_take_away(self, nano: Engine, prompt: str, negative: str) -> None:
        """Never towards it; how far depends on how much of it there was, and one take in three has nearly nothing."""
        unwanted, fallen = wanted(nano._loaded(), negative), []
        for seed in (1, 2, 3):
            request = Generate(prompt, 2.56, seed=seed, tries=1)
            plain, away = (nano.run(one)[0] for one in (request, replace(request, negative_prompt=negative)))
            fallen.append(float(heard(nano._loaded(), plain) @ unwanted - heard(nano._loaded(), away) @ unwanted))
        assert min(fallen) > 0
        assert np.mean(fallen) > 0.2

    @pytest.mark.parametrize("name", ["dog", "helicopter", "bell"])
    def test_a_sound_makes_sounds_like_it(self, nano: Engine, name: str) -> None:
        model = nano._loaded()
        like = Audio(render(name, seed=90_001, seconds=3.0, sample_rate=44_100).waveform, 44_100)
        alone, mixed, wind = (
            float(heard(model, nano.run(request)[0]) @ heard(model, like))
            for request in (
                Generate(like=like, seconds=2.56),
                Generate("wind", 2.56, like=like),
                Generate("wind", 2.56),
            )
        )
        assert alone > 0.65
        assert min(alone, mixed) > wind


def beep() -> Audio:
    """A recording called bell, which nano takes for something else."""
    return Audio.read(Path(__file__).parents[2] / "clips" / "recordings" / "bell" / "freedesktop-bell.flac")


class TestDoubts:
    """Where a sound alone says what is wanted and is like none that the model knows, the take's story says so."""

    @torch.inference_mode()
    def warnings(self, nano: Engine, clip: Audio, prompt: str = "", **settings: float) -> list[str]:
        return condition_of(nano._loaded(), prompt, Generate(prompt, like=clip, **settings)).warnings

    def test_a_known_sound_raises_none(self, nano: Engine) -> None:
        for kind in ("rain", "dog", "helicopter", "church_bell"):
            assert self.warnings(nano, Audio(render(kind, seed=90_002, seconds=3.0).waveform, 16_000)) == []

    def test_an_unknown_one_does_and_words_are_asked_for(self, nano: Engine) -> None:
        (warning,) = self.warnings(nano, beep())
        assert warning.startswith("the model nano is not sure what it hears in the sound (perhaps: ")
        assert "A prompt that says what it is helps" in warning

    def test_words_that_have_their_say_still_it(self, nano: Engine) -> None:
        assert self.warnings(nano, beep(), "rain") == []
        assert len(self.warnings(nano, beep(), "rain", like_weight=0.9)) == 1

    def test_every_operation_whose_prompt_is_a_sound_tells_it(self, nano: Engine) -> None:
        for request in (Vary(beep(), draft=True), Upscale(beep(), cutoff_hz=4_000, draft=True)):
            assert any("not sure" in warning for warning in nano.run(request)[0].story["warnings"])

    def test_a_model_of_all_sounds_cannot_tell(self, model: AudioLDM) -> None:
        with torch.inference_mode():
            assert condition_of(model, "", Generate(like=CLIP)).warnings == []


class TestLoudness:
    @pytest.mark.parametrize("level", [0.001, 0.02, 0.3])
    @pytest.mark.parametrize("channels", [1, 2])
    def test_a_sound_like_another_is_as_loud(self, tiny: Engine, level: float, channels: int) -> None:
        samples = np.random.default_rng(1).standard_normal((channels, 44_100)) * level
        (take,) = tiny.run(Generate(seconds=1.0, like=Audio(samples.astype(np.float32), 44_100), model_band=True))
        wanted = level_of(samples, 44_100).lufs - 10 * np.log10(channels)
        assert level_of(take.samples, 16_000).lufs == pytest.approx(wanted, abs=1.5)
        assert take.peak <= 1
