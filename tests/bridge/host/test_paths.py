"""What is read and where things are written: the rules of each system, at the door, and once more before writing."""

import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import engine
from bridge.errors import ClipRefusedError, DiskFullError, PathNotAllowedError
from bridge.host.allowed_folders import AllowedFolders, FolderPlatform
from bridge.host.paths import PathRules, check_clip
from bridge.jobs.job import Job
from bridge.jobs.reply_file import write_reply_file
from bridge.rendering.audio_io import Destination, result_bytes
from bridge.rendering.pipe import RenderSetup
from bridge.rendering.renderer import Renderer
from bridge.wire.messages import Ack, Done, Fail, Generate, JobQuery, Progress, Restyle
from engine.sound_files.reader import reader_of

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither pipes in folders nor these links")


def write_clip(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(1).uniform(-0.3, 0.3, 8000), 16000, format="WAV")
    return path


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The home of the user, with a folder that may not be written to."""
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    return folder


def refusal(code, function, *args):
    with pytest.raises((PathNotAllowedError, ClipRefusedError)) as refused:
        function(*args)
    assert refused.value.code == code
    return refused.value


def may_write(rules, **keys):
    rules.check(Generate(job="j", prompt="rain", **{key: str(value) for key, value in keys.items()}))


class TestClip:
    @pytest.mark.parametrize("form", ["WAV", "RF64", "W64", "AIFF", "CAF", "FLAC", "OGG", "MP3"])
    def test_is_a_file_of_audio_by_its_first_bytes_whatever_its_name(self, tmp_path, form):
        soundfile.write(tmp_path / "clip", np.zeros(8000), 16000, format=form)
        check_clip("clip", str(tmp_path / "clip"))

    @pytest.mark.parametrize("form", ["AU", "AVR", "HTK", "IRCAM", "MAT4", "MAT5", "NIST", "PAF", "PVF", "SVX", "VOC"])
    def test_is_of_a_promised_kind_also_under_the_name_of_one(self, tmp_path, form):
        soundfile.write(tmp_path / "clip.wav", np.zeros(8000), 16000, format=form, subtype="PCM_16")
        assert "FLAC, Ogg or MP3" in refusal("file_unreadable", check_clip, "clip", str(tmp_path / "clip.wav")).text

    def test_may_be_missing_which_reading_says_better(self, tmp_path):
        check_clip("clip", str(tmp_path / "missing.wav"))
        check_clip("clip", str(tmp_path / "missing" / "clip.wav"))

    def test_is_not_a_text(self, tmp_path):
        (tmp_path / "id_rsa").write_text("-----BEGIN OPENSSH PRIVATE KEY-----")
        assert "by its first bytes" in refusal("file_unreadable", check_clip, "clip", str(tmp_path / "id_rsa")).text

    def test_is_not_larger_than_the_setting(self, tmp_path):
        with write_clip(tmp_path / "clip.wav").open("r+b") as file:
            file.truncate(2_000)
        clip = str(tmp_path / "clip.wav")
        check_clip("clip", clip, 2_000)
        assert "max_clip_bytes" in refusal("file_unreadable", check_clip, "like", clip, 1_999).text

    @POSIX
    def test_is_not_a_folder_pipe_socket_or_device(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.wav")
        (tmp_path / "folder.wav").mkdir()
        os.symlink(tmp_path / "pipe.wav", tmp_path / "link.wav")
        os.symlink("/dev/zero", tmp_path / "zero.wav")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "s.wav"))
            for name, word in {
                "pipe": "a pipe", "folder": "a folder", "link": "a pipe", "s": "a socket", "zero": "a device"
            }.items():  # fmt: skip
                assert word in refusal("file_unreadable", check_clip, "clip", str(tmp_path / f"{name}.wav")).text

    @pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
    def test_is_not_the_systems_even_through_a_link(self, tmp_path):
        os.symlink("/proc/self/environ", tmp_path / "clip.wav")
        assert "system" in refusal("file_unreadable", check_clip, "clip", str(tmp_path / "clip.wav")).text


class TestFolders:
    """The rules themselves, for a computer whose root is in tmp_path."""

    @pytest.fixture
    def machine(self, tmp_path):
        def make(system, **environment):
            home = tmp_path / ("Users" if system != "linux" else "home") / "ada"
            for folder in (home, tmp_path / "data" / "song"):
                folder.mkdir(parents=True, exist_ok=True)
            user = os.geteuid() if sys.platform != "win32" else None
            music, temporary = home / "Music", tmp_path / "tmp"
            return FolderPlatform(system, environment, home, music, temporary, tmp_path, user)

        return make

    @pytest.mark.parametrize(
        ("system", "folder"),
        [
            ("linux", "home/ada/takes"),
            ("linux", "home/ada/Music/Retake"),
            ("linux", "tmp/x"),
            ("linux", "var/tmp/x"),
            ("linux", "media/stick/x"),
            ("linux", "run/media/ada/stick/x"),
            ("linux", "mnt/studio"),
            ("linux", "data/song/takes"),
            ("darwin", "Users/ada/Library/Application Support/REAPER/Data/Retake"),
            ("darwin", "Volumes/Studio/song"),
            ("win32", "Users/ada/AppData/Roaming/REAPER/Data/Retake"),
            ("win32", "data/song"),
        ],
    )
    def test_of_the_user_are_open(self, machine, tmp_path, system, folder):
        assert AllowedFolders(machine(system)).allow(tmp_path / folder)

    @pytest.mark.parametrize(
        ("system", "folder"),
        [
            ("linux", "home/ada/.ssh"),
            ("linux", "home/ada/.config/autostart"),
            ("linux", "home/ada/.local/bin"),
            ("linux", "home/ada/song/.git/hooks"),
            ("linux", "home/ada/settings/here"),
            ("linux", "data/.hidden"),
            ("linux", "etc"),
            ("linux", "usr/share/sounds"),
            ("linux", "run/user/1000"),
            ("linux", "var/www"),
            ("darwin", "Users/ada/Library/LaunchAgents"),
            ("darwin", "users/ADA/library/launchagents"),
            ("darwin", "Users/bob/Music"),
            ("darwin", "System/Library"),
            ("win32", "Users/bob/Music"),
            ("win32", "Windows/System32"),
            ("win32", "Users/ada/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup"),
        ],
    )
    def test_hidden_or_of_the_system_are_closed(self, machine, tmp_path, system, folder):
        environment = {"SystemRoot": str(tmp_path / "Windows"), "XDG_CONFIG_HOME": str(tmp_path / "home/ada/settings")}
        assert not AllowedFolders(machine(system, **environment)).allow(tmp_path / folder)

    def test_of_retakes_own_state_are_closed(self, machine, tmp_path):
        state = tmp_path / "home" / "ada" / "state"
        assert not AllowedFolders(machine("linux", RETAKE_STATE_DIR=str(state))).allow(state / "x")

    def test_of_temporary_files_are_open_wherever_they_are(self, tmp_path):
        temporary = tmp_path / "home" / "ada" / ".cache" / "tmp"
        machine = FolderPlatform("linux", {}, tmp_path / "home" / "ada", tmp_path / "m", temporary, tmp_path, 0)
        assert AllowedFolders(machine).allow(temporary / "takes")

    @pytest.mark.skipif(sys.platform == "win32", reason="folders of others are Windows' own business")
    def test_that_another_user_owns_are_closed(self, machine, tmp_path):
        somebody = FolderPlatform(**{**vars(machine("linux")), "user": os.geteuid() + 1})
        assert not AllowedFolders(somebody).allow(tmp_path / "data" / "song")

    @pytest.mark.parametrize("mark", ["song.RPP", "song.ardour", "song.als", "reaper.ini"])
    def test_of_a_project_are_open_wherever_it_is(self, machine, tmp_path, mark):
        project = tmp_path / "home" / "ada" / ".config" / "REAPER"
        project.mkdir(parents=True)
        places = AllowedFolders(machine("linux"))
        assert not places.allow(project / "Data" / "Retake")
        (project / mark).touch()

        assert places.allow(project / "Data" / "Retake")
        assert not places.allow(project / ".git" / "hooks")
        assert not places.allow(project / "far" / "too" / "deep" / "down")
        assert not places.allow(project.parent)

    def test_are_not_opened_by_a_project_in_the_home_itself(self, machine, tmp_path):
        (tmp_path / "home" / "ada").mkdir(parents=True)
        (tmp_path / "home" / "ada" / "song.rpp").touch()
        assert not AllowedFolders(machine("linux")).allow(tmp_path / "home" / "ada" / ".ssh")

    def test_are_not_all_open_for_a_user_whose_home_is_the_root(self, tmp_path):
        machine = FolderPlatform("linux", {}, Path("/"), tmp_path / "m", tmp_path / "t", Path("/"), 0)
        assert not AllowedFolders(machine).allow(Path("/etc"))
        assert not AllowedFolders(machine).allow(Path("/"))


class TestRequest:
    @POSIX
    def test_is_refused_with_the_folder_and_the_setting(self, home):
        refused = refusal("path_not_allowed", lambda: may_write(PathRules(), output_dir=home / ".ssh"))
        assert str(home / ".ssh") in refused.text
        assert "allowed_folders" in refused.hint

    @POSIX
    def test_is_refused_when_a_link_leads_elsewhere(self, home):
        os.symlink(home / ".ssh", home / "takes")
        rules = PathRules()
        assert ".ssh" in refusal("path_not_allowed", lambda: may_write(rules, output_dir=home / "takes" / "new")).text
        refusal("path_not_allowed", lambda: may_write(rules, reply=home / "takes" / "r.json"))
        refusal("path_not_allowed", lambda: may_write(rules, output_dir=home / "song" / ".." / ".ssh"))

    @POSIX
    def test_may_use_what_the_settings_name(self, home):
        folder = home / ".takes"
        refusal("path_not_allowed", lambda: may_write(PathRules(), output_dir=folder))
        may_write(PathRules(allowed_folders=(folder,)), output_dir=folder / "new")
        may_write(PathRules(output_dir=folder), reply=folder / "r.json")
        may_write(PathRules(output_dir=folder))

    @POSIX
    def test_may_always_write_beside_its_clip(self, home):
        clip = write_clip(home / ".samples" / "clip.wav")
        rules, beside = PathRules(), {"reply": str(clip.parent / "r.json"), "output_dir": str(clip.parent)}
        rules.check(Restyle(job="j", clip=str(clip), prompt="x"))
        rules.check(Restyle(job="j", clip=str(clip), prompt="x", **beside))
        refusal("path_not_allowed", lambda: may_write(rules, like=clip, output_dir=clip.parent))

    @POSIX
    def test_cannot_open_a_folder_with_a_clip_that_is_not_there(self, home):
        clip = home / ".ssh" / "clip.wav"
        refusal("path_not_allowed", PathRules().check, Restyle(job="j", clip=str(clip), prompt="x",
                reply=str(home / ".ssh" / "r.json")))  # fmt: skip


@POSIX
class TestDoor:
    """A daemon refuses at once, and makes neither a job nor a folder."""

    @pytest.fixture
    def refused(self, home, daemon, ear):
        assert daemon.daemon.recovery._rules.paths.folders.machine.home == home

        def ask(request, code):
            ear.say(request)
            reply = ear.hear()
            assert (type(reply), reply.code) == (Fail, code)
            ear.say(JobQuery(job=request.job))
            assert ear.hear().code == "unknown_job"

        return ask

    def test_refuses_folders_outside_the_allowed_ones(self, refused, generate, home):
        os.symlink("/etc", home / "takes")
        for number, folder in enumerate((home / ".ssh" / "new", "/etc/retake", home / "takes")):
            refused(generate(f"j{number}", output_dir=str(folder)), "path_not_allowed")
        refused(generate("r", reply=str(home / ".ssh" / "r.json")), "path_not_allowed")
        assert list((home / ".ssh").iterdir()) == []

    def test_refuses_clips_that_are_none(self, refused, generate, home):
        os.mkfifo(home / "clip.wav")
        refused(Restyle(job="a", clip=str(home / "clip.wav"), prompt="x"), "file_unreadable")
        refused(generate("b", like="/dev/zero"), "file_unreadable")

    def test_lets_others_pass(self, home, ear, generate):
        ear.say(generate("one", output_dir=str(home / "Music")))
        assert isinstance(ear.hear(), Ack)

    def test_knows_what_the_settings_allow(self, home, start_daemon, connect, generate):
        ear = connect(start_daemon(allowed_folders=(home / ".takes",)))
        ear.say(generate("one", output_dir=str(home / ".takes" / "x")))
        assert isinstance(ear.hear(), Ack)


@POSIX
class TestSwap:
    """A folder that becomes a link while its job runs."""

    def test_of_the_output_folder_fails_the_job_and_nothing_is_written(self, tmp_path):
        takes, elsewhere, news = tmp_path / "takes", tmp_path / "elsewhere", []
        elsewhere.mkdir()

        def swap(_):
            if takes.is_dir() and not takes.is_symlink():
                takes.rmdir()
                os.symlink(elsewhere, takes)
            return False

        request = Generate(job="j", prompt="rain", seconds=0.5, steps=2, output_dir=str(takes))
        Renderer(RenderSetup("tiny", "cpu"), news.append).render(request, swap)

        assert news[-1].code == "path_not_allowed"
        assert list(elsewhere.iterdir()) == []

    def test_of_the_clips_folder_fails_the_job_and_nothing_is_written(self, tmp_path):
        song, elsewhere, news = tmp_path / "song", tmp_path / "elsewhere", []
        clip = write_clip(song / "clip.wav")
        elsewhere.mkdir()

        def swap(_):
            if song.exists() and not song.is_symlink():
                song.rename(tmp_path / "moved")
                os.symlink(elsewhere, song)
            return False

        request = Restyle(job="j", clip=str(clip), prompt="rain", steps=2)
        Renderer(RenderSetup("tiny", "cpu"), news.append).render(request, swap)

        assert news[-1].code == "path_not_allowed"
        assert list(elsewhere.iterdir()) == []

    def test_of_the_replys_folder_ends_the_reply_but_not_the_job(self, tmp_path, ear, generate):
        folder, elsewhere = tmp_path / "work", tmp_path / "elsewhere"
        folder.mkdir()
        elsewhere.mkdir()
        ear.say(generate("one", reply=str(folder / "r.json")))
        ear.wait_for(Progress)
        folder.rename(tmp_path / "moved")
        os.symlink(elsewhere, folder)

        assert isinstance(ear.wait_for_end("one"), Done)
        assert list(elsewhere.iterdir()) == []


@POSIX
class TestReplyFile:
    def test_is_where_a_link_led_when_the_job_was_accepted(self, tmp_path, ear, generate, read_json):
        (tmp_path / "real").mkdir()
        os.symlink(tmp_path / "real", tmp_path / "link")
        request = generate("one", reply=str(tmp_path / "link" / "r.json"))
        ear.say(request)
        ear.wait_for_end("one")
        ear.say(request)

        assert isinstance(ear.hear(), Ack)
        assert read_json(tmp_path / "real" / "r.json")["state"] == "done"

    def test_of_another_program_that_came_meanwhile_is_left_alone(self, tmp_path):
        job = Job(request=Generate(job="j", prompt="x", reply=str(tmp_path / "r.json")))
        write_reply_file(job)
        (tmp_path / "r.json").write_text('{"tempo": 120}')
        write_reply_file(job.after(Progress("j", 0.5, "step 1/2")))

        assert (tmp_path / "r.json").read_text() == '{"tempo": 120}'

    def test_is_not_written_through_a_link_under_its_drafts_name(self, tmp_path):
        (tmp_path / "precious").write_text("mine")
        os.symlink(tmp_path / "precious", tmp_path / f".retake-reply-{os.getpid()}.tmp")
        write_reply_file(Job(request=Generate(job="j", prompt="x", reply=str(tmp_path / "r.json"))))

        assert (tmp_path / "precious").read_text() == "mine"
        assert not (tmp_path / "r.json").is_symlink()


class TestRoom:
    """Refused before anything is rendered."""

    @pytest.fixture
    def render(self):
        def render(setup, request):
            news = []
            Renderer(setup, news.append).render(request, lambda _: False)
            assert not any(isinstance(item, Progress) and item.stage.startswith("step") for item in news)
            return news[-1]

        return render

    def test_for_a_result_beyond_the_setting(self, render, tmp_path):
        request = Generate(job="j", prompt="rain", seconds=2.0, candidates=4, output_dir=str(tmp_path))
        failure = render(RenderSetup("tiny", "cpu", max_output_bytes=100_000), request)

        assert failure.code == "output_too_large"
        assert "max_output_bytes" in failure.hint
        assert list(tmp_path.iterdir()) == []

    def test_for_a_result_that_the_disk_has_no_room_for(self, tmp_path):
        task, rate = engine.Generate(prompt="rain", seconds=600), 10**15
        with pytest.raises(DiskFullError, match="are free") as failure:
            Destination(tmp_path, tmp_path, tmp_path).require_room(task, rate, 10**21)

        assert failure.value.code == "disk_full"

    def test_is_not_asked_of_a_folder_that_is_gone(self, tmp_path):
        gone = tmp_path / "gone"
        Destination(gone, gone, tmp_path).require_room(engine.Generate(prompt="rain", seconds=1), 16_000, 10**9)

    def test_is_that_of_all_candidates_at_the_takes_rate(self):
        clip = engine.Audio(np.zeros((2, 8000), np.float32), 8000)

        assert result_bytes(engine.Restyle(clip, "rain", candidates=3), 16000) == 2 * 8000 * 4 * 3
        assert result_bytes(engine.Upscale(clip, output_rate=48000), 16000) == 2 * 48000 * 4

    def test_is_that_of_a_generated_take_as_it_is_delivered(self):
        asked = engine.Generate("rain", seconds=1.5, candidates=2)

        assert result_bytes(asked, 48_000) == 72_000 * 3 * 2
        assert result_bytes(replace(asked, output_rate=96_000, output_bits="32"), 48_000) == 144_000 * 4 * 2
        assert result_bytes(replace(asked, output_channels="stereo", output_bits="16"), 48_000) == 72_000 * 2 * 2 * 2
        assert result_bytes(replace(asked, width=1.0), 48_000) == 2 * 72_000 * 3 * 2
        assert result_bytes(replace(asked, width=1.0, output_channels="mono"), 48_000) == 72_000 * 3 * 2


def test_a_pipe_in_place_of_a_clip_never_blocks(tmp_path):
    """The engine looks at what it opened, so that a swap after the check changes nothing."""
    if sys.platform == "win32":
        pytest.skip("there are no such pipes")
    os.mkfifo(tmp_path / "clip.wav")
    with pytest.raises(engine.AudioUnreadableError, match="not a file"):
        reader_of(tmp_path / "clip.wav")
