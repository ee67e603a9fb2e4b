"""Files whose heads lie about their length are read to the end of what is there, or refused; never cut silently."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.audio import Audio
from engine.errors import AudioEmptyError, AudioUnreadableError
from engine.sound_files.reader import open_sound
from tests.engine.sound_files.surgery import (
    decoded,
    encoded,
    louder,
    mp3_frames,
    put,
    sweep,
    untagged,
    with_flac_total,
)

ID3 = b"ID3\x04\0\0\0\0\x01\x00" + bytes(128)  # an empty tag before a sound
ID3_BEHIND = b"TAG" + b"title".ljust(125, b"\0")
APE = struct.pack("<8sIIII8s", b"APETAGEX", 2000, 32, 0, 0, b"")  # the end of a tag without entries


def read(tmp_path: Path, data: bytes, name: str = "clip.wav") -> np.ndarray:
    """Samples [t, C] of bytes as a file."""
    (tmp_path / name).write_bytes(data)
    return Audio.read(tmp_path / name).samples.T


class TestMp3:
    @pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
    def test_without_a_tag_is_read_whole(self, tmp_path: Path, mode: str) -> None:
        tagged = encoded(tmp_path / "a.mp3", louder(), bitrate_mode=mode, compression_level=0.5)
        count = len(mp3_frames(tagged)) - 1

        frames = read(tmp_path, untagged(tagged), "b.mp3")

        assert len(frames) == count * 1152
        delay = 1105  # samples of the encoder and the decoder, which only the tag tells
        assert np.allclose(frames[delay : delay + 4 * 44_100], decoded(tmp_path / "a.mp3"), atol=1e-4)

    def test_with_a_tag_is_as_long_as_what_was_encoded(self, tmp_path: Path) -> None:
        data = encoded(tmp_path / "a.mp3", sweep())
        for before, behind in ((b"", b""), (ID3 + ID3, ID3_BEHIND), (b"", APE + ID3_BEHIND)):
            frames = read(tmp_path, before + data + behind, "b.mp3")
            assert np.array_equal(frames, decoded(tmp_path / "a.mp3"))

    def test_joined_ones_are_one_sound(self, tmp_path: Path) -> None:
        first, second = (encoded(tmp_path / f"{name}.mp3", made) for name, made in (("a", sweep(1.5)), ("b", louder())))

        frames = read(tmp_path, ID3 + first + ID3_BEHIND + ID3 + second, "joined.mp3")

        assert np.array_equal(frames, np.concatenate([decoded(tmp_path / "a.mp3"), decoded(tmp_path / "b.mp3")]))

    def test_joined_ones_without_tags_are_one_sound(self, tmp_path: Path) -> None:
        data = untagged(encoded(tmp_path / "a.mp3", louder(), bitrate_mode="VARIABLE"))
        assert len(read(tmp_path, data + data, "joined.mp3")) == 2 * len(read(tmp_path, data, "one.mp3"))

    @pytest.mark.parametrize("other", [{"rate": 48_000}, {"channels": 1}])
    def test_joined_ones_that_do_not_fit_are_refused(self, tmp_path: Path, other: dict[str, int]) -> None:
        first = encoded(tmp_path / "a.mp3", sweep())
        second = encoded(tmp_path / "b.mp3", sweep(**other), other.get("rate", 44_100))
        with pytest.raises(AudioUnreadableError, match="several MP3s put together, of different"):
            read(tmp_path, first + second, "joined.mp3")

    @pytest.mark.parametrize("claimed", [1, 40])
    def test_a_tag_that_claims_too_little_is_not_believed(self, tmp_path: Path, claimed: int) -> None:
        data = encoded(tmp_path / "a.mp3", sweep())
        place = max(data.find(b"Info"), data.find(b"Xing"))
        count = len(mp3_frames(data)) - 1

        assert len(read(tmp_path, put(data, place + 8, ">I", claimed), "b.mp3")) == count * 1152

    def test_is_found_behind_whatever_lies_before_it(self, tmp_path: Path) -> None:
        data = untagged(encoded(tmp_path / "a.mp3", sweep()))
        whole = read(tmp_path, data, "b.mp3")
        for before in (bytes(3_000), b"ID3\x03\0\0\x7f\x7f\x7f\x7f" + bytes(100), mp3_frames(data)[5][100:]):
            found = read(tmp_path, before + data, "c.mp3")
            assert np.array_equal(found[-len(whole) + 5_000 :], whole[5_000:])

    def test_that_is_cut_off_or_has_a_hole_is_refused(self, tmp_path: Path) -> None:
        data = encoded(tmp_path / "a.mp3", sweep(3.0))
        frames = mp3_frames(data)
        with pytest.raises(AudioUnreadableError, match="cut off"):
            read(tmp_path, b"".join(frames[:50]), "b.mp3")
        with pytest.raises(AudioUnreadableError, match="damaged at byte"):
            read(tmp_path, b"".join([*frames[:50], bytes(5000), *frames[62:]]), "c.mp3")

    def test_a_region_of_a_variable_rate_is_that_region(self, tmp_path: Path) -> None:
        encoded(tmp_path / "a.mp3", louder(6.0), bitrate_mode="VARIABLE", compression_level=0.9)
        whole = Audio.read(tmp_path / "a.mp3")
        for start_s in (0.7, 2.9, 5.2):
            region = Audio.read(tmp_path / "a.mp3", start_s, start_s + 0.5)
            first = round(start_s * 44_100)
            assert np.allclose(region.samples, whole.samples[:, first : first + 22_050], atol=1e-6)

    def test_a_region_is_read_without_complaints(self, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
        data = encoded(tmp_path / "a.mp3", louder(rate=8000), 8000, bitrate_mode="VARIABLE", compression_level=0.5)
        (tmp_path / "b.mp3").write_bytes(data)
        whole = Audio.read(tmp_path / "b.mp3").samples
        for start in range(1, 8):
            region = Audio.read(tmp_path / "b.mp3", start / 2.3, start / 2.3 + 0.2).samples
            first = round(start / 2.3 * 8000)
            assert np.array_equal(region, whole[:, first : first + region.shape[1]])

        assert capfd.readouterr().err == ""

    def test_blocks_one_after_another_are_the_whole(self, tmp_path: Path) -> None:
        encoded(tmp_path / "a.mp3", louder(), bitrate_mode="VARIABLE", compression_level=0.9)
        with open_sound(tmp_path / "a.mp3") as file:
            whole = file.read(0, file.num_frames)
            blocks = [file.read(at, 2_205) for at in range(0, file.num_frames, 2_205)]
        assert np.array_equal(np.concatenate(blocks), whole)

    def test_zeros_behind_are_no_sound_and_broken_frames_behind_are_damage(self, tmp_path: Path) -> None:
        frames = mp3_frames(encoded(tmp_path / "a.mp3", sweep()))[1:]

        assert len(read(tmp_path, b"".join(frames) + bytes(200_000), "padded.mp3")) == 1152 * len(frames)
        assert len(read(tmp_path, b"".join(frames) + b"\xff\xfbwhatever" * 2, "junk.mp3")) == 1152 * len(frames)
        mangled = b"".join(frames[:10]) + b"".join(frame[:-1] for frame in frames[10:])
        with pytest.raises(AudioUnreadableError, match="damaged"):
            read(tmp_path, mangled, "mangled.mp3")


class TestOgg:
    @pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
    def test_chained_ones_are_one_sound(self, tmp_path: Path, subtype: str) -> None:
        rate = 48_000
        first = encoded(tmp_path / "a.ogg", sweep(1.5, rate), rate, subtype=subtype)
        second = encoded(tmp_path / "b.ogg", sweep(2.0, rate), rate, subtype=subtype)

        frames = read(tmp_path, first + second, "chained.ogg")

        assert np.array_equal(frames, np.concatenate([decoded(tmp_path / "a.ogg"), decoded(tmp_path / "b.ogg")]))

    def test_chained_ones_that_do_not_fit_are_refused(self, tmp_path: Path) -> None:
        parts = [encoded(tmp_path / f"{rate}.ogg", sweep(1.0, rate), rate) for rate in (44_100, 22_050)]
        with pytest.raises(AudioUnreadableError, match="several sounds put together"):
            read(tmp_path, b"".join(parts), "chained.ogg")

    def test_that_is_cut_off_or_damaged_or_lacks_a_page_is_refused(self, tmp_path: Path) -> None:
        data = encoded(tmp_path / "a.ogg", louder())
        pages = [b"OggS" + page for page in data.split(b"OggS")[1:]]
        wrong = {
            "cut off": data[: len(data) * 2 // 3],
            "a part of it is missing": b"".join([*pages[:-3], *pages[-2:]]),
            "damaged": data[: len(data) // 2] + b"\0\1\2\3" * 20 + data[len(data) // 2 + 80 :],
        }
        for reason, made in wrong.items():
            with pytest.raises(AudioUnreadableError, match=reason):
                read(tmp_path, made, "b.ogg")

    def test_a_region_near_the_end_is_that_region(self, tmp_path: Path) -> None:
        encoded(tmp_path / "a.ogg", sweep(7.03))
        whole = Audio.read(tmp_path / "a.ogg").samples
        for start_s in (5.5, 6.5, 6.9):
            first = round(start_s * 44_100)
            region = Audio.read(tmp_path / "a.ogg", start_s, start_s + 0.1).samples
            assert np.array_equal(region, whole[:, first : first + 4_410])


class TestFlac:
    @pytest.mark.parametrize("total", [0, 1, 30_000, 88_201, 2**36 - 1])
    def test_a_wrong_or_unknown_total_is_not_believed(self, tmp_path: Path, total: int) -> None:
        data = encoded(tmp_path / "a.flac", sweep(), subtype="PCM_16")
        frames = read(tmp_path, with_flac_total(data, total), "b.flac")
        assert np.array_equal(frames, decoded(tmp_path / "a.flac"))

    def test_a_stream_that_is_cut_off_is_refused(self, tmp_path: Path) -> None:
        data = with_flac_total(encoded(tmp_path / "a.flac", louder(), subtype="PCM_16"), 0)
        with pytest.raises(AudioUnreadableError, match="cut off or damaged at its end"):
            read(tmp_path, data[: len(data) // 2], "b.flac")

    def test_joined_ones_are_one_sound_and_players_tags_none(self, tmp_path: Path) -> None:
        data = encoded(tmp_path / "a.flac", sweep(), subtype="PCM_24")
        once = decoded(tmp_path / "a.flac")
        assert np.array_equal(read(tmp_path, data + data, "b.flac"), np.concatenate([once, once]))
        assert np.array_equal(read(tmp_path, ID3 + data + ID3_BEHIND, "c.flac"), once)


class TestWav:
    @pytest.mark.parametrize("size", [0, 4_000, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF])
    def test_a_wrong_or_unknown_size_is_not_believed(self, tmp_path: Path, size: int) -> None:
        data = encoded(tmp_path / "a.wav", sweep(), subtype="PCM_16")
        for riff in (0, 36, size % 2**32):
            lying = put(put(data, 4, "<I", riff), data.index(b"data") + 4, "<I", size)
            assert np.array_equal(read(tmp_path, lying), decoded(tmp_path / "a.wav"))

    def test_an_empty_one_stays_empty_also_with_chunks_behind(self, tmp_path: Path) -> None:
        data = encoded(tmp_path / "a.wav", np.zeros((0, 1)), subtype="PCM_16")
        data = data[: data.index(b"data") + 8]
        for behind in (b"", b"LIST\x0c\0\0\0INFOISFT\0\0\0\0", b"bext\x06\0\0\0abcdef"):
            with pytest.raises(AudioEmptyError, match=r"lasts 0\.000 s"):
                read(tmp_path, data + behind)

    @pytest.mark.parametrize(
        "behind", [b"id3 \x04\0\0\0abcd", ID3_BEHIND, bytes(2048), b"cue \x05\0\0\0abcde", b"\0\0"]
    )
    def test_what_lies_behind_the_samples_is_no_sound(self, tmp_path: Path, behind: bytes) -> None:
        data = encoded(tmp_path / "a.wav", sweep(), subtype="PCM_16")
        assert np.array_equal(read(tmp_path, data + behind), decoded(tmp_path / "a.wav"))

    def test_a_peak_chunk_that_libsndfile_refuses_is_passed_over(self, tmp_path: Path) -> None:
        data = encoded(tmp_path / "a.wav", sweep(), subtype="FLOAT")
        place = data.index(b"data")
        odd = data[:place] + b"PEAK" + struct.pack("<I", 3) + b"abc\0" + data[place:]
        assert np.array_equal(read(tmp_path, odd), sweep())

    def test_two_sounds_in_one_are_refused(self, tmp_path: Path) -> None:
        data = encoded(tmp_path / "a.wav", sweep(), subtype="PCM_16")
        with pytest.raises(AudioUnreadableError, match="holds two sounds"):
            read(tmp_path, data + data[data.index(b"data") :])

    @pytest.mark.parametrize("subtype", ["IMA_ADPCM", "MS_ADPCM"])
    def test_a_last_block_is_as_long_as_its_fact_says(self, tmp_path: Path, subtype: str) -> None:
        data = encoded(tmp_path / "a.wav", sweep(2.003), subtype=subtype)
        padded, exact = len(decoded(tmp_path / "a.wav")), round(2.003 * 44_100)
        place = data.index(b"fact") + 8

        assert len(read(tmp_path, put(data, place, "<I", exact))) == exact < padded
        for lie in (0, 100, 2**31):
            assert len(read(tmp_path, put(data, place, "<I", lie))) == padded

    def test_a_byte_that_fills_up_gsm_is_no_block(self, tmp_path: Path) -> None:
        blocks = 151  # of 65 bytes and 320 samples
        data = encoded(tmp_path / "a.wav", sweep(8.0, 8_000, 1), 8_000, subtype="GSM610")
        start = data.index(b"data") + 8
        for padding, size in ((b"\0", 65 * blocks), (b"\0", 65 * blocks + 1)):
            odd = put(data[: start + 65 * blocks] + padding, start - 4, "<I", size)
            for fact, expected in ((0, 320 * blocks), (320 * blocks - 80, 320 * blocks - 80)):
                found = read(tmp_path, put(odd, odd.index(b"fact") + 8, "<I", fact))
                assert len(found) == expected

    @pytest.mark.parametrize("subtype", ["GSM610", "G721_32", "NMS_ADPCM_32"])
    def test_kinds_without_places_are_read_and_so_are_their_regions(self, tmp_path: Path, subtype: str) -> None:
        encoded(tmp_path / "a.wav", sweep(2.0, 8_000, 1), 8_000, subtype=subtype)
        whole = Audio.read(tmp_path / "a.wav").samples
        region = Audio.read(tmp_path / "a.wav", 0.5, 1.25).samples

        assert 16_000 <= whole.shape[1] < 16_000 + 320
        assert np.array_equal(region, whole[:, 4_000:10_000])

    def test_mp3_inside_is_found(self, tmp_path: Path) -> None:
        mp3 = encoded(tmp_path / "a.mp3", sweep())
        form = struct.pack("<HHIIHHH", 0x55, 2, 44_100, 16_000, 1, 0, 0)
        data = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(mp3)) + mp3
        frames = read(tmp_path, b"RIFF" + struct.pack("<I", len(data)) + data)
        assert np.array_equal(frames, decoded(tmp_path / "a.mp3"))

    def test_big_endian_with_the_long_format_is_read(self, tmp_path: Path) -> None:
        frames = sweep(0.1)
        samples = np.round(frames * 2**23).astype(">i4").tobytes()
        form = struct.pack(">HHIIHHHHI", 0xFFFE, 2, 44_100, 44_100 * 8, 8, 32, 22, 32, 3)
        form += struct.pack(">H", 1) + bytes.fromhex("000000001000800000aa00389b71")
        chunks = b"fmt " + struct.pack(">I", len(form)) + form + b"data" + struct.pack(">I", len(samples)) + samples

        made = read(tmp_path, b"RIFX" + struct.pack(">I", 4 + len(chunks)) + b"WAVE" + chunks)

        assert np.allclose(made * 2**8, frames, atol=1e-5)

    def test_zeros_behind_are_room_that_was_reserved(self, tmp_path: Path) -> None:
        data = encoded(tmp_path / "a.wav", sweep())
        assert np.array_equal(read(tmp_path, data + bytes(3_000_000)), decoded(tmp_path / "a.wav"))


class TestOtherContainers:
    @pytest.mark.parametrize("form", ["WAV", "RF64", "W64", "AIFF", "CAF"])
    def test_joined_ones_are_one_sound(self, tmp_path: Path, form: str) -> None:
        parts = [encoded(tmp_path / f"{name}.bin", sweep(1 + name), format=form, subtype="PCM_24") for name in (0, 1)]
        expected = np.concatenate([decoded(tmp_path / "0.bin"), decoded(tmp_path / "1.bin")])

        assert np.array_equal(read(tmp_path, b"".join(parts)), expected)

    def test_other_kinds_are_refused_in_words_that_are_not_the_decoder_s(self, tmp_path: Path) -> None:
        data = encoded(tmp_path / "a.wav", sweep())
        strange = put(data, 20, "<H", 0x0161)  # a kind of WMA
        with pytest.raises(AudioUnreadableError, match="stored in a way that is not supported") as refusal:
            read(tmp_path, strange)
        assert "chunk" not in str(refusal.value)
        flac = encoded(tmp_path / "a.flac", sweep())
        with pytest.raises(AudioUnreadableError, match=r"it is damaged$"):
            read(tmp_path, flac[: len(flac) // 2] + bytes(900) + flac[len(flac) // 2 + 900 :], "b.flac")
        with pytest.raises(AudioUnreadableError, match="by its content"):
            read(tmp_path, bytes(range(1, 250)) * 20 + b"TAG" + bytes(range(1, 250)) * 20, "a.aac")

    @pytest.mark.parametrize("form", ["RF64", "W64", "CAF"])
    @pytest.mark.parametrize("size", [0, 2**63 - 1, 2**64 - 1])
    def test_an_unknown_size_of_64_bits_is_not_believed(self, tmp_path: Path, form: str, size: int) -> None:
        data = encoded(tmp_path / "a", sweep(), format=form, subtype="PCM_16")
        frames = decoded(tmp_path / "a")
        places = {"RF64": (b"ds64", 16, "<Q"), "W64": (b"data\xf3", 16, "<Q"), "CAF": (b"data", 4, ">Q")}
        name, step, order = places[form]
        assert np.array_equal(read(tmp_path, put(data, data.rindex(name) + step, order, size)), frames)

    def test_bw64_is_read(self, tmp_path: Path) -> None:
        data = encoded(tmp_path / "a", sweep(), format="RF64", subtype="PCM_24")
        assert np.array_equal(read(tmp_path, b"BW64" + data[4:]), decoded(tmp_path / "a"))

    @pytest.mark.parametrize(("frames", "size"), [(0, 8), (100, 408), (2**31, 0x7F000008), (88_200, 0)])
    @pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "ULAW"])
    def test_aiff_with_stale_counts_is_read_whole(self, tmp_path: Path, frames: int, size: int, subtype: str) -> None:
        data = encoded(tmp_path / "a.aiff", sweep(), subtype=subtype)
        lying = put(put(data, data.index(b"COMM") + 10, ">I", frames), data.index(b"SSND") + 4, ">I", size)
        found = read(tmp_path, lying, "b.aiff")
        assert np.array_equal(found[:88_200], decoded(tmp_path / "a.aiff"))
        assert len(found) == 88_200

    def test_a_file_of_endless_chunks_is_refused_soon(self, tmp_path: Path) -> None:
        with pytest.raises(AudioUnreadableError, match="more than 100000 parts"):
            read(tmp_path, b"RIFF\0\0\0\0WAVE" + b"JUNK\0\0\0\0" * 200_000)

    def test_ogg_that_holds_something_else_is_refused(self, tmp_path: Path) -> None:
        data = encoded(tmp_path / "a.ogg", sweep(), subtype="VORBIS")
        other = data.replace(b"\x01vorbis", b"\x7fFLAC\1\0", 1)
        with pytest.raises(AudioUnreadableError, match=r"neither Vorbis nor Opus|damaged"):
            read(tmp_path, other)

    def test_kinds_that_nobody_promised_are_refused_whatever_their_name(self, tmp_path: Path) -> None:
        promised = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "FLAC", "OGG", "MP3"}
        others = set(soundfile.available_formats()) - promised - {"RAW", "SD2", "XI", "WVE"}
        for form in sorted(others):
            soundfile.write(tmp_path / "clip.wav", sweep(0.5, 8_000, 1), 8_000, format=form, subtype="PCM_16")
            with pytest.raises(AudioUnreadableError, match="by its content it is no WAV"):
                Audio.read(tmp_path / "clip.wav")
