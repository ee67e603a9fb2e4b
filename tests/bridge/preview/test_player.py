"""The player without a device: what it reads, and what it reports where files and machines fail."""

import os
import subprocess
import sys
import threading
from ctypes.util import find_library
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bridge.errors import BridgeError, DeviceUnknownError, NoOutputDeviceError
from bridge.preview.devices import Output, choose
from bridge.preview.file_reader import FADE_S, FilePart, fit
from bridge.preview.playback import RingBuffer
from bridge.wire.messages import Fail, Preview, PreviewReply
from tests.engine.sound_files.surgery import encoded, sweep, untagged, with_flac_total

ROOT = Path(__file__).parents[3]
RATE = 8000

has_portaudio = pytest.mark.skipif(find_library("portaudio") is None, reason="needs libportaudio2")
has_no_card = pytest.mark.skipif(
    sys.platform != "linux" or any(Path("/proc/asound").glob("card[0-9]*")), reason="this machine has a sound card"
)


@pytest.fixture
def write(tmp_path):
    def write(samples, rate=RATE, name="clip.wav"):
        soundfile.write(tmp_path / name, samples, rate, subtype="FLOAT")
        return str(tmp_path / name)

    return write


@pytest.fixture
def open_part():
    opened = []

    def open_part(path, start_s=0.0, end_s=None, *, loop=False):
        opened.append(FilePart(path, start_s, end_s, loop=loop))
        return opened[-1]

    yield open_part
    for part in opened:
        part.close()


class TestPart:
    def test_holds_every_sample_between_its_fades(self, open_part, write):
        clip = np.random.default_rng(1).uniform(-1, 1, (RATE, 2)).astype(np.float32)
        read = np.concatenate(list(open_part(write(clip)).blocks()))
        fade = round(FADE_S * RATE)

        assert np.array_equal(read[fade:-fade], clip[fade:-fade])
        assert np.abs(read[0]).max() < 0.01
        assert np.abs(read[-1]).max() < 0.01

    def test_is_what_is_between_start_and_end(self, open_part, write):
        clip = np.arange(RATE, dtype=np.float32) / RATE
        read = np.concatenate(list(open_part(write(clip), 0.25, 0.5).blocks()))

        assert len(read) == RATE // 4
        assert np.array_equal(read[100:-100, 0], clip[RATE // 4 + 100 : RATE // 2 - 100])

    def test_ends_where_the_file_does(self, open_part, write):
        assert sum(map(len, open_part(write(np.zeros(RATE)), 0.5, 99.0).blocks())) == RATE // 2

    @pytest.mark.parametrize("form", ["FLAC", "MP3", "GSM610", "OGG"])
    def test_goes_to_the_end_of_what_is_there_whatever_the_head_says(self, open_part, tmp_path, form):
        clip = sweep(2.0, RATE, 1)
        if form == "GSM610":
            data = encoded(tmp_path / "a.wav", clip, RATE, subtype=form)
        else:
            data = encoded(tmp_path / "a", clip, RATE, format=form)
        data = {"FLAC": with_flac_total(data, 0), "OGG": data + data}.get(form, data)
        (tmp_path / "b").write_bytes(data if form != "MP3" else untagged(encoded(tmp_path / "c.mp3", sweep())))
        part = open_part(str(tmp_path / "b"))

        seconds = sum(map(len, part.blocks())) / part.sample_rate
        assert seconds == pytest.approx(4.0 if form == "OGG" else 2.0, abs=0.08)

    def test_in_a_loop_begins_again_and_again(self, open_part, write):
        part = open_part(write(np.full(100, 0.5, np.float32)), loop=True)
        blocks = part.blocks()
        first, second, third = (next(blocks) for _ in range(3))

        assert np.array_equal(first, second)
        assert np.array_equal(second, third)
        assert part.position_s(2.5 * 100 / RATE) == pytest.approx(50 / RATE)

    @pytest.mark.parametrize("num_frames", [1, 2, 5])
    def test_may_be_shorter_than_its_fades(self, open_part, write, num_frames):
        read = np.concatenate(list(open_part(write(np.ones(num_frames))).blocks()))

        assert read.shape == (num_frames, 1)
        assert np.isfinite(read).all()

    def test_has_no_broken_samples(self, open_part, write):
        clip = np.full(RATE, 0.5, np.float32)
        clip[100], clip[200], clip[300] = np.nan, np.inf, -np.inf
        read = np.concatenate(list(open_part(write(clip)).blocks()))[:, 0]

        assert (read[100], read[200], read[300]) == (0, 1, -1)

    @pytest.mark.parametrize("rate", [RATE, 44_100, 48_000])
    def test_is_fitted_to_rate_and_channels(self, open_part, write, rate):
        part = open_part(write(0.5 * np.sin(np.arange(RATE) * 0.1)))
        fitted = np.concatenate(list(fit(part.blocks(), part, rate, 2, -6.0)))

        assert len(fitted) == pytest.approx(rate, abs=2)
        assert np.array_equal(fitted[:, 0], fitted[:, 1])
        assert np.abs(fitted).max() == pytest.approx(0.5 * 10 ** (-6 / 20), abs=0.005)

    def test_of_stereo_is_mixed_for_a_device_with_one_channel(self, open_part, write):
        part = open_part(write(np.stack([np.full(RATE, 0.5), np.full(RATE, -0.1)], axis=1)))
        fitted = np.concatenate(list(fit(part.blocks(), part, RATE, 1, 0.0)))

        assert fitted.shape == (RATE, 1)
        assert fitted[RATE // 2, 0] == pytest.approx(0.2)

    def test_is_never_louder_than_full_scale(self, open_part, write):
        part = open_part(write(np.full(RATE, 3.0, np.float32)))

        assert np.concatenate(list(fit(part.blocks(), part, RATE, 2, 6.0))).max() == 1.0


class TestBelt:
    def test_brings_everything_in_order(self):
        blocks = [np.full((size, 1), size, np.float32) for size in (3, 1, 4, 1, 5)]
        belt, out = RingBuffer(iter(blocks)), np.zeros((20, 1), np.float32)
        assert belt.is_ready.wait(60)

        assert belt.take(out[:6]) == 6
        assert belt.take(out[6:]) == 8
        assert belt.is_over
        assert np.array_equal(out[:14], np.concatenate(blocks))
        belt.close()

    def test_does_not_wait_for_a_disk_that_is_late(self):
        def late():
            yield np.ones((4, 1), np.float32)
            disk_turns.wait(60)
            yield np.ones((4, 1), np.float32)

        disk_turns = threading.Event()
        belt, out = RingBuffer(late()), np.zeros((8, 1), np.float32)
        taken = 0
        while taken < 4:
            taken += belt.take(out[taken:])

        assert belt.take(out) == 0
        assert not belt.is_over
        disk_turns.set()
        belt.close()


DEVICES = [
    Output(0, "HDMI", "ALSA", 8, 48_000, is_default=False),
    Output(1, "Built-in Output", "ALSA", 2, 44_100, is_default=True),
    Output(2, "HDMI 2", "JACK", 2, 48_000, is_default=False),
    Output(3, "Headphones", "JACK", 2, 48_000, is_default=False),
]


class TestChoice:
    @pytest.mark.parametrize(
        ("name", "index"),
        [("", 1), (" ", 1), ("hdmi", 0), ("HDMI 2", 2), ("head", 3), ("headphones, jack", 3), ("out", 1)],
    )
    def test_is_by_name_or_a_part_of_it(self, name, index):
        assert choose(DEVICES, name).index == index

    def test_of_an_unknown_name_is_refused_with_those_that_there_are(self):
        with pytest.raises(DeviceUnknownError) as refusal:
            choose(DEVICES, "speakers")

        assert "HDMI, Built-in Output, HDMI 2, Headphones" in refusal.value.hint

    def test_of_nothing_is_refused(self):
        with pytest.raises(NoOutputDeviceError):
            choose([], "")


def refusal(ear, **keys):
    """The /fail of a preview, whose last report is `failed`."""
    ear.say(Preview(**keys))
    fail = ear.wait_for(Fail)
    assert ear.hear() == PreviewReply("failed", keys["path"])
    assert fail.command == Preview.address
    assert fail.hint
    return fail


class TestFile:
    def test_that_is_missing_is_reported(self, ear, tmp_path):
        fail = refusal(ear, path=str(tmp_path / "none.wav"))

        assert (fail.code, fail.text) == ("file_missing", f"there is no file at {tmp_path / 'none.wav'}")

    def test_that_is_no_sound_is_reported(self, ear, tmp_path):
        (tmp_path / "notes.wav").write_bytes(b"RIFF\x10\0\0\0WAVEnot a sound")

        assert refusal(ear, path=str(tmp_path / "notes.wav")).code == "file_unreadable"

    def test_that_is_a_folder_or_a_pipe_or_a_device_is_not_opened(self, ear, tmp_path):
        os.mkfifo(tmp_path / "pipe.wav")

        for path in (tmp_path, tmp_path / "pipe.wav", "/dev/zero"):
            ear.say(Preview(path=str(path)))
            fail = ear.hear()
            assert fail.code == "file_unreadable"
            assert "expected an audio file" in fail.text

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_that_may_not_be_read_is_reported(self, ear, write):
        path = write(np.zeros(RATE))
        Path(path).chmod(0)

        assert refusal(ear, path=path).code == "file_unreadable"

    def test_with_three_channels_is_reported(self, ear, write):
        assert refusal(ear, path=write(np.zeros((RATE, 3)))).code == "too_many_channels"

    def test_that_ends_before_the_part_is_reported(self, ear, write):
        fail = refusal(ear, path=write(np.zeros(RATE)), start_s=2.0)

        assert (fail.code, fail.text) == ("bad_region", "start_s is 2 s, but there are only 1 s to play")

    def test_without_any_sound_in_it_is_reported(self, ear, write):
        assert refusal(ear, path=write(np.zeros(0))).code == "bad_region"


class TestMachine:
    def test_without_portaudio_gives_a_sentence(self, start_daemon, connect, write, tmp_path, monkeypatch):
        (tmp_path / "modules").mkdir()
        (tmp_path / "modules" / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
        fail = refusal(connect(start_daemon()), path=write(np.zeros(RATE)))

        assert fail.code == "no_audio_library"
        assert fail.text == "nothing can be played without PortAudio: PortAudio library not found"
        assert "apt install libportaudio2" in fail.hint

    @has_portaudio
    @has_no_card
    def test_without_any_device_gives_a_sentence(self, start_daemon, connect, write, monkeypatch):
        monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere")

        assert refusal(connect(start_daemon()), path=write(np.zeros(RATE))).code == "no_output_device"

    @has_portaudio
    @pytest.mark.skipif(sys.platform != "linux", reason="ALSA is Linux's")
    def test_whose_sound_system_aborts_gives_a_sentence(self, start_daemon, connect, write, monkeypatch):
        """PortAudio aborts the process when ALSA has no configuration; it must not be the daemon's."""
        monkeypatch.setenv("ALSA_CONFIG_PATH", os.devnull)
        ear = connect(start_daemon())
        for _ in range(2):
            assert refusal(ear, path=write(np.zeros(RATE))).code == "preview_failed"

    @has_portaudio
    @has_no_card
    def test_without_any_device_lists_none(self, monkeypatch):
        monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere")
        command = [sys.executable, "-m", "bridge", "preview", "--devices"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

        assert (done.returncode, done.stdout) == (1, "")
        assert "no audio output that can be used now" in done.stderr


class TestCommandLine:
    @pytest.mark.parametrize("words", [[], ["clip.wav", "--stop"], ["--stop", "--devices"]], ids=" ".join)
    def test_wants_one_thing(self, words):
        assert run(*words).returncode == 2

    @pytest.mark.usefixtures("state_dir")
    def test_stops_nothing_where_no_daemon_runs(self):
        done = run("--stop")

        assert (done.returncode, done.stdout) == (0, "no daemon runs, so nothing plays\n")

    @pytest.mark.usefixtures("state_dir")
    def test_refuses_a_level_as_wrong_usage(self):
        done = run("clip.wav", "--level-db", "7")

        assert done.returncode == 2
        assert "expected -120 to 6 dB" in done.stderr

    @pytest.mark.usefixtures("state_dir")
    def test_reports_that_there_is_no_such_file(self, tmp_path):
        done = run(str(tmp_path / "none.wav"))

        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"there is no file at {tmp_path / 'none.wav'}\nhint: ")

    @pytest.mark.usefixtures("daemon")
    def test_reports_it_through_the_daemon_too(self, tmp_path):
        done = run(str(tmp_path / "none.wav"))

        assert done.returncode == 1
        assert done.stderr.startswith(f"there is no file at {tmp_path / 'none.wav'}\nhint: ")

    @pytest.mark.usefixtures("daemon")
    def test_of_retake_send_reports_it_too(self, tmp_path):
        command = [sys.executable, "-m", "bridge", "send", "preview", str(tmp_path / "none.wav")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

        assert done.returncode == 1
        assert done.stderr.startswith(f"there is no file at {tmp_path / 'none.wav'}\nhint: ")


def run(*words):
    command = [sys.executable, "-m", "bridge", "preview", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_every_refusal_has_a_hint_and_fits_a_datagram():
    with pytest.raises(BridgeError) as error:
        choose([Output(i, "x" * 60, "ALSA", 2, 48_000, is_default=False) for i in range(100)], "y" * 500)

    assert len(error.value.text) + len(error.value.hint) < 1000
