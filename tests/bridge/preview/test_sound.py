"""Previews as they sound: real PortAudio, a sound server without speakers, and a recording of what came out."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from ctypes.util import find_library
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, resample_poly, sosfilt

from bridge.wire.messages import Done, Fail, Notify, Preview, PreviewReply, Stop
from tests.bridge.sound_server import PATIENCE_S, RATE, SoundServer

ROOT = Path(__file__).parents[3]
missing = [name for name in ("pulseaudio", "pactl", "parec") if shutil.which(name) is None]
missing += [] if find_library("portaudio") else ["libportaudio2"]
missing += [] if list(Path("/usr/lib").glob("**/libasound_module_pcm_pulse.so")) else ["libasound2-plugins"]
pytestmark = [
    pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)} to hear what is played"),
    pytest.mark.slow,
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def server():
    server = SoundServer()
    yield server
    server.end()


@pytest.fixture
def speakers(server, monkeypatch):
    """The sound server, where daemons and command lines of this test will find it."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def daemon(speakers, start_daemon):  # noqa: ARG001 - the server has to be there first
    """A daemon whose previews play on the sink `studio` if they say nothing."""
    return start_daemon(preview_device="studio")


def noise(seconds, seed=1, rate=RATE):
    """Noise below 1.5 kHz, where half a sample is little, at half of full scale; no two parts of it are alike."""
    low = butter(6, 1500, fs=rate, output="sos")
    wave = sosfilt(low, np.random.default_rng(seed).standard_normal(round(seconds * rate)))
    return (0.5 * wave / np.abs(wave).max()).astype(np.float32)


@pytest.fixture
def write(tmp_path):
    """Write a sound file, and give its path."""

    def write(samples, rate=RATE, name="clip.wav"):
        soundfile.write(tmp_path / name, samples, rate, subtype="FLOAT")
        return str(tmp_path / name)

    return write


def wait_for_end(ear):
    while not (reply := ear.wait_for(PreviewReply)).is_final:
        pass
    return reply


def play(ear, path, **keys):
    """Play to the end, and give the last report."""
    ear.say(Preview(path=path, **keys))
    assert ear.wait_for(Done, Fail) == Done(Preview.address, "", (path,)), ear.heard
    return wait_for_end(ear)


def loop(ear, path, recording, seconds):
    """Play over and over for at least so long, then stop."""
    ear.say(Preview(path=path, loop=True))
    ear.wait_for(Done)
    recording.wait_for(recording.seconds + seconds)
    ear.say(Stop())
    while ear.wait_for(Done) != Done(Stop.address, ""):
        pass


class TestSound:
    def test_is_the_files_own_from_head_to_tail(self, speakers, ear, write):
        clip = noise(2.0)
        path = write(clip)

        assert speakers.hears(
            lambda _: play(ear, path),
            lambda recording: recording.holds(clip) and len(recording.sounding()) > len(clip) - 0.01 * RATE,
        )

    def test_of_a_mono_file_is_on_both_sides(self, speakers, ear, write):
        clip = noise(1.0)
        path = write(clip[:, None])

        assert speakers.hears(
            lambda _: play(ear, path),
            lambda recording: recording.holds(clip) and np.array_equal(*recording.samples.T),
        )

    def test_of_a_stereo_file_stays_on_its_sides(self, speakers, ear, write):
        left, right = noise(1.0, seed=2), noise(1.0, seed=3)
        path = write(np.stack([left, right], axis=1))

        assert speakers.hears(
            lambda _: play(ear, path),
            lambda recording: (
                recording.holds(left, channel=0)
                and recording.holds(right, channel=1)
                and not recording.holds(left, channel=1)
            ),
        )

    @pytest.mark.parametrize("level_db", [-12.0, 6.0])
    def test_has_the_level_that_was_asked_for(self, speakers, ear, write, level_db):
        clip = 0.9 * noise(1.0)
        path = write(clip)

        assert speakers.hears(
            lambda _: play(ear, path, level_db=level_db),
            lambda recording: recording.holds(clip, gain=10 ** (level_db / 20)),
        )

    def test_never_goes_past_full_scale(self, speakers, ear, write):
        clip = 1.8 * noise(1.0)
        path, clipped = write(clip), np.clip(clip * 10 ** (6 / 20), -1, 1)

        assert speakers.hears(
            lambda _: play(ear, path, level_db=6.0),
            lambda recording: recording.holds(clipped) and np.abs(recording.samples).max() <= 1.0,
        )

    @pytest.mark.parametrize("rate", [16_000, 44_100, 96_000, 768_000], ids=lambda rate: f"{rate} Hz")
    def test_of_another_rate_has_the_same_pitch_and_length(self, speakers, ear, write, rate):
        """768,000 Hz is more than PortAudio takes here, so that we resample it ourselves."""
        clip = noise(1.0, rate=rate)
        path, common = write(clip, rate), np.gcd(rate, RATE)
        expected = resample_poly(clip, RATE // common, rate // common)

        assert speakers.hears(lambda _: play(ear, path), lambda recording: recording.holds(expected))
        assert ear.heard[-1].duration_s == 1.0

    def test_of_a_part_is_that_part(self, speakers, ear, write):
        clip = noise(3.0)
        path = write(clip)

        assert speakers.hears(
            lambda _: play(ear, path, start_s=1.0, end_s=1.8),
            lambda recording: (
                recording.holds(clip[RATE : round(1.8 * RATE)])
                and not recording.holds(clip[:RATE], rate_of_hits=0.1)
                and not recording.holds(clip[2 * RATE :], rate_of_hits=0.1)
            ),
        )
        assert (ear.heard[-1].position_s, ear.heard[-1].duration_s) == (1.8, 3.0)

    def test_of_broken_samples_is_finite(self, speakers, ear, write):
        clip = noise(1.0)
        clip[::1000] = np.nan
        path = write(clip)
        with speakers.recording() as recording:
            play(ear, path)

        assert np.isfinite(recording.samples).all()
        assert np.abs(recording.samples).max() <= 1.0

    def test_comes_from_the_device_that_was_named_in_part(self, speakers, ear, write):
        path = write(noise(1.0))
        with speakers.recording() as studio, speakers.recording("booth") as booth:
            play(ear, path, device="BOO")

        assert len(studio.sounding()) == 0
        assert len(booth.sounding()) > 0.9 * 44_100


class TestLoop:
    def test_goes_round_until_it_is_stopped(self, speakers, ear, write):
        clip = noise(0.6)
        path, size = write(clip), len(clip)

        def is_round_after_round(recording):
            sound = recording.sounding()[:, 0]
            return len(sound) > 3 * size and np.corrcoef(sound[:size], sound[size : 2 * size])[0, 1] > 0.99

        assert speakers.hears(lambda recording: loop(ear, path, recording, 3.0), is_round_after_round)

    def test_has_a_seam_without_a_click(self, speakers, ear, write):
        """A part that ends at the crest of a slow wave, and begins at its trough; its raw seam is a step of 1.0."""
        seconds = np.arange(round(0.495 * RATE)) / RATE
        wave = (-0.5 * np.cos(2 * np.pi * 100 * seconds)).astype(np.float32)
        path = write(wave)

        assert speakers.hears(
            lambda recording: loop(ear, path, recording, 2.5),
            lambda recording: (
                len(recording.sounding()) > 2 * len(wave) and np.abs(np.diff(recording.samples[:, 0])).max() < 0.05
            ),
        )


class TestStop:
    def test_fades_out_and_then_is_silent(self, speakers, ear, write):
        seconds = np.arange(20 * RATE) / RATE
        wave = (0.5 * np.cos(2 * np.pi * 50 * seconds)).astype(np.float32)
        path = write(wave)

        def stop_in_the_middle(recording):
            ear.say(Preview(path=path))
            ear.wait_for(Done)
            recording.wait_for(recording.seconds + 1.0)
            ear.say(Stop())
            last = wait_for_end(ear)
            assert last.state == "stopped"
            assert 0 < last.position_s < 20
            assert ear.wait_for(Done) == Done(Stop.address, "")
            recording.wait_for(recording.seconds + 1.5)

        def is_without_a_click_and_over(recording):
            sound, tail = recording.sounding(), recording.samples[-RATE // 2 :]
            return 0 < len(sound) < 20 * RATE and not tail.any() and np.abs(np.diff(sound[:, 0])).max() < 0.05

        assert speakers.hears(stop_in_the_middle, is_without_a_click_and_over)

    def test_by_the_next_preview_lets_that_sound_whole(self, speakers, ear, write):
        first, second = write(noise(30.0, seed=5), name="first.wav"), write(noise(1.0, seed=6), name="second.wav")

        def replace(_):
            ear.say(Preview(path=first))
            ear.wait_for(Done)
            ear.say(Preview(path=second))
            while (report := ear.wait_for(PreviewReply)).state != "stopped":
                pass
            assert report.path == first
            assert ear.wait_for(Done).paths == (second,)
            assert wait_for_end(ear).state == "ended"

        assert speakers.hears(replace, lambda recording: recording.holds(noise(1.0, seed=6)))


class TestLongFile:
    def test_is_not_loaded_whole(self, daemon, ear, tmp_path):
        """Two hours of silence, 2.7 GB once decoded; the file itself takes no room on the disk."""
        path, num_frames = tmp_path / "long.wav", 7200 * RATE
        soundfile.write(path, np.zeros((0, 2)), RATE, subtype="PCM_16")
        header = bytearray(path.read_bytes()[:44])
        header[4:8] = (36 + 4 * num_frames).to_bytes(4, "little")
        header[40:44] = (4 * num_frames).to_bytes(4, "little")
        with path.open("wb") as file:
            file.write(header)
            file.truncate(44 + 4 * num_frames)
        ear.say(Preview(path=str(path)))
        ear.wait_for(Done)
        reply = ear.wait_for(PreviewReply)

        assert reply.duration_s == pytest.approx(7200)
        status = Path(f"/proc/{daemon.daemon.previewer.player_pid}/status").read_text()
        assert int(status.split("VmHWM:")[1].split()[0]) < 400_000  # kB
        last = play(ear, str(path), start_s=7199.5)
        while last.path != str(path) or last.state == "stopped":
            last = wait_for_end(ear)
        assert last.position_s == pytest.approx(7200)


class TestNews:
    def test_report_the_course_of_a_preview(self, ear, write):
        path = write(noise(2.0))
        last = play(ear, path)
        on_the_way = [reply for reply in ear.heard if isinstance(reply, PreviewReply) and reply.state == "playing"]

        assert ear.heard[:2] == [PreviewReply("starting", path), Done(Preview.address, "", (path,))]
        assert (last.state, last.position_s, last.duration_s) == ("ended", 2.0, 2.0)
        assert all(before.position_s <= after.position_s for before, after in pairwise(on_the_way))
        assert max(reply.level_db for reply in (*on_the_way, last)) == pytest.approx(20 * np.log10(0.5), abs=0.1)

    def test_come_at_most_five_times_a_second(self, ear, write):
        path, started = write(noise(2.0)), time.monotonic()
        play(ear, path)
        on_the_way = [reply for reply in ear.heard if isinstance(reply, PreviewReply) and reply.state == "playing"]

        assert 1 <= len(on_the_way) <= 5 * (time.monotonic() - started)

    def test_reach_those_who_listen(self, daemon, connect, write):
        asker, listener = connect(daemon), connect(daemon)
        listener.say(Notify(on=True))
        listener.wait_for(Done)
        play(asker, write(noise(0.5)))

        assert wait_for_end(listener).state == "ended"
        assert not [reply for reply in listener.heard if isinstance(reply, Done) and reply.command == Preview.address]


class TestHarm:
    def test_a_killed_player_costs_a_sentence(self, speakers, daemon, ear, write):
        clip = noise(1.0)
        path = write(clip)
        ear.say(Preview(path=path, loop=True))
        ear.wait_for(Done)
        os.kill(daemon.daemon.previewer.player_pid, signal.SIGKILL)

        failure = ear.wait_for(Fail)
        assert (failure.command, failure.code) == (Preview.address, "preview_failed")
        assert wait_for_end(ear).state == "failed"
        assert speakers.hears(lambda _: play(ear, path), lambda recording: recording.holds(clip))

    def test_a_sound_server_that_dies_costs_a_sentence(self, start_daemon, connect, write, monkeypatch):
        other = SoundServer()
        try:
            for name, value in other.environment.items():
                monkeypatch.setenv(name, value)
            ear = connect(start_daemon(preview_device="studio"))
            ear.say(Preview(path=write(noise(1.0)), loop=True))
            ear.wait_for(Done)
        finally:
            other.end()

        assert ear.wait_for(Fail).code == "preview_failed"
        assert wait_for_end(ear).state == "failed"

    @pytest.mark.usefixtures("speakers")
    def test_a_daemon_that_ends_leaves_no_player(self, start_process, connect, write, wait_until, alive):
        process = start_process("--preview-device", "studio")
        ear = connect(process)
        ear.say(Preview(path=write(noise(1.0)), loop=True))
        ear.wait_for(Done)
        (player,) = process.children()
        process.process.kill()
        process.process.wait()

        wait_until(lambda: not alive(player))


@pytest.fixture
def command(speakers, state_dir):  # noqa: ARG001 - both are found through the environment
    """Start `retake preview` as a process; what is left at the end of a test is ended."""
    started = []

    def start(*words):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        line = [sys.executable, "-m", "bridge", "preview", *words]
        started.append(subprocess.Popen(line, cwd=ROOT, text=True, **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ended(process):
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


class TestCommand:
    def test_plays_without_a_daemon(self, speakers, command, write):
        clip = noise(1.0)
        path = write(clip)

        def run(_):
            assert ended(command(path, "--device", "studio", "--level-db", "-6")) == (0, "", "")

        assert speakers.hears(run, lambda recording: recording.holds(clip, gain=10 ** (-6 / 20)))

    def test_plays_through_the_daemon_and_is_stopped_by_another(self, daemon, speakers, command, write, wait_until):
        clip = noise(0.6)
        path = write(clip)

        def run(recording):
            playing = command(path, "--loop")
            wait_until(lambda: daemon.daemon.previewer._now and daemon.daemon.previewer._now.has_begun)
            recording.wait_for(recording.seconds + 1.5)
            assert ended(command("--stop")) == (0, "stopped\n", "")
            assert ended(playing) == (0, "", "")

        assert speakers.hears(run, lambda recording: len(recording.sounding()) > 2 * len(clip))

    @pytest.mark.parametrize("has_daemon", [False, True], ids=["alone", "with a daemon"])
    def test_ends_with_ctrl_c(self, speakers, start_daemon, command, write, has_daemon):
        if has_daemon:
            start_daemon(preview_device="studio")
        playing = command(write(noise(0.6)), "--loop", "--device", "studio")
        deadline = time.monotonic() + PATIENCE_S
        while "Sink: 0" not in speakers.control("list", "sink-inputs"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        playing.send_signal(signal.SIGINT)

        assert ended(playing) == (130, "", "")
        assert "Sink: 0" not in speakers.control("list", "sink-inputs")

    def test_lists_the_devices_and_marks_the_chosen_one(self, command):
        code, out, err = ended(command("--devices", "--device", "boo"))

        assert (code, err) == (0, "")
        assert [line[:7] for line in out.splitlines() if line.startswith("*")] == ["* booth"]
        assert any(line.startswith("  studio (ALSA") for line in out.splitlines())

    def test_lists_the_devices_for_programs(self, command):
        code, out, _ = ended(command("--devices", "--json", "--device", "nobody has this"))

        facts = json.loads(out)
        assert code == 1
        assert {"studio", "booth"} <= {entry["name"] for entry in facts["devices"]}
        assert facts["error"]["code"] == "device_unknown"
        assert "studio" in facts["error"]["hint"]
