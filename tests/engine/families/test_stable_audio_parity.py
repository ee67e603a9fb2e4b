"""Whole ways from noise to sound, as diffusers' three pipelines of Stable Audio 3 go them, with the same noise."""

from dataclasses import replace

import pytest
import torch

from engine.checkpoints.stable_audio import open_stable_audio
from engine.diffusion.solvers import sample_ddim, sample_ping_pong
from engine.families.stable_audio.stable_audio import StableAudio
from tests.engine.families.tiny_stable_audio import TinyNets, medium_config, pipeline

TOLERANCE = 1e-4  # of every latent on the way
HEARD = 1e-3  # of the samples: a decoder with random weights amplifies what guidance leaves of rounding
SECONDS, PROMPT = 0.005, "a dog barks"  # 221 samples: 14 rows of 16, the last one not whole
STEPS = 4


@pytest.fixture(scope="module")
def folder(medium, tmp_path_factory):
    return medium.write_folder(tmp_path_factory.mktemp("medium"))


@pytest.fixture(scope="module")
def model(folder):
    parts = open_stable_audio(folder)
    return StableAudio(parts.config, parts.dit, parts.same, parts.duration, parts.reader)


def without_mask(model):
    """As diffusers does it where nothing is given."""
    config = replace(model.config, masks_always=False)
    return StableAudio(config, model.dit, model.same, model.duration, model.reader)


def seeded():
    return torch.Generator().manual_seed(5)


def drawing(generator, shape):
    return lambda: torch.randn(shape, generator=generator)


class Trace:
    """What a pipeline has after each step."""

    def __init__(self):
        self.latents = []

    def __call__(self, _, step, timestep, given):
        del step, timestep
        self.latents.append(given["latents"].clone())
        return given


def assert_same_way(ours, theirs, model, audio):
    assert len(ours) == len(theirs) == STEPS
    worst = max(float((mine - other).abs().max()) for mine, other in zip(ours, theirs, strict=True))
    waveform = model.decode_sound(ours[-1])[..., : audio.shape[-1]].clamp(-1, 1)
    heard = float((waveform - audio).abs().max())
    print(f"latents differ by {worst:.1e}, samples by {heard:.1e}")
    assert float(theirs[-1].std()) > 0.1
    assert float(audio.std()) > 0.01
    assert worst <= TOLERANCE
    assert heard <= HEARD


@torch.no_grad()
def test_from_words_alone(model, medium, folder):
    trace = Trace()
    audio = pipeline("StableAudio3Pipeline", folder, medium)(
        PROMPT, SECONDS, STEPS, generator=seeded(), callback_on_step_end=trace
    ).audios
    ours = without_mask(model)
    shape = (1, *ours.latent_shape(14))
    draw = drawing(seeded(), shape)

    way = sample_ping_pong(ours.denoiser(ours.condition([PROMPT], SECONDS)), draw(), ours.schedule(STEPS), draw=draw)

    assert_same_way(list(way), trace.latents, ours, audio)


@torch.no_grad()
def test_of_a_base_model_with_guidance(medium, folder, model):
    base = TinyNets.__new__(TinyNets)
    base.__dict__.update(vars(medium), config=replace(medium_config(), objective="flow"))
    trace = Trace()
    audio = pipeline("StableAudio3Pipeline", folder, base)(
        PROMPT,
        SECONDS,
        STEPS,
        guidance_scale=5.0,
        negative_prompt="music",
        generator=seeded(),
        callback_on_step_end=trace,
    ).audios
    ours = without_mask(model)
    start = torch.randn(1, *ours.latent_shape(14), generator=seeded())
    wanted, negative = (ours.condition([prompt], SECONDS) for prompt in (PROMPT, "music"))

    way = sample_ddim(ours.denoiser(wanted, negative, 5.0), start, ours.schedule(STEPS))

    assert_same_way(list(way), trace.latents, ours, audio)


@torch.no_grad()
@pytest.mark.parametrize("level", [0.3, 0.8, 1.0])
def test_from_a_clip_that_is_noised(model, medium, folder, level):
    clip = torch.randn(1, 2, 221, generator=seeded()) * 0.3
    trace = Trace()
    audio = pipeline("StableAudio3AudioToAudioPipeline", folder, medium)(
        PROMPT, SECONDS, clip, level, STEPS, generator=seeded(), callback_on_step_end=trace
    ).audios
    ours = without_mask(model)
    latent = ours.encode_sound(clip)
    draw = drawing(seeded(), latent.shape)
    start = (1 - level) * latent + level * draw()

    way = sample_ping_pong(
        ours.denoiser(ours.condition([PROMPT], SECONDS)), start, ours.schedule(STEPS, level), draw=draw
    )

    assert_same_way(list(way), trace.latents, ours, audio)


@torch.no_grad()
@pytest.mark.parametrize(
    "regions", [[(0.001, 0.003)], [(0.0, 0.001), (0.002, 0.004)], [(0.0, 1.0)]], ids=["one", "two", "everything"]
)
def test_inpainting_by_the_mask_that_the_net_was_taught(model, medium, folder, regions):
    clip = torch.randn(1, 2, 221, generator=seeded()) * 0.3
    trace = Trace()
    audio = pipeline("StableAudio3InpaintPipeline", folder, medium)(
        PROMPT,
        SECONDS,
        clip,
        mask_start_seconds=[start for start, _ in regions],
        mask_end_seconds=[end for _, end in regions],
        num_inference_steps=STEPS,
        generator=seeded(),
        callback_on_step_end=trace,
    ).audios
    latent = model.encode_sound(clip)
    keep = torch.ones(latent.shape[-1])
    for start, end in regions:
        keep[int(start * model.sample_rate / 16) : int(end * model.sample_rate / 16)] = 0
    condition = model.with_given(model.condition([PROMPT], SECONDS), latent, keep)
    draw = drawing(seeded(), latent.shape)

    way = sample_ping_pong(model.denoiser(condition), draw(), model.schedule(STEPS), draw=draw)

    assert_same_way(list(way), trace.latents, model, audio)


@torch.no_grad()
def test_words_alone_are_a_mask_of_zeros_to_the_authors(model):
    """Their code gives the net a mask that keeps nothing; diffusers gives none, which these nets tell apart."""
    condition = model.condition([PROMPT], SECONDS)
    x = torch.randn(1, *model.latent_shape(14), generator=seeded())
    explicit = model.with_given(condition, x, torch.zeros(14))

    ours, same, theirs = (
        net.denoiser(wanted)(x, 0.7).x0
        for net, wanted in ((model, condition), (model, explicit), (without_mask(model), condition))
    )
    assert torch.equal(ours, same)
    assert not torch.allclose(ours, theirs)
