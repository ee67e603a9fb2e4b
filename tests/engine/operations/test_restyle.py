"""Restyle: the clip's rate, channels, length and loudness; bit-identical where it should be."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from engine import Audio, Engine, Restyle
from engine.audioldm import AudioLDM
from engine.operations.bands import keep_band
from engine.operations.limiter import true_peak
from engine.operations.loudness import level_of
from engine.operations.splice import rms
from engine.presets import PRESETS


def decibels(part: np.ndarray, reference: np.ndarray) -> float:
    return float(20 * np.log10(rms(part) / rms(reference)))


def loudness(samples: np.ndarray, rate: int = 44_100) -> float:
    return level_of(samples, rate).lufs


class TestShape:
    @pytest.mark.parametrize("seconds", [0.02, 0.05, 0.333, 1.9])
    @pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 96_000])
    def test_rate_channels_and_length_are_the_clips(self, tiny: Engine, rate: int, seconds: float) -> None:
        samples = np.random.default_rng(0).standard_normal((1, round(seconds * rate))) * 0.1
        clip = Audio(samples.astype(np.float32), rate)

        (take,) = tiny.run(Restyle(clip, "thunder", steps=2))

        assert take.samples.shape == clip.samples.shape
        assert take.sample_rate == rate
        assert not np.array_equal(take.samples, clip.samples)

    def test_double_precision_stays(self, tiny: Engine) -> None:
        clip = Audio(np.random.default_rng(0).standard_normal((1, 8_000)) * 0.1, 16_000, encoding="PCM_32")
        (take,) = tiny.run(Restyle(clip, "thunder", start_s=0.1, end_s=0.3, steps=2))
        assert take.samples.dtype == np.float64
        assert take.encoding == "PCM_32"


class TestRegion:
    def test_outside_nothing_changes(self, tiny: Engine, clip: Audio) -> None:
        (take,) = tiny.run(Restyle(clip, "thunder", start_s=0.5, end_s=1.0))

        start, end = 22_050, 44_100
        assert np.array_equal(take.samples[:, :start], clip.samples[:, :start])
        assert np.array_equal(take.samples[:, end:], clip.samples[:, end:])
        changed = np.flatnonzero((take.samples != clip.samples).any(axis=0))
        assert len(changed) > 0.99 * (end - start)

    @pytest.mark.parametrize("keep_air", [False, True])
    def test_borders_do_not_click(self, tiny: Engine, keep_air: bool) -> None:
        """A low tone has no sample-to-sample step larger at the borders than inside either sound."""
        tone = 0.3 * np.sin(2 * np.pi * 110 * np.arange(48_000) / 48_000)[None].astype(np.float32)
        clip = Audio(tone, 48_000)
        (take,) = tiny.run(Restyle(clip, "thunder", start_s=0.3, end_s=0.7, keep_air=keep_air))

        steps = np.abs(np.diff(take.samples[0]))
        inside = steps[18_000:30_000].max()
        for border in (14_400, 33_600):
            assert steps[border - 100 : border + 1_500].max() <= 1.5 * max(inside, np.abs(np.diff(tone)).max())


class TestLoudness:
    def test_it_is_the_clips_channel_by_channel(self, tiny: Engine, clip: Audio) -> None:
        quiet_right = replace(clip, samples=clip.samples * np.array([[0.5], [0.05]], np.float32))
        (take,) = tiny.run(Restyle(quiet_right, "thunder"))
        for made, source in zip(take.samples, quiet_right.samples, strict=True):
            assert loudness(made[None]) == pytest.approx(loudness(source[None]), abs=0.5)

    def test_a_very_quiet_clip_stays_quiet(self, tiny: Engine, clip: Audio) -> None:
        quiet = replace(clip, samples=clip.samples * np.float32(0.001))
        (take,) = tiny.run(Restyle(quiet, "thunder"))
        assert loudness(take.samples) == pytest.approx(loudness(quiet.samples), abs=0.5)

    def test_a_loud_clip_stays_loud(self, tiny: Engine) -> None:
        """Near full scale what is made has higher peaks: they give way, instead of all of it."""
        loud = 0.5 * np.sign(np.sin(2 * np.pi * 200 * np.arange(48_000) / 48_000))[None].astype(np.float32)
        (take,) = tiny.run(Restyle(Audio(loud, 48_000), "thunder"))
        assert loudness(take.samples) == pytest.approx(loudness(loud), abs=2)
        assert true_peak(take.samples, 48_000) <= 1

    def test_full_scale_is_never_exceeded(self, tiny: Engine) -> None:
        square = np.where(np.arange(24_000) // 50 % 2, 1.0, -1.0)[None].astype(np.float32)
        (take,) = tiny.run(Restyle(Audio(square, 48_000, encoding="PCM_16"), "thunder", start_s=0.1, end_s=0.4))
        assert take.peak <= 1

    def test_silence_is_a_clip(self, tiny: Engine) -> None:
        (take,) = tiny.run(Restyle(Audio(np.zeros((2, 16_000), np.float32), 16_000), "thunder"))
        assert np.isfinite(take.samples).all()
        assert np.array_equal(take.samples[0], take.samples[1])


class TestStrength:
    @pytest.mark.parametrize("candidates", [1, 3])
    def test_none_is_the_clip_itself(self, tiny: Engine, clip: Audio, candidates: int) -> None:
        takes = tiny.run(Restyle(clip, "thunder", strength=0, candidates=candidates))
        assert len(takes) == candidates
        assert all(np.array_equal(take.samples, clip.samples) for take in takes)
        assert takes[0].story["score"] is None

    @pytest.mark.parametrize(("strength", "steps"), [(0.001, 1), (0.25, 5), (0.5, 10), (1.0, 20)])
    def test_so_many_of_the_steps_are_taken(self, tiny: Engine, clip: Audio, strength: float, steps: int) -> None:
        news = []
        tiny.run(Restyle(clip, "thunder", strength=strength, steps=20), on_step=news.append)
        assert max(one.step for one in news) == steps

    def test_the_less_the_closer(self) -> None:
        """Bursts of noise: with little strength the take's loudness rises and falls with the clip's."""
        bursts = np.random.default_rng(1).standard_normal((1, 19_200)) * 0.2 * (np.arange(19_200) // 2_400 % 2)
        engine = Engine(_Pooling(PRESETS["tiny"]).eval())
        contours = [contour(bursts)]
        for strength in (0.1, 1.0):
            (take,) = engine.run(Restyle(Audio(bursts, 16_000), "thunder", strength=strength, steps=20))
            contours.append(contour(take.samples))
        close, far = np.corrcoef(contours)[0, 1:]
        assert close > 0.8
        assert far < 0.4


class _Pooling(AudioLDM):
    """A codec that one can reason about: the first latent channel is the mean of 4 x 4 cells of the log-mel."""

    def encode(self, log_mel: torch.Tensor) -> torch.Tensor:
        pooled = torch.nn.functional.avg_pool2d((log_mel + 4.5) / 3, 4)
        return torch.nn.functional.pad(pooled, (0, 0, 0, 0, 0, 7))

    def decode(self, latent: torch.Tensor) -> torch.Tensor:
        return (latent[:, :1] * 3 - 4.5).repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


def contour(samples: np.ndarray) -> np.ndarray:
    """Loudness of each 25 ms at 16 kHz."""
    return np.sqrt(np.square(samples.reshape(-1, 400)).mean(axis=1))


class TestStereo:
    def test_identical_channels_stay_identical(self, tiny: Engine, clip: Audio) -> None:
        mono = replace(clip, samples=np.repeat(clip.samples[:1], 2, axis=0))
        (take,) = tiny.run(Restyle(mono, "thunder", start_s=0.2, end_s=0.9))
        (alone,) = tiny.run(Restyle(replace(clip, samples=clip.samples[:1]), "thunder", start_s=0.2, end_s=0.9))
        assert np.array_equal(take.samples[0], take.samples[1])
        assert np.array_equal(take.samples[0], alone.samples[0])

    def test_channels_share_their_noise(self, tiny: Engine, clip: Audio) -> None:
        """Channels that differ by a hair come out alike, as they would not with noise of their own."""
        nearly = np.repeat(clip.samples[:1], 2, axis=0)
        nearly[1] *= 0.999
        (take,) = tiny.run(Restyle(replace(clip, samples=nearly), "thunder"))
        assert np.corrcoef(take.samples)[0, 1] > 0.99

    def test_what_lies_to_one_side_stays_there(self, tiny: Engine, clip: Audio) -> None:
        left = replace(clip, samples=clip.samples * np.array([[1.0], [0.0]], np.float32))
        (take,) = tiny.run(Restyle(left, "thunder"))
        assert rms(take.samples[1]) == 0
        assert rms(take.samples[0]) > 0.01


class TestAir:
    def test_above_the_models_band_the_clip_stays_itself(self, tiny: Engine) -> None:
        noise = (np.random.default_rng(1).standard_normal((1, 48_000)) * 0.1).astype(np.float32)
        clip = Audio(noise, 48_000)

        (kept,) = tiny.run(Restyle(clip, "thunder", keep_air=True))
        (lost,) = tiny.run(Restyle(clip, "thunder"))

        air, inner = keep_band(noise, 48_000, 9_000, None), slice(2_000, -2_000)
        assert np.allclose(keep_band(kept.samples, 48_000, 9_000, None)[:, inner], air[:, inner], atol=2e-3)
        made = keep_band(lost.samples, 48_000, 9_000, None)
        assert decibels(made, air) == pytest.approx(0, abs=2)
        assert abs(np.corrcoef(made[0], air[0])[0, 1]) < 0.05, "another noise, not the clip's own"

    def test_below_it_nothing_of_the_clip_is_left_to_double(self, tiny: Engine) -> None:
        """Loudness is matched without the air, so the whole keeps its level."""
        noise = (np.random.default_rng(1).standard_normal((1, 48_000)) * 0.1).astype(np.float32)
        (kept,) = tiny.run(Restyle(Audio(noise, 48_000), "thunder", keep_air=True))
        assert decibels(kept.samples, noise) == pytest.approx(0, abs=1)

    def test_a_region_has_its_neighbourhoods_not_its_own(self, tiny: Engine) -> None:
        """A hiss in the region alone goes with what it belonged to; the same seed makes the same air."""
        noise = keep_band(
            (np.random.default_rng(1).standard_normal((2, 96_000)) * 0.1).astype(np.float32), 48_000, None, 5_000
        )
        hiss = keep_band(
            noise * 0 + np.random.default_rng(2).standard_normal(96_000).astype(np.float32) * 0.01, 48_000, 9_000, None
        )
        cough = hiss.copy()
        cough[:, 40_000:60_000] *= 20
        request = Restyle(Audio(noise + cough, 48_000), "thunder", start_s=40_000 / 48_000, end_s=60_000 / 48_000)
        (take,), (again,) = tiny.run(request), tiny.run(request)
        made, around = (keep_band(one, 48_000, 10_000, None)[:, 42_000:58_000] for one in (take.samples, hiss))
        assert decibels(made, around) == pytest.approx(0, abs=6)
        assert np.array_equal(take.samples, again.samples)

    def test_equal_channels_have_equal_air(self, tiny: Engine) -> None:
        noise = np.repeat(np.random.default_rng(1).standard_normal((1, 48_000)) * 0.1, 2, axis=0)
        (take,) = tiny.run(Restyle(Audio(noise, 48_000), "thunder"))
        assert np.array_equal(take.samples[0], take.samples[1])


class TestOffset:
    @pytest.mark.parametrize("region", [(None, None), (0.3, 0.7), (None, 0.5), (0.5, None)])
    def test_a_clip_that_rests_on_one_goes_on_resting(
        self, tiny: Engine, region: tuple[float | None, float | None]
    ) -> None:
        """Another to the left than to the right: in every tenth of a second it is where it was, and no border steps."""
        noise = (np.random.default_rng(1).standard_normal((2, 48_000)) * 0.05).astype(np.float32)
        offsets = np.array([[0.2], [-0.3]], np.float32)
        (take,) = tiny.run(Restyle(Audio(noise + offsets, 48_000), "thunder", start_s=region[0], end_s=region[1]))
        means = take.samples.reshape(2, 10, 4_800).mean(axis=2)
        assert np.abs(means - offsets).max() < 0.03


class TestLongClips:
    def test_several_windows_are_one_sound(self, tiny: Engine) -> None:
        """Five windows long: noise keeps its level from half second to half second, and there is no silence between."""
        noise = (np.random.default_rng(1).standard_normal((1, 6 * 16_000)) * 0.1).astype(np.float32)
        (take,) = tiny.run(Restyle(Audio(noise, 16_000), "thunder", strength=0.3, steps=4))
        levels = np.array([rms(piece) for piece in np.split(take.samples, 24, axis=1)])
        assert levels.max() < 2 * levels.min()

    def test_it_can_be_stopped_within_a_step(self, tiny: Engine) -> None:
        noise = (np.random.default_rng(1).standard_normal((1, 6 * 16_000)) * 0.1).astype(np.float32)
        asked = []

        def should_stop() -> bool:
            asked.append(1)
            return False

        tiny.run(Restyle(Audio(noise, 16_000), "thunder", steps=2, strength=1), should_stop=should_stop)
        assert len(asked) > 20


def test_the_story_has_what_was_asked(tiny: Engine, clip: Audio) -> None:
    (take,) = tiny.run(Restyle(clip, "thunder", strength=0.4, start_s=0.25, end_s=0.75, keep_air=True))
    told = {name: take.story[name] for name in ("operation", "prompt", "strength", "start_s", "end_s", "keep_air")}
    assert told == {
        "operation": "restyle",
        "prompt": "thunder",
        "strength": 0.4,
        "start_s": 0.25,
        "end_s": 0.75,
        "keep_air": True,
    }


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_through_files_the_untouched_samples_are_the_same(tiny: Engine, tmp_path: Path, subtype: str) -> None:
    noise = np.random.default_rng(2).uniform(-0.5, 0.5, (24_000, 2))
    soundfile.write(tmp_path / "clip.wav", noise, 48_000, subtype=subtype)
    request = Restyle(Audio.read(tmp_path / "clip.wav"), "thunder", start_s=0.2, end_s=0.3)

    tiny.run(request)[0].write(tmp_path / "take.wav")

    before, after = (soundfile.read(tmp_path / name, dtype="float64")[0] for name in ("clip.wav", "take.wav"))
    assert np.array_equal(before[:9_600], after[:9_600])
    assert np.array_equal(before[14_400:], after[14_400:])
    assert not np.array_equal(before, after)
