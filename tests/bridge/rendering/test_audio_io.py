"""Names and places of results: never longer than 120 bytes, never on top of something."""

import time
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from bridge.errors import ClipRefusedError, FolderError
from bridge.host.paths import PathRules
from bridge.rendering.audio_io import MAX_NAME, Destination, read_clips, slug, take_name, write_takes
from bridge.wire.messages import Generate, Inpaint, Restyle, Upscale, Vary
from engine import Audio, ClipTooLongError, OutputWriteError


def restyle(clip="/session/clip.wav", prompt="Heavy rain, on a tin roof!", **keys):
    return Restyle(job="j", clip=clip, prompt=prompt, **keys)


class TestName:
    def test_names_clip_operation_prompt_and_seed(self):
        assert take_name(restyle(), 3) == "clip restyle heavy-rain-on-a-tin-roof s3"
        inpaint = Inpaint(job="j", clip="/a.b.wav", prompt="x", start_s=0, end_s=1)
        assert take_name(inpaint, 4294967295) == "a.b inpaint x s4294967295"
        assert take_name(Generate(job="j", prompt="A dog"), 1) == "generate a-dog s1"

    def test_is_taken_by_sticks_and_shares_whatever_the_clip_is_called(self):
        assert take_name(restyle("/s/Vox 12:30 take?.wav", "rain"), 1) == "Vox 12-30 take- restyle rain s1"
        assert take_name(restyle("/s/nul.v1.wav", "rain"), 1) == "_nul.v1 restyle rain s1"

    def test_without_a_prompt_names_what_there_is(self):
        like = Generate(job="j", prompt=" ", like="/session/Door Slam.wav")

        assert take_name(like, 1) == "generate like-door-slam s1"
        assert take_name(Vary(job="j", clip="/a.wav"), 2) == "a vary s2"
        assert take_name(Upscale(job="j", clip="/a.wav", prompt="birds"), 3) == "a upscale birds s3"

    @pytest.mark.parametrize(
        ("clip", "prompt"),
        [("c" * 250, "p" * 1000), ("雨" * 80, "雷" * 1000), ("🎹" * 60, "🎹 piano " * 100), ("é" * 120, "ё" * 1000)],
        ids=["latin", "han", "emoji", "two-byte"],
    )
    def test_fits_into_120_bytes_with_its_suffix_and_stays_unicode(self, clip, prompt):
        name = take_name(restyle(clip=f"/{clip}.wav", prompt=prompt), 4294967295)

        assert len(f"{name} (9999).wav".encode()) <= MAX_NAME
        assert "�" not in name
        assert name.endswith("s4294967295")

    @pytest.mark.parametrize(
        ("prompt", "expected"),
        [
            ("rain", "rain"),
            ("  Rain / thunder: 100%  ", "rain-thunder-100"),
            ("../../etc/passwd", "etc-passwd"),
            ("дождь по крыше", "дождь-по-крыше"),
            ("雨の音", "雨の音"),
            ("...", "untitled"),
            ("", "untitled"),
            ("cafe\u0301", "café"),
            ("nul\0byte\nline", "nul-byte-line"),
        ],
    )
    def test_spells_the_prompt_safely(self, prompt, expected):
        assert slug(prompt) == expected


def output_folder(request, configured=None):
    return Destination.of(request, PathRules(output_dir=configured)).folder


class TestClips:
    @pytest.fixture
    def long(self, tmp_path):
        """Eleven minutes of silence in a few kilobytes."""
        soundfile.write(tmp_path / "long.flac", np.zeros(660 * 8000, np.float32), 8000)
        return str(tmp_path / "long.flac")

    @pytest.mark.parametrize(
        "request_",
        [
            lambda clip: Generate(job="j", prompt="x", like=clip),
            restyle,
            lambda clip: Vary(job="j", clip=clip),
            lambda clip: Upscale(job="j", clip=clip, prompt=""),
        ],
        ids=["like", "restyle", "vary", "upscale"],
    )
    def test_that_are_too_long_to_be_rendered_whole_are_refused(self, long, request_):
        with pytest.raises(ClipTooLongError, match=r"660\.0 s are too many; at most 600 s"):
            read_clips(request_(long))

    def test_may_be_longer_where_a_part_is_rendered_up_to_the_setting(self, long):
        request = Inpaint(job="j", clip=long, prompt="x", start_s=1.0, end_s=1.5)
        assert read_clips(request, 11.0)["clip"].seconds == 660
        with pytest.raises(ClipRefusedError, match=r"11\.0 minutes long, more than max_clip_min \(10\)") as refused:
            read_clips(request, 10)
        assert refused.value.hint == "split the clip, or raise the setting max_clip_min"


class TestFolder:
    def test_is_the_requests_before_all_others(self, tmp_path):
        request = restyle(output_dir=str(tmp_path / "new" / "takes"))

        assert output_folder(request, tmp_path / "configured") == tmp_path / "new" / "takes"
        assert (tmp_path / "new" / "takes").is_dir()

    def test_is_the_configured_one_otherwise(self, tmp_path):
        assert output_folder(restyle(), tmp_path) == tmp_path

    def test_is_beside_the_clip_without_any(self, tmp_path):
        assert output_folder(restyle(clip=str(tmp_path / "clip.wav"))) == tmp_path

    def test_of_a_generated_sound_is_in_the_users_music(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("XDG_MUSIC_DIR", str(tmp_path / "Music"))

        assert output_folder(Generate(job="j", prompt="p")) == tmp_path / "Music" / "Retake"

    def test_that_cannot_be_made_is_refused(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(FolderError, match="file") as refusal:
            output_folder(restyle(output_dir=str(tmp_path / "file" / "x")))
        assert refusal.value.code == "output_failed"
        assert refusal.value.hint == "what should be the folder is a file: choose another one"


@pytest.fixture
def take():
    return Audio(np.linspace(-0.5, 0.5, 1000, dtype=np.float32), 16000, {"seed": 1})


class TestWriting:
    def test_gives_each_take_a_name_of_its_own(self, tmp_path, take):
        first = write_takes([take, take], tmp_path, ["x", "x"])
        second = write_takes([take], tmp_path, ["x"])

        assert [path.name for path in (*first, *second)] == ["x.wav", "x (2).wav", "x (3).wav"]
        assert len(list(tmp_path.iterdir())) == 6

    def test_leaves_files_of_that_name_alone(self, tmp_path, take):
        (tmp_path / "x.wav").write_text("mine")
        (tmp_path / "x (2).json").write_text("mine, too")
        (path,) = write_takes([take], tmp_path, ["x"])

        assert path.name == "x (3).wav"
        assert (tmp_path / "x.wav").read_text() == "mine"
        assert (tmp_path / "x (2).json").read_text() == "mine, too"
        assert not (tmp_path / "x (2).wav").exists()

    def test_is_undone_when_a_later_take_cannot_be_written(self, tmp_path, take):
        with pytest.raises(OutputWriteError):
            write_takes([take, take], tmp_path, ["x", "n" * 300])

        assert list(tmp_path.iterdir()) == []

    def test_goes_to_the_refuge_when_the_folder_was_renamed_meanwhile(self, tmp_path, take):
        (tmp_path / "project").mkdir()
        destination = Destination(tmp_path / "project", tmp_path / "project", tmp_path / "music" / "Retake")
        (tmp_path / "project").rename(tmp_path / "project 2")

        (path,) = destination.write([take], ["rain"])

        assert path == tmp_path / "music" / "Retake" / "rain.wav"
        assert Audio.read(path).num_samples == take.num_samples
        assert not (tmp_path / "project").exists()


class TestWritingOnceMore:
    """After a crash a job is rendered again, perhaps after its take was written and before that was known."""

    @pytest.fixture
    def of_job(self, take):
        return lambda job, candidate=1: replace(take, story={"job": job, "candidate": candidate})

    def test_of_the_thousandth_of_a_name_looks_at_names_only(self, tmp_path, of_job):
        for number in range(1, 1000):
            name = "rain" if number == 1 else f"rain ({number})"
            for suffix in (".wav", ".json"):
                (tmp_path / f"{name}{suffix}").write_text('{"job": "other", "candidate": 1}')
        began = time.process_time()
        (path,) = write_takes([of_job("mine")], tmp_path, ["rain"])

        assert path.name == "rain (1000).wav"
        assert time.process_time() - began < 1.0  # listing the folder for each would take several

    def test_gives_the_file_that_is_there(self, tmp_path, of_job):
        (first,) = write_takes([of_job("j")], tmp_path, ["x"])
        before = first.stat()
        (second,) = write_takes([of_job("j")], tmp_path, ["x"])

        assert second == first
        assert (first.stat().st_ino, first.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
        assert len(list(tmp_path.iterdir())) == 2

    def test_keeps_candidates_apart(self, tmp_path, of_job):
        takes = [of_job("j", 2), of_job("j", 1)]
        first = write_takes(takes, tmp_path, ["x", "x"])

        assert write_takes(takes, tmp_path, ["x", "x"]) == first
        assert len({*first}) == 2

    def test_takes_no_other_jobs_file(self, tmp_path, of_job):
        write_takes([of_job("i")], tmp_path, ["x"])

        assert [path.name for path in write_takes([of_job("j")], tmp_path, ["x"])] == ["x (2).wav"]
