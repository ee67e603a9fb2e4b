"""What the shipped model hears in clips: scores that add up, of any clip, and the same at any rate and level."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import Audio, Engine, HeardSound
from engine.audioldm import AudioLDM
from engine.errors import AudioTowerMissingError, InvalidRequestError, SilentClipError
from engine.listening.catalogue_ids import UCS_IDS
from engine.listening.hear import FAINT, MOST_PIECES, PIECE_S, hear
from engine.presets import PRESETS, build
from engine.sounds import SOUNDS, render

RATE = 16_000


class DeafModel(AudioLDM):
    """With a CLAP without an audio tower, as diffusers' folders have it."""

    def embed_audio(self, _: torch.Tensor) -> torch.Tensor:
        raise AudioTowerMissingError


@pytest.fixture(scope="module")
def nano() -> Engine:
    return Engine.load("nano", "cpu")


@pytest.fixture(scope="module")
def tiny() -> Engine:
    return Engine(build(PRESETS["tiny"]))


def corpus_clip(name: str, seconds: float = 4.0, rate: int = RATE, seed: int = 3) -> Audio:
    return Audio(render(name, seed=seed, seconds=seconds, sample_rate=rate).waveform, rate)


def scores(heard: list[HeardSound]) -> dict[str, float]:
    return {sound.name: sound.score for sound in heard}


class TestScores:
    @pytest.mark.parametrize("name", ["rain", "dog", "siren", "piano", "thunder"])
    def test_a_corpus_clip_is_named(self, nano: Engine, name: str) -> None:
        assert nano.listen(corpus_clip(name))[0].name == name

    def test_every_sound_has_one_and_they_add_up_to_one_best_first(self, nano: Engine) -> None:
        heard = nano.listen(corpus_clip("rain"))
        assert {sound.name for sound in heard} == set(nano._loaded().config.sounds)
        assert sum(sound.score for sound in heard) == pytest.approx(1)
        assert [sound.score for sound in heard] == sorted((sound.score for sound in heard), reverse=True)

    def test_noise_is_no_certain_thing(self, nano: Engine) -> None:
        """A tone with noise on it is of no kind in particular: nothing gets nearly everything."""
        rng = np.random.default_rng(1)
        odd = np.sin(np.cumsum(rng.standard_normal(80_000)) / 9) * 0.2 + 0.05 * rng.standard_normal(80_000)
        assert nano.listen(Audio(odd[None].astype(np.float32), RATE))[0].score < 0.6

    def test_it_may_be_told_what_to_listen_for(self, nano: Engine) -> None:
        heard = nano.listen(corpus_clip("rain"), ["a dog barking", "heavy rain falling", "a piano"])
        assert heard[0].name == "heavy rain falling"
        assert sum(sound.score for sound in heard) == pytest.approx(1)

    def test_every_kind_of_the_corpus_has_its_place_in_the_category_system(self) -> None:
        assert set(SOUNDS) <= set(UCS_IDS)

    def test_a_row_as_it_is_printed(self) -> None:
        assert HeardSound("dog", 0.123456, "ANMLDog").to_json() == {"name": "dog", "score": 0.1235, "ucs": "ANMLDog"}
        assert HeardSound("a dog", 0.5).to_json() == {"name": "a dog", "score": 0.5}


class TestClips:
    @pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
    @pytest.mark.parametrize("seconds", [0.02, 0.7, 6.0])
    def test_of_any_rate_and_length(self, tiny: Engine, rate: int, seconds: float) -> None:
        tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)[None].astype(np.float32)
        assert sum(sound.score for sound in tiny.listen(Audio(tone, rate), ["a", "b"])) == pytest.approx(1)

    def test_level_offset_and_channels_do_not_matter(self, nano: Engine) -> None:
        clip = corpus_clip("dog")
        expected = scores(nano.listen(clip))
        for samples in (
            clip.samples * 0.01,
            clip.samples * 0.5 + 0.2,
            np.concatenate([clip.samples, clip.samples]),
            np.concatenate([clip.samples, -clip.samples]),
        ):
            assert scores(nano.listen(Audio(samples, RATE))) == pytest.approx(expected, abs=0.03)

    def test_a_faint_rest_does_not_count(self, nano: Engine) -> None:
        """Ten seconds of nearly nothing after a dog leave it the dog that it was."""
        dog = corpus_clip("dog", PIECE_S)
        hiss = np.random.default_rng(2).standard_normal((1, 2 * dog.num_samples)) * dog.peak * FAINT / 50
        with_rest = Audio(np.concatenate([dog.samples, hiss.astype(np.float32)], axis=1), RATE)
        assert scores(nano.listen(with_rest)) == pytest.approx(scores(nano.listen(dog)), abs=0.02)

    def test_both_halves_of_a_clip_count(self, nano: Engine) -> None:
        halves = [corpus_clip(name, PIECE_S).samples for name in ("rain", "siren")]
        heard = nano.listen(Audio(np.concatenate([half / np.sqrt(np.mean(half**2)) for half in halves], axis=1), RATE))
        assert {sound.name for sound in heard[:2]} == {"rain", "siren"}

    def test_a_long_clip_is_heard_in_places(self, tiny: Engine) -> None:
        model, pieces = tiny._loaded(), []

        class Counting(AudioLDM):
            def embed_audio(self, waveform):
                pieces.append(waveform.shape[1])
                return super().embed_audio(waveform)

        counting = Counting(model.config).eval()
        noise = np.random.default_rng(3).standard_normal((1, 300 * RATE)).astype(np.float32) * 0.1
        with torch.inference_mode():
            hear(counting, Audio(noise, RATE), ["a", "b"])
        assert pieces == [round(PIECE_S * RATE)] * MOST_PIECES


class TestErrors:
    def test_silence(self, nano: Engine) -> None:
        with pytest.raises(SilentClipError, match="the clip is silent"):
            nano.listen(Audio(np.full((1, RATE), 0.1, np.float32), RATE))

    @pytest.mark.parametrize("clip", ["dog.wav", None, np.zeros(RATE, np.float32)])
    def test_what_is_no_audio(self, nano: Engine, clip: object) -> None:
        with pytest.raises(InvalidRequestError, match="expected an Audio"):
            nano.listen(clip)

    def test_one_name_is_a_name_and_no_list_of_letters(self, nano: Engine) -> None:
        assert nano.listen(corpus_clip("dog"), "dog") == [HeardSound("dog", 1.0, "ANMLDog")]

    @pytest.mark.parametrize("names", [[], [" "], ["dog", ""], "", ["dog", 1], [None]])
    def test_names_that_are_none(self, nano: Engine, names: list[str]) -> None:
        with pytest.raises(InvalidRequestError, match="names of sounds to listen for, none of them empty") as caught:
            nano.listen(corpus_clip("dog"), names)
        assert caught.value.hint.startswith("name sounds in words, such as dog or heavy rain; without names, all")

    def test_a_model_without_a_list_of_sounds_needs_names(self) -> None:
        model = build(replace(PRESETS["tiny"], sounds=()))
        with pytest.raises(InvalidRequestError, match="this model has no list of sounds"):
            hear(model, corpus_clip("dog"))

    def test_a_model_that_cannot_hear(self) -> None:
        with pytest.raises(AudioTowerMissingError):
            hear(DeafModel(PRESETS["tiny"]).eval(), corpus_clip("dog"), ["a"])
