"""Previews as they are heard: real PortAudio, a sound server without speakers, and a recording of what came out."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from ctypes.util import find_library
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, correlate, resample_poly, sosfilt

from bridge.messages import Done, Fail, Notify, Preview, PreviewReply, Stop

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
RATE = 48_000
SINKS = {"studio": 48_000, "booth": 44_100}
ALSA = Path("/usr/share/alsa/alsa.conf")

missing = [name for name in ("pulseaudio", "pactl", "parec") if shutil.which(name) is None]
missing += [] if find_library("portaudio") else ["libportaudio2"]
missing += [] if list(Path("/usr/lib").glob("**/libasound_module_pcm_pulse.so")) else ["libasound2-plugins"]
pytestmark = [
    pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)} to hear what is played"),
    pytest.mark.slow,
    pytest.mark.timeout(600),
]


class SoundServer:
    """A PulseAudio of our own with two sinks that nobody hears; no D-Bus, no systemd, nothing of this machine's."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="retake-"))  # short: the name of a socket has room for 107 bytes
        alsa = self.folder / "alsa.conf"
        devices = "".join(f"pcm.{name} {{\n type pulse\n device {name}\n}}\n" for name in SINKS)
        alsa.write_text(f"<{ALSA}>\n{devices}")
        client = self.folder / "client.conf"
        client.write_text("autospawn = no\nenable-shm = no\n")
        socket = self.folder / "native"
        self.environment = {
            "PULSE_SERVER": f"unix:{socket}",
            "PULSE_CLIENTCONFIG": str(client),
            "PULSE_RUNTIME_PATH": str(self.folder / "runtime"),
            "PULSE_STATE_PATH": str(self.folder / "state"),
            "ALSA_CONFIG_PATH": str(alsa),
        }
        quiet = ["--exit-idle-time=-1", "--use-pid-file=no", "--realtime=no", "--high-priority=no", "--disable-shm=yes"]
        quiet.append("--resample-method=speex-float-10")
        modules = [f"module-native-protocol-unix socket={socket} auth-anonymous=1"]
        modules += [
            f"module-null-sink sink_name={name} rate={rate} channels=2 format=float32le norewinds=1"
            for name, rate in SINKS.items()
        ]
        command = ["pulseaudio", "-n", "--daemonize=no", *quiet, "--log-target=stderr"]
        own = {key: value for key, value in self._inherited().items() if key != "PULSE_SERVER"}
        self._log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(
            [*command, *(word for module in modules for word in ("-L", module))],
            env=own | {"HOME": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder)},
            stdout=self._log,
            stderr=self._log,
        )
        self._wait_until_up()

    def control(self, *words):
        command = ["pactl", *words]
        return subprocess.run(command, env=self._inherited(), capture_output=True, text=True, check=True).stdout

    @contextlib.contextmanager
    def recording(self, sink="studio"):
        """Record what a sink plays; the recording is whole when the block ends."""
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".raw") as file:
            options = ["--format=float32le", f"--rate={SINKS[sink]}", "--channels=2", "--raw", "--latency-msec=50"]
            command = ["parec", f"--device={sink}.monitor", *options]
            recorder = subprocess.Popen(command, env=self._inherited(), stdout=file, stderr=subprocess.DEVNULL)
            recording = Recording(Path(file.name))
            try:
                recording.wait_for(0.2)
                yield recording
                recording.wait_for(recording.seconds + 1.0)  # what the server still holds
            finally:
                recorder.terminate()
                recorder.wait(PATIENCE_S)
            recording.close()

    def end(self):
        self.process.kill()
        self.process.wait()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _inherited(self):
        return {key: value for key, value in os.environ.items() if "DBUS" not in key} | self.environment

    def _wait_until_up(self):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(subprocess.CalledProcessError):
                if all(name in self.control("list", "short", "sinks") for name in SINKS):
                    return
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text())


class Recording:
    """What came out, [frames, 2]."""

    def __init__(self, path):
        self._path = path
        self.samples = np.zeros((0, 2), np.float32)

    @property
    def seconds(self):
        return self._path.stat().st_size / 8 / RATE

    def wait_for(self, seconds):
        deadline = time.monotonic() + PATIENCE_S
        while self.seconds < seconds:
            assert time.monotonic() < deadline, "the recorder hears nothing"
            time.sleep(0.02)

    def close(self):
        raw = self._path.read_bytes()
        self.samples = np.frombuffer(raw[: len(raw) // 8 * 8], "<f4").reshape(-1, 2)

    def sounding(self):
        """From the first to the last sample that is not silence."""
        (heard,) = np.nonzero(np.abs(self.samples).max(axis=1) > 1e-5)
        return self.samples[heard[0] : heard[-1] + 1] if len(heard) else self.samples[:0]

    def matches(self, clip, channel=0, window_s=0.2):
        """How each window of a clip, [frames], is found again: correlation 0..1, gain, and second of the recording.

        Window by window, so that a server that stumbles on a busy machine spoils one of them and not the test.
        """
        sound = self.samples[:, channel].astype(np.float64)
        size = round(window_s * RATE)
        energy = np.concatenate([[0.0], np.cumsum(sound**2)])
        energy = energy[size:] - energy[:-size]
        found = []
        for start in range(size // 4, len(clip) - size, size):
            window = clip[start : start + size].astype(np.float64)
            scores = correlate(sound, window, mode="valid") / np.sqrt(energy * np.sum(window**2) + 1e-9)
            best = int(np.argmax(scores))
            piece = sound[best : best + size]
            found.append((scores[best], np.dot(piece, window) / np.dot(window, window), best / RATE))
        return np.array(found)

    def holds(self, clip, channel=0, gain=1.0, rate_of_hits=0.8):
        """Whether a clip was heard: its windows at this gain, in their order."""
        found = self.matches(clip, channel)
        hits = (found[:, 0] > 0.99) & (np.abs(20 * np.log10(np.abs(found[:, 1]) / gain + 1e-9)) < 0.2)
        in_order = np.all(np.diff(found[hits, 2]) > 0)
        return hits.mean() >= rate_of_hits and bool(in_order)


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


class TestSound:
    def test_is_the_files_own_and_its_way_is_told(self, speakers, ear, write):
        clip = noise(2.0)
        path = write(clip)
        with speakers.recording() as recording:
            last = play(ear, path)

        assert recording.holds(clip)
        assert len(recording.sounding()) > len(clip) - 0.01 * RATE  # neither head nor tail is cut
        assert (last.state, last.position_s, last.duration_s) == ("ended", 2.0, 2.0)
        assert ear.heard[0] == PreviewReply("starting", path)
        assert ear.heard[1] == Done(Preview.address, "", (path,))
        on_the_way = [reply for reply in ear.heard if isinstance(reply, PreviewReply) and reply.state == "playing"]
        assert 1 <= len(on_the_way) <= 5 * 10
        assert all(a.position_s <= b.position_s for a, b in pairwise(on_the_way))
        assert max(reply.level_db for reply in on_the_way) == pytest.approx(20 * np.log10(0.5), abs=0.1)

    def test_of_a_mono_file_is_on_both_sides(self, speakers, ear, write):
        clip = noise(1.0)
        with speakers.recording() as recording:
            play(ear, write(clip[:, None]))

        assert recording.holds(clip, channel=0)
        assert np.array_equal(recording.samples[:, 0], recording.samples[:, 1])

    def test_of_a_stereo_file_stays_on_its_sides(self, speakers, ear, write):
        left, right = noise(1.0, seed=2), noise(1.0, seed=3)
        with speakers.recording() as recording:
            play(ear, write(np.stack([left, right], axis=1)))

        assert recording.holds(left, channel=0)
        assert recording.holds(right, channel=1)
        assert not recording.holds(left, channel=1)

    @pytest.mark.parametrize("level_db", [-12.0, 6.0])
    def test_has_the_level_that_was_asked_for(self, speakers, ear, write, level_db):
        clip = 0.9 * noise(1.0)
        with speakers.recording() as recording:
            play(ear, write(clip), level_db=level_db)

        assert recording.holds(clip, gain=10 ** (level_db / 20))

    def test_never_goes_past_full_scale(self, speakers, ear, write):
        clip = 1.8 * noise(1.0)
        with speakers.recording() as recording:
            play(ear, write(clip), level_db=6.0)

        assert np.abs(recording.samples).max() <= 1.0
        assert recording.holds(np.clip(clip * 10 ** (6 / 20), -1, 1))

    @pytest.mark.parametrize("rate", [16_000, 44_100, 96_000, 768_000], ids=lambda rate: f"{rate} Hz")
    def test_of_another_rate_has_the_same_pitch_and_length(self, speakers, ear, write, rate):
        """768,000 Hz is more than PortAudio takes here, so that we resample it ourselves."""
        clip = noise(1.0, rate=rate)
        with speakers.recording() as recording:
            last = play(ear, write(clip, rate))

        common = np.gcd(rate, RATE)
        assert recording.holds(resample_poly(clip, RATE // common, rate // common))
        assert last.duration_s == 1.0

    def test_of_a_part_is_that_part(self, speakers, ear, write):
        clip = noise(3.0)
        with speakers.recording() as recording:
            last = play(ear, write(clip), start_s=1.0, end_s=1.8)

        assert recording.holds(clip[RATE : round(1.8 * RATE)])
        assert not recording.holds(clip[:RATE], rate_of_hits=0.1)
        assert not recording.holds(clip[2 * RATE :], rate_of_hits=0.1)
        assert (last.position_s, last.duration_s) == (1.8, 3.0)

    def test_of_broken_samples_is_finite(self, speakers, ear, write):
        clip = noise(1.0)
        clip[::1000] = np.nan
        with speakers.recording() as recording:
            play(ear, write(clip))

        assert np.isfinite(recording.samples).all()
        assert np.abs(recording.samples).max() <= 1.0

    def test_comes_from_the_device_that_was_named_in_part(self, speakers, ear, write):
        clip = noise(1.0)
        with speakers.recording() as studio, speakers.recording("booth") as booth:
            play(ear, write(clip), device="BOO")

        assert len(studio.sounding()) == 0
        assert len(booth.sounding()) > 0.9 * 44_100


class TestLoop:
    def test_goes_round_until_it_is_stopped(self, speakers, ear, write):
        clip = noise(0.6)
        with speakers.recording() as recording:
            ear.say(Preview(path=write(clip), loop=True))
            ear.wait_for(Done)
            recording.wait_for(recording.seconds + 3.0)
            ear.say(Stop())
            while ear.wait_for(Done) != Done(Stop.address, ""):
                pass

        sounding = recording.sounding()
        assert len(sounding) > 2 * len(clip)
        shifted = sounding[len(clip) : 2 * len(clip), 0]
        assert np.corrcoef(sounding[: len(clip), 0], shifted)[0, 1] > 0.9  # a stumble of the server costs a little

    def test_has_a_seam_without_a_click(self, speakers, ear, write):
        """A part that ends at the crest of a slow wave, and begins at its trough."""
        seconds = np.arange(round(0.495 * RATE)) / RATE
        wave = (-0.5 * np.cos(2 * np.pi * 100 * seconds)).astype(np.float32)
        with speakers.recording() as recording:
            ear.say(Preview(path=write(wave), loop=True))
            ear.wait_for(Done)
            recording.wait_for(recording.seconds + 2.5)
            ear.say(Stop())
            while ear.wait_for(Done) != Done(Stop.address, ""):
                pass

        clicks = np.abs(np.diff(recording.samples[:, 0])) > 0.05
        assert len(recording.sounding()) > 2 * len(wave)
        assert clicks.sum() <= 2  # the raw seam steps by 1.0 each half second; a stumble of the server steps, too


class TestStop:
    def test_fades_out_and_then_is_silent(self, speakers, ear, write):
        seconds = np.arange(20 * RATE) / RATE
        with speakers.recording() as recording:
            ear.say(Preview(path=write((0.5 * np.cos(2 * np.pi * 50 * seconds)).astype(np.float32))))
            ear.wait_for(Done)
            recording.wait_for(recording.seconds + 1.0)
            ear.say(Stop())
            last = wait_for_end(ear)
            assert ear.wait_for(Done) == Done(Stop.address, "")
            recording.wait_for(recording.seconds + 1.5)

        assert last.state == "stopped"
        assert 0.5 < last.position_s < 19
        tail = recording.samples[-RATE // 2 :]
        assert np.abs(tail).max() == 0
        assert np.abs(recording.sounding()[-1]).max() < 0.05  # not cut at full swing

    def test_by_the_next_preview_lets_that_sound_whole(self, speakers, ear, write):
        long, short = write(noise(30.0, seed=5), name="long.wav"), noise(1.0, seed=6)
        with speakers.recording() as recording:
            ear.say(Preview(path=long))
            ear.wait_for(Done)
            path = write(short, name="short.wav")
            ear.say(Preview(path=path))
            assert ear.wait_for(Done).paths == (path,)
            assert wait_for_end(ear) == PreviewReply("ended", path, 1.0, 1.0, ear.heard[-1].level_db)

        assert PreviewReply("stopped", long) in [
            PreviewReply(reply.state, reply.path) for reply in ear.heard if isinstance(reply, PreviewReply)
        ]
        assert recording.holds(short)


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
        status = Path(f"/proc/{daemon.daemon.desk.previewer.player_pid}/status").read_text()
        assert int(status.split("VmHWM:")[1].split()[0]) < 400_000  # kB
        last = play(ear, str(path), start_s=7199.5)
        while last.path != str(path) or last.state == "stopped":
            last = wait_for_end(ear)
        assert last.position_s == pytest.approx(7200)


class TestNews:
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
        os.kill(daemon.daemon.desk.previewer.player_pid, signal.SIGKILL)

        failure = ear.wait_for(Fail)
        assert (failure.command, failure.code) == (Preview.address, "preview_failed")
        assert wait_for_end(ear).state == "failed"
        with speakers.recording() as recording:
            assert play(ear, path).state == "ended"
        assert recording.holds(clip)

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
        with speakers.recording() as recording:
            assert ended(command(write(clip), "--device", "studio", "--level-db", "-6")) == (0, "", "")

        assert recording.holds(clip, gain=10 ** (-6 / 20))

    def test_plays_through_the_daemon_and_is_stopped_by_another(self, daemon, speakers, command, write, wait_until):
        clip = noise(0.6)
        with speakers.recording() as recording:
            playing = command(write(clip), "--loop")
            wait_until(lambda: daemon.daemon.desk.previewer._now and daemon.daemon.desk.previewer._now.has_begun)
            recording.wait_for(recording.seconds + 1.5)
            assert ended(command("--stop")) == (0, "stopped\n", "")

        assert ended(playing) == (0, "", "")
        assert recording.holds(clip, rate_of_hits=0.5)

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
