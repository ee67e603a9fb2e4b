"""Bandwidth: found where a sound was cut off, and nowhere in sounds that are whole."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine import Audio
from engine.operations.bands import keep_band
from engine.operations.bandwidth import bandwidth_hz
from engine.sounds import render

CLIPS = Path(__file__).parents[2] / "clips"
RECORDED = ["speech", "strings", "footfalls"]
SYNTHESISED = ["rain", "dog", "footsteps", "engine", "frog", "whoosh", "fire", "explosion"]


def sound(name: str) -> Audio:
    if name in RECORDED:
        return Audio.read(CLIPS / f"{name}.wav")
    return Audio(render(name, seed=60_112, seconds=2.0, sample_rate=44_100, is_edited=False).waveform, 44_100)


def low_passed(clip: Audio, hz: float) -> Audio:
    return Audio(keep_band(clip.samples, clip.sample_rate, None, hz), clip.sample_rate)


@pytest.mark.parametrize("name", RECORDED + SYNTHESISED)
class TestCutoff:
    @pytest.mark.parametrize("hz", [3_400.0, 4_000.0, 5_500.0])
    def test_of_a_low_pass(self, name: str, hz: float) -> None:
        clip = low_passed(sound(name), hz)
        assert bandwidth_hz(clip.samples, clip.sample_rate) == pytest.approx(hz, rel=0.05)

    @pytest.mark.parametrize("rate", [8_000, 11_025, 12_000])
    def test_of_a_low_rate_in_a_file_of_a_higher_one(self, name: str, rate: int) -> None:
        """Resampling keeps 91 % of half the rate whole and nothing beyond it; 16 bits leave their own noise there."""
        clip = sound(name).resample(rate).resample(44_100)
        rounded = np.round(clip.samples * 32_767) / 32_767
        assert 0.84 * rate / 2 < bandwidth_hz(rounded, 44_100) <= rate / 2

    def test_nothing_is_cut_from_the_whole_sound(self, name: str) -> None:
        clip = sound(name)
        assert bandwidth_hz(clip.samples, clip.sample_rate) > 9_000


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize(("level", "lowest", "highest"), [(0.99, 4_300, 5_000), (0.9, 7_000, 7_800)])
def test_a_sparing_mp3_ends_where_its_encoder_stopped(name: str, level: float, lowest: int, highest: int) -> None:
    clip, file = sound(name), io.BytesIO()
    soundfile.write(
        file, clip.samples.T, clip.sample_rate, format="MP3", subtype="MPEG_LAYER_III", compression_level=level
    )
    file.seek(0)
    decoded, rate = soundfile.read(file, always_2d=True)
    assert lowest < bandwidth_hz(decoded.T, rate) < highest


def test_hiss_behind_the_cut_does_not_hide_it() -> None:
    clip = low_passed(sound("rain"), 4_000.0)
    hiss = np.random.default_rng(0).standard_normal(clip.samples.shape) * clip.samples.std() / 100
    assert bandwidth_hz(clip.samples + hiss, 44_100) == pytest.approx(4_000, rel=0.05)


@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
def test_noise_white_and_brown_and_silence_end_nowhere(rate: int) -> None:
    white = np.random.default_rng(0).standard_normal((1, rate)) * 0.1
    for samples in (white, np.cumsum(white, axis=1) * 0.01, white * 0, white[:, : rate // 50]):
        assert bandwidth_hz(samples, rate) > 0.49 * rate
