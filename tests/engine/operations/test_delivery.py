"""Delivery: generated takes in the rate, channels and bits that are asked for; edits in those of their clip."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine import Audio, Engine, Generate, Restyle
from engine.errors import InvalidRequestError
from engine.operations.delivery import dithered
from engine.requests.operations import OutputBits
from engine.take_provenance import find_provenance, request_of

RAIN = Generate("rain", seconds=0.4, steps=2)


class TestRate:
    @pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
    def test_it_is_as_asked_and_the_sound_the_same(self, tiny: Engine, rate: int) -> None:
        (usual,), (take,) = tiny.run(RAIN), tiny.run(replace(RAIN, output_rate=rate))

        assert (take.sample_rate, take.num_samples) == (rate, round(0.4 * rate))
        assert (take.story["output_rate"], usual.story["output_rate"]) == (rate, 48_000)
        assert np.abs(usual.resample(rate).samples - take.samples).max() < 1e-6

    def test_only_the_model_s_band_can_have_another_rate_than_the_model(self, tiny: Engine) -> None:
        (take,) = tiny.run(replace(RAIN, model_band=True, output_rate=48_000))

        spectrum = np.abs(np.fft.rfft(take.samples[0])) ** 2
        above = spectrum[round(8_100 * 0.4) :].sum()
        assert take.sample_rate == 48_000
        assert above < 1e-6 * spectrum.sum()

    def test_it_never_goes_beyond_full_scale(self, tiny: Engine) -> None:
        for rate in (11_025, 22_050, 44_100):
            assert tiny.run(replace(RAIN, output_rate=rate, guidance=30.0))[0].peak <= 1


class TestChannels:
    def test_a_mono_sound_is_the_same_on_both_sides(self, tiny: Engine) -> None:
        (mono,), (stereo,) = tiny.run(RAIN), tiny.run(replace(RAIN, output_channels="stereo"))

        assert (mono.num_channels, stereo.num_channels) == (1, 2)
        assert np.array_equal(stereo.samples, np.repeat(mono.samples, 2, axis=0))
        assert (mono.story["output_channels"], stereo.story["output_channels"]) == ("mono", "stereo")

    def test_a_wide_sound_in_mono_is_the_mean_of_its_sides(self, tiny: Engine) -> None:
        (wide,), (mono,) = (
            tiny.run(replace(RAIN, width=1.0)),
            tiny.run(replace(RAIN, width=1.0, output_channels="mono")),
        )

        assert (wide.num_channels, mono.num_channels) == (2, 1)
        assert np.abs(mono.samples - wide.samples.mean(axis=0)).max() < 1e-6


class TestBits:
    @pytest.mark.parametrize(("bits", "encoding"), [("16", "PCM_16"), ("24", "PCM_24"), ("32", "FLOAT")])
    def test_the_file_has_them(self, tiny: Engine, tmp_path: Path, bits: OutputBits, encoding: str) -> None:
        (take,) = tiny.run(replace(RAIN, output_bits=bits))
        take.write(tmp_path / "rain.wav")

        assert soundfile.info(tmp_path / "rain.wav").subtype == encoding
        assert take.story["output_bits"] == int(bits)

    def test_they_are_24_unless_others_are_wanted(self, tiny: Engine, tmp_path: Path) -> None:
        tiny.run(RAIN)[0].write(tmp_path / "rain.wav")

        assert soundfile.info(tmp_path / "rain.wav").subtype == "PCM_24"

    def test_16_are_in_the_take_already_so_that_again_finds_the_same(self, tiny: Engine, tmp_path: Path) -> None:
        (take,) = tiny.run(replace(RAIN, output_bits="16", output_rate=44_100))
        take.write(tmp_path / "rain.wav")
        (again,) = tiny.run(request_of(find_provenance(tmp_path / "rain.wav"), {}))

        assert np.array_equal(Audio.read(tmp_path / "rain.wav").samples, take.samples)
        assert np.array_equal(again.samples, take.samples)
        assert again.story == take.story

    def test_a_number_does_as_well(self) -> None:
        assert replace(RAIN, output_bits=16) == replace(RAIN, output_bits="16")  # type: ignore[arg-type]


class TestDither:
    def test_what_is_quieter_than_a_level_stays_audible(self) -> None:
        tone = (0.4 / 2**15 * np.sin(2 * np.pi * 0.02 * np.arange(2**16)))[None].astype(np.float32)
        assert np.abs(np.rint(tone * 2**15)).max() == 0, "plain rounding leaves nothing of it"

        found = dithered(tone, (1, 1))

        slope = float((found * tone).sum() / (tone**2).sum())
        assert slope == pytest.approx(1, abs=0.05)
        assert np.abs(found - tone).max() <= 1.5 / 2**15 + 1e-9

    def test_full_scale_stays_inside(self) -> None:
        found = dithered(np.array([[1.0, -1.0] * 500], np.float32), (1, 1))

        assert (found.max(), found.min()) == (1 - 2**-15, -1)

    def test_a_seed_is_a_noise(self) -> None:
        tone = np.full((1, 3 * 2**18), 0.1, np.float32)

        assert np.array_equal(dithered(tone, (1, 1)), dithered(tone, (1, 1)))
        assert not np.array_equal(dithered(tone, (1, 1)), dithered(tone, (1, 2)))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("output_rate", 3_999, "a whole number from 4000 to 384000"),
        ("output_rate", 44_100.5, "a whole number from 4000 to 384000"),
        ("output_channels", "surround", "one of mono, stereo"),
        ("output_channels", 2, "one of mono, stereo"),
        ("output_bits", 20, "one of 16, 24, 32"),
        ("output_bits", "24 bit", "one of 16, 24, 32"),
        ("output_bits", True, "one of 16, 24, 32"),
        ("output_bits", float("nan"), "one of 16, 24, 32"),
    ],
)
def test_bad_values_are_refused_in_a_sentence(key: str, value: object, expected: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"{key} is {value!r}; expected {expected}"):
        Generate("rain", **{key: value})  # type: ignore[arg-type]


def test_an_edit_of_a_delivered_take_keeps_its_rate_and_channels(tiny: Engine) -> None:
    (take,) = tiny.run(replace(RAIN, output_rate=44_100, output_channels="stereo", output_bits="16"))
    (edit,) = tiny.run(Restyle(take, "thunder", start_s=0.1, end_s=0.3, steps=2))

    assert (edit.sample_rate, edit.num_channels) == (44_100, 2)
    assert np.array_equal(edit.samples[:, :4_410], take.samples[:, :4_410])
    assert not {"output_rate", "output_channels", "output_bits"} & set(edit.story)
