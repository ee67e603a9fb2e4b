"""Learned air: the same however a sound is cut, nothing below the model's band's end, no whistle, attacks that stay."""

import time
from itertools import pairwise

import numpy as np
import pytest
import torch

from engine import Audio, Engine, Generate
from engine.audio import resample, resampled_slices
from engine.operations.air_levels import air_levels
from engine.operations.air_spectra import FULL_RATE
from engine.operations.bands import keep_band
from engine.operations.full_band import AirStream, add_full_band, full_band
from engine.operations.splice import correlation, rms
from engine.wav_writer import Samples

SECONDS = 12


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(seconds: float, channels: int = 1, seed: int = 0) -> Samples:
    """White up to 8 kHz, at the model's rate."""
    return (np.random.default_rng(seed).standard_normal((channels, round(seconds * 16_000))) * 0.1).astype(np.float32)


def at_full_rate(waveform: Samples) -> Samples:
    return resample(waveform, 16_000, FULL_RATE, 3 * waveform.shape[1])


def air_of(sound: Samples, cuts: list[int], likeness: float = 1.0) -> Samples:
    stream = AirStream(generator(), len(sound), likeness)
    parts = [stream.push(sound[:, start:end]) for start, end in pairwise([0, *cuts, sound.shape[1]])]
    return np.concatenate([*parts, stream.finish()], axis=1)


def highs(samples: Samples) -> float:
    """Level from 8 to 20 kHz, dB."""
    return 20 * float(np.log10(max(rms(keep_band(samples, FULL_RATE, 8_500, 20_000)), 1e-9)))


class TestSlices:
    @pytest.mark.parametrize("channels", [1, 2], ids=["mono", "stereo"])
    def test_any_cut_gives_the_same_bits(self, channels: int) -> None:
        sound = at_full_rate(noise(SECONDS, channels))
        whole = air_of(sound, [], 0.3)
        random = np.random.default_rng(5)
        for cuts in ([1, 2, 3], [262_144], sorted(random.integers(0, sound.shape[1], 40).tolist())):
            assert np.array_equal(air_of(sound, cuts, 0.3), whole)
        assert whole.shape == sound.shape

    @pytest.mark.parametrize("samples", [1, 255, 256, 257, 4_800, 262_144, 262_145])
    def test_any_length(self, samples: int) -> None:
        sound = at_full_rate(noise(6))[:, :samples]
        assert air_of(sound, []).shape == sound.shape

    @pytest.mark.parametrize("samples", [1, 255, 257, 65_537, 262_145])
    @pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
    def test_slices_of_a_resampled_sound_are_the_whole(self, samples: int, rate: int) -> None:
        sound = noise(17, channels=2)[:, :samples]
        for wanted in (max(1, samples * FULL_RATE // rate), samples * FULL_RATE // rate + 7):
            slices = list(resampled_slices(sound, rate, FULL_RATE, wanted))
            assert np.array_equal(np.concatenate(slices, axis=1), resample(sound, rate, FULL_RATE, wanted))

    @pytest.mark.parametrize("length", [4_801, 65_536, 262_145])
    def test_levels_are_the_same_bits_in_any_slices(self, length: int) -> None:
        sound = at_full_rate(noise(7, channels=2))
        slices = (sound[:, start : start + length] for start in range(0, sound.shape[1], length))
        assert np.array_equal(air_levels(slices, 2), air_levels([sound], 2))

    def test_a_window_is_heard_like_the_same_part_of_the_whole(self) -> None:
        """Beyond the net's reach what comes later changes nothing."""
        sound = at_full_rate(noise(SECONDS))
        assert np.array_equal(air_of(sound[:, :400_000], [])[:, :262_144], air_of(sound, [])[:, :262_144])


class TestWhatIsAdded:
    def test_nothing_below_the_models_band_s_end(self) -> None:
        waveform = noise(2)
        added = full_band(waveform, 16_000, generator(), 96_000) - at_full_rate(waveform)
        below, above = keep_band(added, FULL_RATE, None, 6_600), keep_band(added, FULL_RATE, 8_500, None)
        assert rms(below) < 4e-3 * rms(above)

    def test_no_gap_and_no_bump_where_the_two_meet(self) -> None:
        """Between 7 and 9 kHz no third of a kilohertz differs by more than 8 dB from the next."""
        made = full_band(noise(8), 16_000, generator(), 8 * FULL_RATE)
        edges = np.arange(6_800, 9_300, 350)
        levels = [20 * np.log10(rms(keep_band(made, FULL_RATE, low, high))) for low, high in pairwise(edges.tolist())]
        assert np.abs(np.diff(levels)).max() < 8

    def test_silence_stays_silence(self) -> None:
        sound = np.zeros((1, FULL_RATE), np.float32)
        add_full_band(sound, generator())
        assert not sound.any()

    def test_a_softer_sound_gets_softer_highs(self) -> None:
        loud, soft = (full_band(noise(2) * gain, 16_000, generator(), 96_000) for gain in (1.0, 0.03))
        assert highs(loud) - highs(soft) == pytest.approx(30.5, abs=6)

    def test_dull_sounds_get_less_than_bright_ones(self) -> None:
        waveform = noise(2)
        dull = keep_band(waveform, 16_000, None, 1_500) + 0.001 * waveform
        made = [highs(full_band(one, 16_000, generator(), 96_000)) for one in (waveform, dull)]
        assert made[0] - made[1] > 30

    def test_one_seed_one_noise(self) -> None:
        waveform = noise(1)
        one, same, other = (full_band(waveform, 16_000, generator(seed), FULL_RATE) for seed in (1, 1, 2))
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)

    @pytest.mark.parametrize("level", [0.4, -0.4, 2.5, -2.5])
    def test_one_sound_at_two_levels_stays_that(self, level: float) -> None:
        sound = np.concatenate([noise(1), noise(1) * np.float32(level)])
        made = full_band(sound, 16_000, generator(), FULL_RATE)
        assert np.allclose(made[1], made[0] * np.float32(level), atol=1e-5)

    def test_channels_are_as_alike_as_the_sound(self) -> None:
        mono = np.repeat(noise(2), 2, axis=0)
        wide = noise(2, 2)
        alike = [
            correlation(*keep_band(full_band(one, 16_000, generator(), 96_000), FULL_RATE, 9_000, None))
            for one in (mono, wide)
        ]
        assert alike[0] > 0.999
        assert abs(alike[1]) < 0.1


class TestCharacter:
    def test_a_tone_s_octaves_do_not_whistle(self) -> None:
        """A voice of pure overtones up to 7 kHz: above 8 kHz no line may stand out of its neighbourhood for long."""
        time_s = np.arange(3 * 16_000) / 16_000
        voice = sum(np.sin(2 * np.pi * hz * time_s + hz) / hz for hz in range(440, 7_000, 440))
        made = full_band((0.2 * np.asarray(voice)[None] * 440).astype(np.float32), 16_000, generator(), 3 * FULL_RATE)
        spectrum = np.abs(np.fft.rfft(made[0, FULL_RATE : 2 * FULL_RATE] * np.hanning(FULL_RATE)))
        own = spectrum[:7_000].max()
        assert 20 * np.log10(spectrum[8_000:20_000].max() / own) < -20

    def test_copies_of_a_vocoders_octave_have_no_dark_lines_between_them(self) -> None:
        """From 6 to 7.5 kHz nano falls by 20 dB and more; each copy of that once ended in a hole."""
        spectrum = np.fft.rfft(noise(6))
        hz = np.fft.rfftfreq(96_000, 1 / 16_000)
        dull = np.fft.irfft(spectrum * 10 ** (-np.clip(hz - 6_000, 0, 1_500) / 1_000)).astype(np.float32)
        made = full_band(dull, 16_000, generator(), 6 * FULL_RATE)
        power = np.abs(np.fft.rfft(made[0])) ** 2
        bands = [power[6 * low : 6 * (low + 250)].mean() for low in range(9_000, 20_000, 250)]
        assert np.abs(np.diff(10 * np.log10(bands))).max() < 4

    def test_an_attack_stays_one(self) -> None:
        """Clicks in silence: what is made is over within 10 ms of each, and hardly begins before it."""
        clicks = np.zeros((1, 32_000), np.float32)
        clicks[0, 8_000::8_000] = 0.5
        made = full_band(clicks, 16_000, generator(), 96_000)
        power = np.square(keep_band(made, FULL_RATE, 9_000, None)[0])
        place = 24_000 + 480
        during = power[place - 480 - 240 : place].sum()
        assert power[place - 480 - 2_400 : place - 480 - 240].sum() < 0.03 * during
        assert power[place : place + 4_800].sum() < 0.1 * during


class TestTakes:
    def test_a_take_is_at_48_khz_with_highs(self, nano: Engine) -> None:
        (take,) = nano.run(Generate("applause", 1.28, seed=3, tries=1))
        assert (take.sample_rate, take.num_samples, nano.sample_rate) == (48_000, 61_440, 48_000)
        assert highs(take.samples) > 20 * np.log10(rms(take.samples)) - 60
        assert take.story["model_band"] is False

    def test_the_models_band_alone_is_the_take_below(self, nano: Engine) -> None:
        full, plain = (nano.run(Generate("rain", 1.28, seed=3, tries=1, model_band=only))[0] for only in (False, True))
        assert plain.sample_rate == 16_000
        assert plain.story["model_band"] is True
        raised = plain.resample(48_000).samples
        difference = keep_band(full.samples - raised, FULL_RATE, None, 6_500)[:, 960:-960]
        assert rms(difference) < 0.02 * rms(raised)

    def test_the_length_is_that_asked_for(self, tiny: Engine) -> None:
        for seconds in (0.1, 0.4003, 1.00001):
            (take,) = tiny.run(Generate("rain", seconds, steps=2))
            assert take.num_samples == round(seconds * 48_000)

    def test_candidates_have_air_of_their_own(self, tiny: Engine) -> None:
        one, two = tiny.run(Generate("rain", 0.4, steps=2, candidates=2))
        assert not np.array_equal(*(keep_band(take.samples, FULL_RATE, 9_000, None) for take in (one, two)))

    @pytest.mark.slow
    def test_it_costs_at_most_15_percent_of_a_take(self, nano: Engine) -> None:
        waveform = noise(5.12)

        def spent(run: object) -> float:
            begun = time.process_time()
            run()  # type: ignore[operator]
            return time.process_time() - begun

        air = min(spent(lambda: full_band(waveform, 16_000, generator(), 245_760)) for _ in range(4))
        take = min(spent(lambda: nano.run(Generate("rain", tries=1))) for _ in range(3))
        assert air < 0.15 * take

    def test_it_can_be_written_and_made_again(self, nano: Engine, tmp_path) -> None:
        (take,) = nano.run(Generate("rain", 0.64, seed=2, tries=1))
        take.write(tmp_path / "rain.wav")
        read = Audio.read(tmp_path / "rain.wav")
        assert np.abs(read.samples - take.samples).max() <= 2**-24, "half a step of 24 bits"
