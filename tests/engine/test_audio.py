"""Reading: every kind of file becomes exact samples or a sentence; resampling neither delays nor miscounts."""

import os
import struct
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from engine.audio import SHORTEST_S, Audio, read_story, region_samples, resample
from engine.errors import (
    AudioEmptyError,
    AudioMissingError,
    AudioNotFiniteError,
    AudioUnreadableError,
    ClipTooLongError,
    EngineError,
    RegionError,
    SampleRateError,
    TooManyChannelsError,
)
from tests.engine.sound_files.surgery import encoded, with_flac_total


def noise(seconds: float = 0.5, rate: int = 44_100, channels: int = 2, level: float = 0.2) -> np.ndarray:
    """Samples [C, T] that no two positions share."""
    shape = (channels, round(seconds * rate))
    return (np.random.default_rng(5).standard_normal(shape) * level).clip(-0.99, 0.99).astype(np.float32)


def saved(path: Path, samples: np.ndarray, rate: int = 44_100, subtype: str | None = None) -> Path:
    soundfile.write(path, samples.T, rate, subtype=subtype)
    return path


class TestReading:
    @pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
    def test_integers_are_read_as_themselves_over_full_scale(self, tmp_path: Path, subtype: str) -> None:
        path = saved(tmp_path / "clip.wav", noise(), subtype=subtype)
        expected, _ = soundfile.read(path, dtype="float64", always_2d=True)

        clip = Audio.read(path)

        assert clip.encoding == subtype
        assert clip.samples.shape == (2, 22_050)
        assert np.array_equal(clip.samples.astype(np.float64), expected.T)

    @pytest.mark.parametrize(
        ("name", "subtype"),
        [
            ("a.aiff", "PCM_24"),
            ("a.flac", "PCM_16"),
            ("a.ogg", "VORBIS"),
            ("a.mp3", "MPEG_LAYER_III"),
            ("a.caf", "FLOAT"),
        ],
    )
    def test_other_containers_are_read_and_their_regions_are_exact(
        self, tmp_path: Path, name: str, subtype: str
    ) -> None:
        path = saved(tmp_path / name, noise(2.0), subtype=subtype)
        whole = Audio.read(path)

        region = Audio.read(path, start_s=0.5, end_s=1.25)

        assert whole.num_samples == 88_200
        assert np.array_equal(region.samples, whole.samples[:, 22_050:55_125])

    def test_a_region_is_exact_to_the_sample(self, tmp_path: Path) -> None:
        ramp = np.arange(48_000, dtype=np.float32)[None] / 2**17
        path = saved(tmp_path / "ramp.wav", ramp, 48_000, "FLOAT")

        region = Audio.read(path, start_s=1000 / 48_000, end_s=2500 / 48_000)

        assert np.array_equal(region.samples, ramp[:, 1000:2500])

    @pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 88_200, 96_000, 192_000])
    def test_rates_from_telephone_to_mastering(self, tmp_path: Path, rate: int) -> None:
        assert Audio.read(saved(tmp_path / "clip.wav", noise(0.1, rate), rate)).sample_rate == rate

    def test_a_silent_clip_and_a_clip_of_fifty_milliseconds_are_clips(self, tmp_path: Path) -> None:
        assert Audio.read(saved(tmp_path / "silent.wav", np.zeros((1, 44_100)))).peak == 0
        assert Audio.read(saved(tmp_path / "short.wav", noise(0.05))).seconds == pytest.approx(0.05)

    def test_a_streamed_wav_without_a_true_size_is_read_to_its_end(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "stream.wav", noise(), subtype="PCM_16")
        raw = bytearray(path.read_bytes())
        position = raw.index(b"data")
        raw[position + 4 : position + 8] = raw[4:8] = b"\xff\xff\xff\xff"
        path.write_bytes(raw)

        assert Audio.read(path).num_samples == 22_050


class TestFilesThatAreNoClips:
    @pytest.mark.parametrize(
        ("content", "error"),
        [
            pytest.param(b"", AudioUnreadableError, id="no bytes"),
            pytest.param(b"hello world " * 100, AudioUnreadableError, id="text"),
            pytest.param(bytes(range(256)) * 20, AudioUnreadableError, id="garbage"),
            pytest.param(b"RIFF\x24\0\0\0WAVEfmt ", AudioUnreadableError, id="half a header"),
        ],
    )
    def test_what_is_not_audio(self, tmp_path: Path, content: bytes, error: type[EngineError]) -> None:
        path = tmp_path / "clip.wav"
        path.write_bytes(content)

        with pytest.raises(error, match=r"clip\.wav could not be read as audio: \w"):
            Audio.read(path)

    def test_missing_folder_and_pipe(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.wav")
        with pytest.raises(AudioMissingError, match="no file at"):
            Audio.read(tmp_path / "none.wav")
        with pytest.raises(AudioUnreadableError, match="it is a folder"):
            Audio.read(tmp_path)
        with pytest.raises(AudioUnreadableError, match="it is not a file"):
            Audio.read(tmp_path / "pipe.wav")
        with pytest.raises(AudioUnreadableError, match="name too long"):
            Audio.read(tmp_path / ("x" * 400))

    @pytest.mark.parametrize("name", ["clip.wav", "clip.aiff", "clip.flac", "clip.mp3"])
    def test_a_file_that_was_cut_off(self, tmp_path: Path, name: str) -> None:
        path = saved(tmp_path / name, noise(3.0))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

        with pytest.raises(AudioUnreadableError, match=r"cut off|breaks off|damaged|lost sync"):
            Audio.read(path)

    def test_no_samples_or_too_few(self, tmp_path: Path) -> None:
        with pytest.raises(AudioEmptyError, match=r"lasts 0\.000 s; at least 0\.02 s"):
            Audio.read(saved(tmp_path / "empty.wav", np.zeros((1, 0))))
        with pytest.raises(AudioEmptyError, match=r"lasts 0\.010 s"):
            Audio.read(saved(tmp_path / "short.wav", noise(SHORTEST_S / 2)))

    def test_samples_that_are_not_numbers_are_counted(self, tmp_path: Path) -> None:
        samples = noise()
        samples[0, 7], samples[1, 9:11] = np.nan, np.inf
        with pytest.raises(AudioNotFiniteError, match="holds 3 samples"):
            Audio.read(saved(tmp_path / "clip.wav", samples, subtype="FLOAT"))

    def test_surround_is_refused_by_its_number_of_channels(self, tmp_path: Path) -> None:
        with pytest.raises(TooManyChannelsError, match="6 channels; at most 2"):
            Audio.read(saved(tmp_path / "surround.wav", noise(channels=6)))

    def test_rates_beyond_reason(self, tmp_path: Path) -> None:
        with pytest.raises(SampleRateError, match="has 1000 Hz"):
            Audio.read(saved(tmp_path / "clip.wav", noise(), 1_000))

    def test_a_file_of_many_hours_is_refused_before_it_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "day.wav"
        size = 3_000_000_000  # bytes of 8-bit mono silence; the file system stores none of them
        header = struct.pack(
            "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8, b"data", size
        )
        with path.open("wb") as file:
            file.write(header)
            file.truncate(44 + size)

        with pytest.raises(ClipTooLongError, match="at most 62500 s"):
            Audio.read(path)
        assert Audio.read(path, start_s=100_000, end_s=100_001).num_samples == 8_000

    @pytest.mark.parametrize("is_stream", [False, True], ids=["with its length", "a stream"])
    def test_a_long_silence_in_a_small_file_is_refused_before_it_is_held(self, tmp_path: Path, is_stream: bool) -> None:
        data = encoded(tmp_path / "long.flac", np.zeros((700 * 8_000, 1), np.float32), 8_000, subtype="PCM_16")
        (tmp_path / "long.flac").write_bytes(with_flac_total(data, 0) if is_stream else data)
        assert len(data) < 30_000

        tracemalloc.start()
        try:
            with pytest.raises(ClipTooLongError, match=r"700\.0 s are too many; at most 600 s"):
                Audio.read(tmp_path / "long.flac", longest_s=600)
            assert tracemalloc.get_traced_memory()[1] < 6_000_000
            assert Audio.read(tmp_path / "long.flac", 650, 651).num_samples == 8_000
            assert tracemalloc.get_traced_memory()[1] < 6_000_000
        finally:
            tracemalloc.stop()


class TestRegions:
    @pytest.mark.parametrize(
        ("start_s", "end_s"),
        [
            pytest.param(2.0, 1.0, id="reversed"),
            pytest.param(1.0, 1.0, id="nothing"),
            pytest.param(-0.5, 1.0, id="before the clip"),
            pytest.param(1.0, 9.0, id="beyond the clip"),
            pytest.param(float("nan"), 1.0, id="not a number"),
            pytest.param(1.0, 1.000001, id="less than a sample"),
        ],
    )
    def test_a_region_outside_the_clip(self, start_s: float, end_s: float) -> None:
        with pytest.raises(RegionError, match="is not in the clip"):
            region_samples(3 * 44_100, 44_100, start_s, end_s)

    def test_nothing_given_means_the_whole_clip(self) -> None:
        assert region_samples(1_000, 44_100, None, None) == (0, 1_000)

    def test_an_end_rounded_by_the_wire_is_the_end(self) -> None:
        """OSC floats have 24 bits: 600 s come as 600.00006."""
        num_samples = round(583.0612 * 44_100)
        assert (
            region_samples(num_samples, 44_100, 1.0, float(np.float32(num_samples / 44_100)) + 5e-5)[1] == num_samples
        )


class TestAudio:
    def test_one_dimension_is_one_channel(self) -> None:
        assert Audio(np.zeros(100), 44_100).samples.shape == (1, 100)

    def test_samples_in_memory_are_held_to_the_same_rules(self) -> None:
        with pytest.raises(AudioNotFiniteError):
            Audio(np.array([np.nan]), 44_100)
        with pytest.raises(TooManyChannelsError):
            Audio(np.zeros((3, 10)), 44_100)
        with pytest.raises(AudioEmptyError):
            Audio(np.zeros((1, 0)), 44_100)

    def test_mono_is_the_mean_of_the_channels(self) -> None:
        assert np.array_equal(Audio(np.array([[1.0, 0.0], [0.0, 0.5]]), 44_100).to_mono().samples, [[0.5, 0.25]])


class TestResampling:
    @pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 88_200, 96_000, 192_000])
    def test_there_and_back_is_the_same_sound_at_the_same_place(self, rate: int) -> None:
        """A tone burst below 3 kHz survives a trip to 16 kHz within -80 dB: no delay, no lost sample."""
        time = np.arange(round(0.4 * rate)) / rate
        burst = (np.sin(2 * np.pi * 1_234 * time) * np.hanning(len(time)))[None].astype(np.float32)

        there = resample(burst, rate, 16_000, round(len(time) * 16_000 / rate))
        back = resample(there, 16_000, rate, len(time))

        assert back.shape == burst.shape
        assert np.abs(back - burst).max() < 1e-4

    @pytest.mark.parametrize("num_samples", [1, 2, 882, 4_411, 44_101])
    def test_counts_are_exact(self, num_samples: int) -> None:
        clip = Audio(noise(2.0)[:, :num_samples], 44_100)

        assert clip.resample(48_000).num_samples == max(1, round(num_samples * 48 / 44.1))
        assert resample(clip.samples, 44_100, 16_000, 777).shape == (2, 777)

    def test_the_same_rate_changes_nothing(self) -> None:
        samples = noise()
        assert np.array_equal(resample(samples, 44_100, 44_100, samples.shape[1]), samples)

    @pytest.mark.parametrize(("from_rate", "to_rate"), [(16_000, 48_000), (44_100, 16_000), (8_000, 192_000)])
    def test_in_pieces_it_is_what_it_is_at_once(self, from_rate: int, to_rate: int) -> None:
        long = np.random.default_rng(3).standard_normal((1, 200_003), dtype=np.float32)
        at_once = soxr.resample(long[0], from_rate, to_rate, quality="VHQ")
        assert np.array_equal(resample(long, from_rate, to_rate, len(at_once))[0], at_once)


def test_a_story_is_found_in_the_file_and_its_absence_is_no_error(tmp_path: Path) -> None:
    told = Audio(noise(), 44_100, story={"prompt": "Donner über See ⚡", "seed": 3})
    told.write(tmp_path / "told.wav")
    plain = saved(tmp_path / "plain.wav", noise())

    assert read_story(tmp_path / "told.wav") == {"prompt": "Donner über See ⚡", "seed": 3}
    assert read_story(plain) == {}


@pytest.mark.parametrize("length", [1_900, 3_000, 100_000])
def test_a_story_may_be_long(tmp_path: Path, length: int) -> None:
    """libsndfile reads no comment of 2,048 bytes or more."""
    Audio(noise(), 44_100, story={"prompt": "x" * length}).write(tmp_path / "told.wav")

    assert read_story(tmp_path / "told.wav") == {"prompt": "x" * length}


class TestWhereItCameFrom:
    def test_a_whole_file_is_known(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        saved(Path("clip.wav"), noise())

        assert Audio.read("clip.wav").path == tmp_path / "clip.wav"
        assert Audio.read("clip.wav", 0, 0.5).path == tmp_path / "clip.wav"

    def test_what_is_not_the_file_has_no_path(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "clip.wav", noise())
        clip = Audio.read(path)

        assert Audio.read(path, end_s=0.2).path is None
        assert clip.to_mono().path is None
        assert clip.resample(16_000).path is None
        assert replace(clip, samples=clip.samples / 2).path is None

    def test_the_same_sound_has_the_same_fingerprint(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "clip.wav", noise(), subtype="PCM_24")
        clip = Audio.read(path)
        Audio(clip.samples, 44_100, {"title": "other"}, "PCM_24").write(tmp_path / "copy.wav")

        assert Audio.read(tmp_path / "copy.wav").fingerprint == clip.fingerprint
        assert len(clip.fingerprint) == 64

    def test_another_sound_has_another(self) -> None:
        clip = Audio(noise(), 44_100)
        louder = clip.samples.copy()
        louder[1, -1] += 1e-6
        others = [
            Audio(louder, 44_100),
            Audio(clip.samples, 48_000),
            Audio(clip.samples.reshape(1, -1), 44_100),
            Audio(clip.samples[:, :-1], 44_100),
        ]

        assert clip.fingerprint not in {other.fingerprint for other in others}
