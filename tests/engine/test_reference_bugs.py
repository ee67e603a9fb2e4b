"""What the reference implementation of AudioLDM does wrong and we do not: front end, condition, steps, candidates.

Each name says what holds here, each docstring what happens there.
`test_reference_bugs_editing.py` and `test_reference_bugs_models.py` have the rest.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from engine import Audio, Engine, Generate, Restyle
from engine.audioldm import AudioLDM
from engine.diffusion.path import VariancePreserving
from engine.diffusion.schedule import lay_schedule, timesteps_for
from engine.diffusion.solvers import SAMPLERS, sample_ddim
from engine.mel import LogMel, MelConfig
from engine.models.clap import ClapConfig, LaionClap
from engine.models.clap_tokenizer import RobertaTokenizer
from engine.models.vocoder import GriffinLim, GriffinLimConfig, HiFiGan, HiFiGanConfig
from engine.presets import PRESETS
from tests.engine.watched import Notes, Watched, watched_engine

CRASHING = [3, 9, 27, 36, 37, *range(101, 112), *range(251, 334), *range(501, 1001)]  # numbers of steps, there
SCHEDULE = VariancePreserving()
RAIN = Generate("rain on a tin roof", seconds=0.3, steps=2, candidates=3)


@pytest.fixture(scope="module")
def tiny() -> Engine:
    return Engine.load("tiny", "cpu")


@pytest.fixture(scope="module")
def watched() -> tuple[Engine, Watched]:
    return watched_engine()


@pytest.fixture(scope="module")
def clap(scramble) -> LaionClap:
    config = ClapConfig(audio_tower="HTSAT-test", text_tower="roberta-test", embedding_dim=64)
    return scramble(LaionClap(config, RobertaTokenizer.bytes_only()), seed=1)


def noise_clip(seconds: float, rate: int = 16_000, seed: int = 3) -> Audio:
    shape = (1, round(seconds * rate))
    return Audio((np.random.default_rng(seed).standard_normal(shape) * 0.1).astype(np.float32), rate)


@contextmanager
def global_generators_untouched() -> Iterator[None]:
    """Fails when Python's, NumPy's or PyTorch's own random numbers were drawn from, or seeded."""
    with_other_global_seeds(20_261_124)  # which no request has
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    yield
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    assert before == after


def with_other_global_seeds(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)


class TestFrontEnd:
    def test_both_channels_are_heard(self, tiny: Engine) -> None:
        """There the left channel is taken and the right one dropped."""
        left, one, other = (noise_clip(0.3, seed=seed).samples for seed in (1, 2, 3))
        made = []
        for right in (one, other):
            (take,) = tiny.run(
                Restyle(Audio(np.concatenate([left, right]), 16_000), "thunder", strength=0.05, steps=20)
            )
            made.append(take.samples)
        assert np.corrcoef(made[0][0], made[1][0])[0, 1] > 0.999
        assert np.corrcoef(made[0][1], made[1][1])[0, 1] < 0.99

    def test_a_silent_clip_makes_numbers(self, tiny: Engine) -> None:
        """There it is divided by its peak of 0."""
        (take,) = tiny.run(Restyle(Audio(np.zeros((1, 4_800), np.float32), 16_000), "thunder", steps=2))
        assert np.isfinite(take.samples).all()

    def test_what_a_clip_lacks_is_filled_with_silence(self, watched: tuple[Engine, Watched]) -> None:
        """There the log-mel is filled up with 0.0, which is as loud as music; silence is -11.5."""
        engine, model = watched
        heard: list[torch.Tensor] = []
        hook = model.log_mel.register_forward_hook(lambda _net, _waveform, log_mel: heard.append(log_mel))
        engine.run(Restyle(noise_clip(0.05), "thunder", steps=1))
        hook.remove()
        beyond = heard[0][0, 0, 8:]  # frames after 0.05 s and half a window
        assert len(beyond) >= 4
        assert torch.allclose(beyond, torch.tensor(model.config.mel.floor).log())

    def test_frames_lie_where_the_vocoder_expects_them(self) -> None:
        """There sounds that are edited come back half a hop, 80 samples, away from where they were."""
        places = np.arange(16_000)
        burst = np.exp(-(((places - 8_000) / 400) ** 2)) * np.random.default_rng(0).standard_normal(16_000)

        def moved_by(mel: MelConfig) -> float:
            vocode = GriffinLim(GriffinLimConfig(num_iterations=8), mel)
            made = vocode(LogMel(mel)(torch.from_numpy(burst[None]).float()), torch.Generator().manual_seed(0))[0]
            centres = [np.average(places, weights=np.square(one)) for one in (burst, made.numpy().astype(np.float64))]
            return float(centres[1] - centres[0])

        assert abs(moved_by(MelConfig())) < 25
        assert abs(moved_by(MelConfig(centre="librosa"))) > 55


class TestCondition:
    def test_it_is_never_dropped(self, watched: tuple[Engine, Watched], clap: LaionClap) -> None:
        """There one embedding in ten is replaced by the unconditional one, when sounds are made too."""
        _, model = watched
        for embed in (model.embed_text, clap.embed_text):
            with torch.inference_mode():
                rain, empty = embed(["rain"]), embed([""])
                again = [embed(["rain"]) for _ in range(60)] + list(embed(["rain"] * 60).split(1))
            assert not torch.allclose(rain, empty, atol=1e-3)
            assert all(torch.allclose(one, rain, atol=1e-5) for one in again)

    def test_embedding_draws_no_random_numbers(self, watched: tuple[Engine, Watched], clap: LaionClap) -> None:
        """There it advances the global generator, so that a seed alone does not repeat a sound."""
        _, model = watched
        with global_generators_untouched(), torch.inference_mode():
            for ear in (model.clap, clap):
                ear.embed_text(["rain", ""])
                ear.embed_audio(torch.randn(1, 16_000 * 11, generator=torch.Generator().manual_seed(0)), 16_000)

    def test_a_long_sound_is_heard_alike_every_time(self, clap: LaionClap) -> None:
        """There ten seconds of it are cut out at random, so that a ranking is a lottery."""
        waveform = torch.from_numpy(noise_clip(10.24).samples)
        embeddings = []
        for seed in (1, 2):
            with_other_global_seeds(seed)
            with torch.inference_mode():
                embeddings.append(clap.embed_audio(waveform, 16_000))
        assert torch.equal(*embeddings)

    def test_a_long_sound_is_heard_from_end_to_end(self, clap: LaionClap) -> None:
        """There all but ten seconds of it are not heard at all."""
        waveform = torch.from_numpy(noise_clip(20.0).samples)
        with torch.inference_mode():
            whole = clap.embed_audio(waveform, 16_000)
            for end in (slice(0, 32_000), slice(-32_000, None)):
                other = waveform.clone()
                other[:, end] = 0
                assert not torch.allclose(clap.embed_audio(other, 16_000), whole, atol=1e-5)

    def test_each_prompt_is_embedded_once(self, watched: tuple[Engine, Watched]) -> None:
        """There prompt and empty prompt go through the text tower again for each batch and for each ranking."""
        engine, model = watched
        model.notes = Notes()
        engine.run(replace(RAIN, steps=5))
        assert sorted(model.notes.prompts) == ["", RAIN.prompt]

    def test_a_prompt_is_as_long_as_its_words(self, clap: LaionClap) -> None:
        """There a lone prompt is encoded twice, each time padded to 512 tokens."""
        shapes: list[torch.Size] = []
        hook = clap.text_branch.register_forward_pre_hook(
            lambda _net, _args, named: shapes.append(named["input_ids"].shape), with_kwargs=True
        )
        clap.embed_text(["rain"])
        hook.remove()
        assert shapes == [(1, 6)]

    def test_a_negative_prompt_is_heeded(self, tiny: Engine) -> None:
        """There is none: guidance leads away from the empty prompt only."""
        plain, without = tiny.run(RAIN)[0], tiny.run(replace(RAIN, negative_prompt="a dog barks"))[0]
        assert not np.allclose(plain.samples, without.samples, atol=1e-3)

    def test_a_sound_as_condition_does_not_silence_the_prompt(self, tiny: Engine) -> None:
        """There the prompt is ignored as soon as a file is given."""
        like = noise_clip(0.5)
        takes = [
            tiny.run(Generate(prompt, seconds=0.3, steps=2, like=like))[0].samples for prompt in ("rain", "a dog", "")
        ]
        assert not any(np.allclose(one, other, atol=1e-4) for one, other in pairwise(takes))


class TestSteps:
    def test_any_number_is_taken_exactly(self) -> None:
        """There 60 become 63, and every number in CRASHING asks for timestep 1000, which does not exist."""
        for num_steps in range(1, 1001):
            timesteps = timesteps_for(num_steps, SCHEDULE)
            assert len(timesteps) == num_steps
            assert 0 <= timesteps[-1] <= timesteps[0] <= 999
            assert all(later <= earlier for earlier, later in pairwise(timesteps))

    @pytest.mark.parametrize("num_steps", [3, 9, 27, 36, 37, 60, 101, 111])
    def test_the_denoiser_is_asked_as_often_as_was_said(self, watched: tuple[Engine, Watched], num_steps: int) -> None:
        """There ceil(1000 / (1000 // steps)) times, unless it crashes."""
        engine, model = watched
        model.notes = Notes()
        engine.run(Generate("rain", seconds=0.2, steps=num_steps, sampler="ddim"))
        assert len({t for _, t in model.notes.denoised}) == num_steps

    def test_none_of_the_crashing_numbers_crashes(self) -> None:
        """There ᾱ is looked up one place beyond its end."""
        x, far = torch.ones(1, 1, 1, 1), []
        for num_steps in (*CRASHING[::20], 1000):
            timesteps = timesteps_for(num_steps, SCHEDULE)
            *_, clean = sample_ddim(lambda x, _t: (0.5 * x, x), x, lay_schedule(SCHEDULE, timesteps), eta=0.0)
            far.append(float(clean))
        assert np.isfinite(far).all()

    def test_a_seed_does_not_seed_the_whole_process(self, tiny: Engine) -> None:
        """There Python's, NumPy's and PyTorch's are seeded for the whole process."""
        with global_generators_untouched():
            for sampler in SAMPLERS:
                tiny.run(replace(RAIN, sampler=sampler))

    @pytest.mark.parametrize("sampler", SAMPLERS)
    def test_a_seed_alone_says_how_it_sounds(self, tiny: Engine, sampler: str) -> None:
        """There it depends on what was drawn before, and on the number of candidates."""
        takes = []
        for seed, candidates in ((1, 1), (2, 3)):
            with_other_global_seeds(seed)
            made = tiny.run(replace(RAIN, candidates=candidates, sampler=sampler))
            takes += [take for take in made if take.story["candidate"] == 1]
        assert np.array_equal(takes[0].samples, takes[1].samples)

    def test_noise_comes_from_the_processor_whatever_the_device(self) -> None:
        """There from the device, so that each gives a seed another sound; "meta" stands for any but the processor."""
        states = []
        for device in ("cpu", "meta"):
            x = torch.ones(1, 2, 3, 4, device=device)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(7)
                *_, _clean = sample_ddim(lambda x, _t: (x, x), x, lay_schedule(SCHEDULE, [900, 500, 100]), eta=1.0)
                states.append(torch.get_rng_state())
        assert torch.equal(*states)

    def test_latents_however_large_are_not_clipped(self) -> None:
        """There they are cut to ±10 when one of them exceeds 100, so that a take breaks at a threshold."""
        engine, model = watched_engine(replace(PRESETS["tiny"], prediction="eps", clip_x0=None))
        model.unet.conv_out.weight.data.mul_(1_000)
        engine.run(Generate("rain", seconds=0.3, steps=4))
        assert float(model.notes.decoded[0].abs().max()) > 100


class TestGuidance:
    @pytest.mark.parametrize("guidance", [0.0, 0.3, 1.0, 2.5, 7.0])
    def test_it_leads_from_the_unconditional_towards_the_prompt(self, guidance: float, relative_error) -> None:
        """As the paper prints it, w · e_u + (1 - w) · e_c, 2.5 would lead away; diffusers ignores what is below 1."""
        _, model = watched_engine(replace(PRESETS["tiny"], prediction="eps", clip_x0=None))
        generator = torch.Generator().manual_seed(0)
        x, t = torch.randn(1, *model.latent_shape(16), generator=generator), 500
        with torch.inference_mode():
            wanted, empty = model.embed_text(["rain"]), model.embed_text([""])
            e_c, e_u = (model.unet(x, torch.tensor([t]), embedding) for embedding in (wanted, empty))
            ours = model.denoiser(wanted, empty, guidance)(x, t).eps
        assert relative_error(e_c, e_u) > 1e-3
        assert relative_error(ours, e_u + guidance * (e_c - e_u)) <= 1e-5


class TestLength:
    @pytest.mark.parametrize("seconds", [0.1, 0.77, 2.0, 2.5, 3.3, 10.0])
    def test_it_is_what_was_asked_in_true_seconds(self, tiny: Engine, seconds: float) -> None:
        """There only multiples of 2.5 are allowed, and ten seconds last 10.24."""
        (take,) = tiny.run(Generate("rain", seconds=seconds, steps=1))
        assert take.samples.shape == (1, round(seconds * 48_000))

    def test_a_long_one_does_not_fade_into_noise_or_nothing(self, tiny: Engine) -> None:
        """There the net is given more rows than it ever saw, and beyond 20 s makes pure noise."""
        (take,) = tiny.run(Generate("rain", seconds=24.0, steps=2))
        levels = np.sqrt(np.square(take.samples.reshape(8, -1)).mean(axis=1))
        assert levels.max() < 3 * levels.min()

    def test_the_vocoder_adds_nothing(self) -> None:
        """There 32 samples more than frames come out of it."""
        vocoder = HiFiGan(HiFiGanConfig(channels=64)).eval()
        assert vocoder(torch.zeros(1, 1, 10, 64)).shape == (1, 1_600)


class TestCandidates:
    def test_they_are_ranked_on_the_processor(self, tiny: Engine) -> None:
        """There the default, three candidates, needs a card by NVIDIA: the sounds are sent to it for their scores."""
        assert tiny.device_name == "cpu"
        scores = [take.story["score"] for take in tiny.run(RAIN)]
        assert scores == sorted(scores, reverse=True)
        assert len(set(scores)) == 3

    def test_their_order_is_the_same_every_time(self, tiny: Engine) -> None:
        """There each embedding may be dropped or cut differently."""
        orders = set()
        for seed in range(6):
            with_other_global_seeds(seed)
            orders.add(tuple((take.story["candidate"], take.story["score"]) for take in tiny.run(RAIN)))
        assert len(orders) == 1

    @pytest.mark.parametrize("prompt", ["rain on a tin roof", "a dog barks"])
    def test_each_is_compared_with_its_own_prompt(self, tiny: Engine, prompt: str) -> None:
        """In diffusers, of several prompts' candidates, the wrong rows are picked."""
        model = tiny._loaded()
        for take in tiny.run(replace(RAIN, prompt=prompt, seconds=1.0, model_band=True)):
            assert take.story["prompt"] == prompt
            assert take.story["score"] == pytest.approx(cosine(model, [prompt], take), abs=0.02)

    def test_those_of_a_sound_are_compared_with_that_sound(self, tiny: Engine) -> None:
        """There they are compared with the empty prompt."""
        like, model = noise_clip(1.0), tiny._loaded()
        for take in tiny.run(Generate("", seconds=1.0, steps=2, candidates=2, like=like, model_band=True)):
            assert take.story["score"] == pytest.approx(cosine(model, like, take), abs=0.05)
            assert take.story["score"] != pytest.approx(cosine(model, [""], take), abs=0.05)


@torch.inference_mode()
def cosine(model: AudioLDM, wanted: list[str] | Audio, take: Audio) -> float:
    sound = model.embed_audio(torch.from_numpy(take.samples))
    heard = isinstance(wanted, Audio)
    other = model.embed_audio(torch.from_numpy(wanted.samples)) if heard else model.embed_text(wanted)
    return float(sound @ other.T)
