"""What the reference implementation of AudioLDM does wrong and we do not: files, restyling, inpainting, upscaling.

Each name says what holds here, each docstring what happens there.
`test_reference_bugs.py` and `test_reference_bugs_models.py` have the rest.
"""

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from engine import Audio, Engine, Generate, Inpaint, Restyle, Upscale
from engine.cli.outputs import choose_outputs, default_words
from engine.operations.bands import keep_band
from engine.operations.splice import rms
from tests.engine.watched import Notes, Watched, watched_engine


@pytest.fixture(scope="module")
def tiny() -> Engine:
    return Engine.load("tiny", "cpu")


@pytest.fixture
def watched() -> tuple[Engine, Watched]:
    return watched_engine()


def noise_clip(seconds: float, rate: int = 16_000, seed: int = 3, level: float = 0.1) -> Audio:
    shape = (1, round(seconds * rate))
    return Audio((np.random.default_rng(seed).standard_normal(shape) * level).astype(np.float32), rate)


def outside(clip: Audio, start_s: float, end_s: float) -> np.ndarray:
    """bool [T]."""
    mask = np.ones(clip.num_samples, bool)
    mask[round(start_s * clip.sample_rate) : round(end_s * clip.sample_rate)] = False
    return mask


class TestFiles:
    @pytest.mark.parametrize(
        ("suffix", "subtype"),
        [
            *[("wav", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")],
            *[("flac", "PCM_16"), ("flac", "PCM_24"), ("aiff", "PCM_24"), ("ogg", "VORBIS")],
        ],
    )
    def test_clips_of_any_format_are_taken(self, tiny: Engine, tmp_path: Path, suffix: str, subtype: str) -> None:
        """There they must be WAVs of 16 bits."""
        path = tmp_path / f"clip.{suffix}"
        soundfile.write(path, noise_clip(0.3).samples.T, 16_000, subtype=subtype)
        (take,) = tiny.run(Restyle(Audio.read(path), "thunder", steps=1))
        assert take.num_samples == 4_800
        assert take.peak > 0.01

    @pytest.mark.parametrize("encoding", ["PCM_16", "PCM_24", "PCM_32"])
    def test_full_scale_does_not_wrap(self, tmp_path: Path, encoding: str) -> None:
        """There +1.0 times 32768 becomes -32768."""
        loud = Audio(np.array([[1.0, 0.5, -1.0, 1.2, -1.2] * 200], np.float32), 16_000)
        loud.write(tmp_path / "loud.wav", encoding=encoding)
        read, _ = soundfile.read(tmp_path / "loud.wav", dtype="float64")
        assert read == pytest.approx(np.clip(loud.samples[0], -1, 1), abs=1 / 32_768)

    @pytest.mark.parametrize("prompt", ["rain " * 200, "雨" * 1_000, "../" * 300], ids=["words", "kanji", "paths"])
    def test_a_long_prompt_makes_a_name_that_can_be_written(self, tiny: Engine, tmp_path: Path, prompt: str) -> None:
        """There the prompt is the name, and the take is lost when the file system refuses it."""
        (take,) = tiny.run(Generate(prompt.strip(), seconds=0.1, steps=1))
        (path,) = choose_outputs(tmp_path, default_words("generate", prompt, 1), 1)
        take.write(path)
        assert path.parent == tmp_path
        assert path.is_file()


class TestRestyle:
    @pytest.mark.parametrize("seconds", [0.3, 1.3, 2.6, 3.0])
    def test_a_clip_keeps_its_length(self, tiny: Engine, seconds: float) -> None:
        """There it is rounded up to a multiple of 2.5 s, beyond its end, and below 2.5 s refused."""
        (take,) = tiny.run(Restyle(noise_clip(seconds, 22_050), "thunder", steps=1))
        assert take.num_samples == round(seconds * 22_050)

    def test_a_clip_keeps_its_rate_and_its_channels(self, tiny: Engine) -> None:
        """There everything becomes 16 kHz mono."""
        clip = Audio(np.concatenate([noise_clip(0.3, 44_100, seed).samples for seed in (1, 2)]), 44_100)
        (take,) = tiny.run(Restyle(clip, "thunder", steps=1))
        assert (take.sample_rate, take.samples.shape) == (44_100, clip.samples.shape)

    def test_a_long_clip_does_not_become_silence(self, tiny: Engine) -> None:
        """There it does, or no numbers at all."""
        clip = noise_clip(12.0)
        (take,) = tiny.run(Restyle(clip, "thunder", steps=2))
        levels = np.sqrt(np.square(take.samples.reshape(8, -1)).mean(axis=1))
        assert levels == pytest.approx([0.1] * 8, rel=0.5)

    def test_its_last_moments_are_made_too(self, tiny: Engine) -> None:
        """There the last three latent rows, 0.12 s, are dropped."""
        clip = noise_clip(1.0)
        (take,) = tiny.run(Restyle(clip, "thunder"))
        last = slice(-round(0.12 * 16_000), None)
        assert rms(take.samples[:, last]) > 0.3 * rms(take.samples)
        assert not np.allclose(take.samples[:, last], clip.samples[:, last], atol=1e-3)

    def test_all_rows_are_decoded(self, watched: tuple[Engine, Watched]) -> None:
        """There all but three."""
        engine, model = watched
        engine.run(Restyle(noise_clip(1.0), "thunder", steps=1))
        assert model.notes.decoded[0].shape == model.notes.encoded[0].shape
        assert model.notes.decoded[0].shape[2] * model.samples_per_row >= 16_000

    @pytest.mark.parametrize("steps", [1, 2, 25, 60])
    @pytest.mark.parametrize("sampler", ["dpm++2m", "dpm++2m-sde", "ddim"])
    def test_full_strength_works(self, tiny: Engine, steps: int, sampler: str) -> None:
        """There it crashes: the noise level after the last one is looked up."""
        (take,) = tiny.run(Restyle(noise_clip(0.3), "thunder", strength=1.0, steps=steps, sampler=sampler))
        assert np.isfinite(take.samples).all()

    def test_no_strength_is_the_clip_bit_for_bit(self, tiny: Engine) -> None:
        """There it is what autoencoder and vocoder make of it."""
        clip = noise_clip(0.5, 44_100)
        (take,) = tiny.run(Restyle(clip, "thunder", strength=0.0))
        assert np.array_equal(take.samples, clip.samples)

    @pytest.mark.parametrize("strength", [0.2, 0.5, 0.8, 1.0])
    def test_it_begins_at_the_noise_level_of_its_first_step(
        self, watched: tuple[Engine, Watched], strength: float
    ) -> None:
        """There one level noisier, which the first step then takes for signal."""
        engine, model = watched
        starts = []
        for seed in (1, 2):
            model.notes = Notes()
            engine.run(Restyle(noise_clip(0.5, seed=seed), "thunder", strength=strength, steps=10))
            starts.append((*model.notes.denoised[0], model.notes.encoded[0]))
        (one, t, clean_one), (other, same_t, clean_other) = starts
        alpha_bar = model.config.schedule.alpha_bar(t)

        assert t == same_t
        assert torch.allclose(one - other, math.sqrt(alpha_bar) * (clean_one - clean_other), atol=1e-5)
        noise = (one - math.sqrt(alpha_bar) * clean_one) / math.sqrt(1 - alpha_bar)
        assert float(noise.std()) == pytest.approx(1, abs=0.1)

    def test_a_clip_is_encoded_alike_every_time(self, watched: tuple[Engine, Watched]) -> None:
        """There a random sample of the posterior is taken, which changes gestures by themselves."""
        engine, model = watched
        for seed in (1, 2):
            engine.run(Restyle(noise_clip(0.5), "thunder", steps=1, seed=seed))
        assert torch.equal(*model.notes.encoded)

    def test_candidates_are_ranked(self, tiny: Engine) -> None:
        """There a restyle has one take and no ranking."""
        scores = [take.story["score"] for take in tiny.run(Restyle(noise_clip(0.5), "thunder", candidates=3))]
        assert scores == sorted(scores, reverse=True)
        assert len(set(scores)) == 3


class TestInpaint:
    @pytest.mark.parametrize("seconds", [0.5, 1.7, 4.0])
    def test_a_clip_of_any_length_is_taken(self, tiny: Engine, seconds: float) -> None:
        """There it must last 10.24 s."""
        clip = noise_clip(seconds)
        (take,) = tiny.run(Inpaint(clip, "glass breaks", [(0.2, 0.4)], steps=1))
        assert take.num_samples == clip.num_samples

    @pytest.mark.parametrize("rate", [16_000, 44_100])
    @pytest.mark.parametrize("seconds", [1.0, 3.0])
    def test_a_region_is_said_in_seconds(self, tiny: Engine, rate: int, seconds: float) -> None:
        """There in shares of the clip, so that the same numbers mean another place in another clip."""
        clip = noise_clip(seconds, rate)
        (take,) = tiny.run(Inpaint(clip, "glass breaks", [(0.25, 0.75)], steps=1))
        changed = (take.samples != clip.samples)[0]
        assert not changed[outside(clip, 0.25, 0.75)].any()
        assert changed[~outside(clip, 0.25, 0.75)].mean() > 0.99

    @pytest.mark.parametrize("rate", [16_000, 44_100])
    def test_a_band_is_said_in_hertz(self, tiny: Engine, rate: int) -> None:
        """There in shares of the latent columns, which are no linear scale of anything."""
        clip, inner = noise_clip(1.0, rate), slice(round(0.3 * rate), round(0.7 * rate))
        (take,) = tiny.run(Inpaint(clip, "glass breaks", [(0.25, 0.75)], low_hz=1_000, high_hz=2_000))
        change = take.samples - clip.samples
        in_band = keep_band(change, rate, 800, 2_500)
        assert rms(change[:, inner]) > 0.001
        assert rms((change - in_band)[:, inner]) < 0.05 * rms(change[:, inner])

    def test_time_and_band_bound_each_other(self, tiny: Engine) -> None:
        """There the whole band is made anew as soon as a region and a band are given together."""
        clip = noise_clip(1.0)
        (take,) = tiny.run(Inpaint(clip, "glass breaks", [(0.4, 0.6)], low_hz=1_000, high_hz=2_000))
        assert np.array_equal(take.samples[:, outside(clip, 0.4, 0.6)], clip.samples[:, outside(clip, 0.4, 0.6)])

    def test_what_was_observed_comes_back_bit_for_bit(self, tiny: Engine, tmp_path: Path) -> None:
        """There it comes back as autoencoder and vocoder make it."""
        soundfile.write(tmp_path / "clip.wav", noise_clip(1.0).samples.T, 48_000, subtype="PCM_24")
        clip = Audio.read(tmp_path / "clip.wav")
        tiny.run(Inpaint(clip, "glass breaks", [(0.1, 0.2)]))[0].write(tmp_path / "take.wav")
        before, after = (soundfile.read(tmp_path / name, dtype="int32")[0] for name in ("clip.wav", "take.wav"))
        kept = outside(clip, 0.1, 0.2)
        assert np.array_equal(before[kept], after[kept])
        assert not np.array_equal(before, after)

    def test_observed_latents_are_clean_at_the_end(self, watched: tuple[Engine, Watched]) -> None:
        """There they keep the noise of the last timestep."""
        engine, model = watched
        engine.run(Inpaint(noise_clip(1.0), "glass breaks", [(0.45, 0.55)], steps=3))
        (observed, made), rows = (model.notes.encoded[0], model.notes.decoded[0]), slice(0, 8)  # the first 0.32 s
        assert torch.allclose(made[:, :, rows], observed[:, :, rows], atol=1e-5)


class TestUpscale:
    @pytest.mark.parametrize("cutoff_hz", [1_500, 3_000, 5_000])
    @pytest.mark.parametrize("seconds", [0.4, 1.7])
    def test_below_the_cutoff_the_clip_stays_itself(self, tiny: Engine, seconds: float, cutoff_hz: float) -> None:
        """There it comes back as autoencoder and vocoder make it, is cut at 3.7 kHz always, and must last 10.24 s."""
        noise = noise_clip(seconds)
        clip = Audio(keep_band(noise.samples, 16_000, None, cutoff_hz), 16_000)
        (take,) = tiny.run(Upscale(clip, "rain", cutoff_hz=cutoff_hz, steps=1))
        clip = clip.resample(48_000)
        below, above = (keep_band(take.samples - clip.samples, 48_000, *band)
                        for band in ((None, 0.8 * cutoff_hz), (1.2 * cutoff_hz, None)))  # fmt: skip
        assert take.samples.shape == clip.samples.shape
        assert rms(below) < 0.01 * rms(clip.samples)
        assert rms(above) > 10 * rms(below)
