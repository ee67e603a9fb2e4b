"""Text to waveform against diffusers' AudioLDMPipeline with the same weights, and both samplers on a real UNet."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from diffusers import AudioLDMPipeline, DDIMScheduler, DPMSolverMultistepScheduler
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from engine.audioldm import AudioLDM
from engine.diffusion.schedule import lay_schedule, timesteps_for
from engine.diffusion.solvers import sample_ddim, sample_dpm_solver_2m
from engine.models.clap import ClapConfig, LaionClap
from engine.models.clap_tokenizer import RobertaTokenizer
from engine.models.unet import UNetConfig
from engine.models.vae import VaeConfig
from engine.models.vocoder import HiFiGanConfig
from engine.presets import S
from tests.engine.reference_timesteps import leading_timesteps
from tests.engine.twins import diffusers_unet, diffusers_vae, transformers_text_tower, transformers_vocoder

# AudioLDM-S in everything but its widths.
NARROW = replace(
    S,
    name="narrow",
    unet=UNetConfig(base_channels=32, head_dim=8, condition_size=64),
    vae=VaeConfig(base_channels=32),
    vocoder=HiFiGanConfig(channels=64),
    clap=ClapConfig(audio_tower="HTSAT-test", text_tower="roberta-test", embedding_dim=64),
)
HEADS = (4, 8, 12, 20)
SCALE = 40.0  # random nets do not denoise: latents end this large, and the decoder must see them at unit size
ROWS = 8  # 0.32 s
SECONDS = 0.3  # diffusers rounds them up to the rows and cuts the waveform
PROMPT = "rain on a tin roof"
PUBLISHED = {"beta_start": 0.0015, "beta_end": 0.0195, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}


@dataclass(frozen=True)
class Rendered:
    """What a pipeline leaves behind."""

    trajectory: list[Tensor]  # latents after each step, [1, 8, ROWS, 16]
    waveform: Tensor  # [1, T]


@pytest.fixture(scope="module")
def model(scramble) -> AudioLDM:
    model = scramble(AudioLDM(NARROW), 1)
    model.latent_mean.zero_()
    model.latent_scale.fill_(SCALE)
    model.vae.decoder.head[2].bias.data.fill_(-5.0)  # decoded log-mels as loud as those of sounds
    model.clap.tokenizer = RobertaTokenizer.bytes_only()
    return model


@pytest.fixture(scope="module")
def pipeline(model, tmp_path_factory) -> AudioLDMPipeline:
    folder = tmp_path_factory.mktemp("tokenizer")
    assert isinstance(model.clap, LaionClap)
    model.clap.tokenizer.write(folder)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token="<pad>", model_max_length=512
    )
    theirs = AudioLDMPipeline(
        vae=diffusers_vae(model.vae, scaling_factor=SCALE),
        text_encoder=transformers_text_tower(model.clap),
        tokenizer=tokenizer,
        unet=diffusers_unet(model.unet, HEADS),
        scheduler=DDIMScheduler(**PUBLISHED, steps_offset=1, set_alpha_to_one=False, clip_sample=False),
        vocoder=transformers_vocoder(model.vocoder),
    )
    theirs.set_progress_bar_config(disable=True)
    return theirs


def first_noise() -> Tensor:
    return torch.randn(1, 8, ROWS, 16, generator=torch.Generator().manual_seed(4))


def their_sound(pipeline: AudioLDMPipeline, negative: str, guidance: float, eta: float) -> Rendered:
    trajectory: list[Tensor] = []
    waveform = pipeline(
        PROMPT, audio_length_in_s=SECONDS, num_inference_steps=50, guidance_scale=guidance, negative_prompt=negative,
        eta=eta, generator=torch.Generator().manual_seed(5), latents=first_noise(), output_type="pt",
        callback=lambda _step, _t, latents: trajectory.append(latents.clone()),
    ).audios  # fmt: skip
    return Rendered(trajectory, waveform)


@torch.inference_mode()
def our_sound(model: AudioLDM, negative: str, guidance: float, eta: float) -> Rendered:
    schedule, generator = model.config.schedule, torch.Generator().manual_seed(5)
    denoise = model.denoiser(model.embed_text([PROMPT]), model.embed_text([negative]), guidance)
    timesteps = leading_timesteps(50, schedule)

    def draw() -> Tensor:
        return torch.randn(first_noise().shape, generator=generator)

    trajectory = list(sample_ddim(denoise, first_noise(), lay_schedule(schedule, timesteps), eta=eta, draw=draw))
    waveform = model.vocode(model.decode(trajectory[-1]))
    return Rendered(trajectory, waveform[:, : int(SECONDS * model.sample_rate)])


@pytest.mark.slow
class TestTextToWaveformOverFiftySteps:
    @pytest.mark.parametrize(
        ("negative", "guidance", "eta"),
        [("", 2.5, 0.0), ("", 1.0, 0.0), ("a dog barks", 4.0, 0.0), ("", 2.5, 1.0)],
        ids=["as published", "without guidance", "with a negative prompt", "with fresh noise at every step"],
    )
    def test_latents_at_every_step_and_the_waveform(self, model, pipeline, negative, guidance, eta, relative_error):
        expected = their_sound(pipeline, negative, guidance, eta)
        ours = our_sound(model, negative, guidance, eta)
        assert len(ours.trajectory) == len(expected.trajectory) == 50
        for mine, theirs in zip(ours.trajectory, expected.trajectory, strict=True):
            assert relative_error(mine, theirs) <= 1e-4
        assert relative_error(ours.waveform, expected.waveform) <= 1e-4


@torch.inference_mode()
def noise_predictions(pipeline: AudioLDMPipeline, model: AudioLDM) -> Callable[[Tensor, int], Tensor]:
    """What diffusers' UNet predicts with guidance 2.5: (x_t, t) -> eps."""
    embeddings = torch.cat([model.embed_text([""]), model.embed_text([PROMPT])])

    def predict(x: Tensor, t: int) -> Tensor:
        both = pipeline.unet(torch.cat([x, x]), t, encoder_hidden_states=None, class_labels=embeddings).sample
        unguided, towards = both.chunk(2)
        return unguided + 2.5 * (towards - unguided)

    return predict


@torch.inference_mode()
@pytest.mark.parametrize("num_steps", [2, 5, 10, 15, 25, 40])
def test_dpm_solver_on_the_same_unet(model, pipeline, num_steps, relative_error):
    """The whole trajectory at the same timesteps, with guidance."""
    scheduler = DPMSolverMultistepScheduler(**PUBLISHED, final_sigmas_type="zero")
    scheduler.set_timesteps(num_steps)
    timesteps, schedule = timesteps_for(num_steps, model.config.schedule), model.config.schedule
    assert timesteps == scheduler.timesteps.tolist()

    predict, x = noise_predictions(pipeline, model), first_noise()
    denoise = model.denoiser(model.embed_text([PROMPT]), guidance=2.5)
    for ours, t in zip(
        sample_dpm_solver_2m(denoise, x, lay_schedule(schedule, timesteps)), scheduler.timesteps, strict=True
    ):
        x = scheduler.step(predict(x, t), t, x).prev_sample
        assert relative_error(ours, x) <= 1e-4


class TestTextEmbedding:
    def test_pipelines_condition_is_ours(self, model, pipeline, relative_error):
        """Unconditional first, then the prompt: the empty text's embedding, not zeros."""
        theirs = pipeline._encode_prompt(PROMPT, "cpu", 1, True)
        with torch.inference_mode():
            assert relative_error(model.embed_text(["", PROMPT]), theirs) <= 1e-5
