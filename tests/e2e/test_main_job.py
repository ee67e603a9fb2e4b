"""The main job, from outside: a real daemon, a real socket, real clips, the shipped model; only the wire is known here.

RETAKE_E2E_MODEL names another model than the shipped one, for example `tiny`.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import build_msg

from engine import Audio

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MODEL = os.environ.get("RETAKE_E2E_MODEL", "nano")
CLIPS = sorted((ROOT / "tests" / "clips").glob("*.wav"))
PATIENCE_S = 240.0


class Host:
    """What a workstation would do: find the daemon by its runtime file, send OSC, listen on its own port."""

    def __init__(self, runtime):
        self.daemon = runtime["host"], runtime["port"]
        self.token = runtime["token"]
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(PATIENCE_S)

    def ask(self, address, *args):
        message = build_msg(address, [*args, "token", self.token] if args else [])
        self.socket.sendto(message.dgram, self.daemon)

    def hear(self):
        datagram = self.socket.recv(65536)
        assert len(datagram) <= 4000
        message = OscMessage(datagram)
        return message.address, list(message)

    def run(self, address, job, *args):
        """Ask for a job and follow it: its files, and what was heard on the way."""
        self.ask(address, job, *args)
        heard = [self.hear()]
        while heard[-1][0] not in {"/done", "/fail"}:
            heard.append(self.hear())
        assert heard[0][0] == "/retake/ack"
        assert heard[-1][0] == "/done", heard[-1]
        command, job_again, count, *paths = heard[-1][1]
        assert (command, job_again, count) == (address, job, len(paths))
        return [Path(path) for path in paths], heard


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    """The daemon, started as a user would, in a state folder of its own."""
    state = tmp_path_factory.mktemp("state")
    environment = os.environ | {"RETAKE_STATE_DIR": str(state), "XDG_CONFIG_HOME": str(state / "config")}
    command = [sys.executable, "-m", "bridge", "daemon", "--port", "0", "--model", MODEL]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as daemon:
        deadline = time.monotonic() + 60
        while not (state / "runtime.json").exists():
            assert daemon.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield json.loads((state / "runtime.json").read_text())
        daemon.terminate()
        assert daemon.wait(60) == 0
    assert not (state / "runtime.json").exists()


@pytest.fixture
def host(runtime):
    host = Host(runtime)
    yield host
    host.socket.close()


@pytest.fixture(params=CLIPS, ids=lambda path: path.stem)
def clip(request, tmp_path):
    """A copy of a clip that this project's engine did not make, in a folder of its own."""
    return Path(shutil.copy(request.param, tmp_path))


def read(path):
    """Samples [T, C] as 32-bit integers, exact for 16 and 24 bits."""
    return soundfile.read(path, dtype="int32", always_2d=True)[0]


def check_take(take, clip, operation, prompt, rate=None):
    """What holds for every take of a clip: same shape, finite, its story inside and beside it, the clip untouched.

    An upscaled one has a `rate` of its own.
    """
    source, result = soundfile.info(clip), soundfile.info(take)
    rate = rate or source.samplerate
    frames = round(source.frames * rate / source.samplerate)
    assert (result.samplerate, result.channels, result.frames) == (rate, source.channels, frames)
    assert result.subtype == "PCM_24"
    assert take.parent == clip.parent
    assert len(take.name.encode()) <= 120
    story = json.loads(take.with_suffix(".json").read_text())
    assert (story["operation"], story["prompt"], story["seed"], story["model"]) == (operation, prompt, 7, MODEL)
    with soundfile.SoundFile(take) as file:
        assert json.loads(file.comment) == story


def test_restyle_moves_the_whole_clip(host, clip):
    before = clip.read_bytes()
    (take,), heard = host.run("/retake/restyle", f"restyle {clip.stem}", str(clip), "heavy rain", "seed", 7)

    check_take(take, clip, "restyle", "heavy rain")
    assert take.name == f"{clip.stem} restyle heavy-rain s7.wav"
    assert np.any(read(take) != read(clip))
    assert np.abs(read(take)).max() > 0.001 * 2**31
    assert clip.read_bytes() == before
    stages = [args[2] for address, args in heard if address == "/retake/progress"]
    assert stages


def test_restyle_of_a_part_keeps_the_rest_bit_for_bit(host, clip):
    keys = ["start_s", 1.0, "end_s", 2.0, "strength", 0.7, "seed", 7]
    (take,), _ = host.run("/retake/restyle", f"part {clip.stem}", str(clip), "wind", *keys)

    check_take(take, clip, "restyle", "wind")
    rate = soundfile.info(clip).samplerate
    source, result = read(clip), read(take)
    assert np.array_equal(result[:rate], source[:rate])
    assert np.array_equal(result[2 * rate :], source[2 * rate :])
    assert np.any(result[rate : 2 * rate] != source[rate : 2 * rate])


def test_inpaint_makes_the_regions_anew_and_keeps_the_rest_bit_for_bit(host, clip):
    arguments = [str(clip), "glass breaking", 0.5, 1.25, "region", "2.0 2.5", "seed", 7, "candidates", 2]
    takes, _ = host.run("/retake/inpaint", f"inpaint {clip.stem}", *arguments)

    rate = soundfile.info(clip).samplerate
    source = read(clip)
    is_inside = np.zeros(len(source), bool)
    for start_s, end_s in ((0.5, 1.25), (2.0, 2.5)):
        is_inside[round(start_s * rate) : round(end_s * rate)] = True
    assert len(takes) == 2
    for take in takes:
        check_take(take, clip, "inpaint", "glass breaking")
        assert np.array_equal(read(take)[~is_inside], source[~is_inside])
        assert np.any(read(take)[is_inside] != source[is_inside])
    scores = [json.loads(take.with_suffix(".json").read_text())["score"] for take in takes]
    assert scores == sorted(scores, reverse=True)


def test_vary_needs_no_word(host, clip):
    (take,), _ = host.run("/retake/vary", f"vary {clip.stem}", str(clip), "strength", 0.5, "seed", 7)

    check_take(take, clip, "vary", "")
    assert take.name == f"{clip.stem} vary s7.wav"
    assert np.any(read(take) != read(clip))


@pytest.mark.parametrize("clip", CLIPS[1:2], ids=lambda path: path.stem, indirect=True)
def test_upscale_makes_highs_and_keeps_the_rest(host, clip):
    (take,), _ = host.run("/retake/upscale", f"upscale {clip.stem}", str(clip), "cutoff_hz", 4000.0, "seed", 7)

    check_take(take, clip, "upscale", "", rate=48_000)
    whole = Audio.read(clip).resample(48_000).samples.T.astype(np.float64)
    source, change = whole, read(take) / 2**31 - whole
    hz = np.fft.rfftfreq(len(source), 1 / 48_000)
    before, changed = (np.square(np.abs(np.fft.rfft(samples, axis=0))).sum(axis=1) for samples in (source, change))
    assert changed[hz < 3500].sum() < 1e-4 * before[hz < 3500].sum()
    assert changed[hz > 4500].sum() > 0.01 * before[hz > 4500].sum()


def test_a_clip_may_take_the_place_of_the_words(host, tmp_path):
    keys = ["like", str(CLIPS[0]), "seconds", 2.0, "seed", 7, "output_dir", str(tmp_path)]
    (take,), _ = host.run("/retake/generate", "like a clip", "", *keys)

    story = json.loads(take.with_suffix(".json").read_text())
    assert (story["prompt"], story["like"]) == ("", str(CLIPS[0]))
    assert np.abs(soundfile.read(take)[0]).max() > 0.001


@pytest.mark.parametrize("clip", CLIPS[:1], ids=lambda path: path.stem, indirect=True)
def test_a_take_is_enough_to_make_it_again(host, clip):
    arguments = [str(clip), "glass breaking", 0.5, 1.0, "region", "1.5 2.0 300 3000", "seed", 7, "candidates", 2]
    takes, _ = host.run("/retake/inpaint", "again", *arguments)
    again = clip.with_name("again.wav")
    command = [sys.executable, "-m", "bridge", "again", str(takes[1]), "-o", str(again)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, f"{again}\n")
    assert "not the sound" not in done.stderr
    assert np.array_equal(read(again), read(takes[1]))


def test_generate_makes_a_sound_of_the_wanted_length(host, tmp_path):
    reply = tmp_path / "reply.json"
    keys = ["seconds", 2.5, "seed", 7, "output_dir", str(tmp_path), "reply", str(reply)]
    (take,), _ = host.run("/retake/generate", "generate", "a dog barks", *keys)
    info = soundfile.info(take)

    assert (info.samplerate, info.channels, info.frames) == (48_000, 1, 120_000)
    assert json.loads(take.with_suffix(".json").read_text())["prompt"] == "a dog barks"
    assert json.loads(reply.read_text())["paths"] == [str(take)]
    assert json.loads(reply.read_text())["state"] == "done"


def test_the_same_request_with_the_same_seed_is_the_same_sound_under_another_name(host, tmp_path):
    keys = ["seconds", 1.0, "seed", 3, "output_dir", str(tmp_path)]
    (first,), _ = host.run("/retake/generate", "once", "thunder", *keys)
    (second,), _ = host.run("/retake/generate", "twice", "thunder", *keys)

    assert first != second
    assert np.array_equal(read(first), read(second))


@pytest.mark.skipif(MODEL == "tiny", reason="random weights know all sounds equally well")
def test_a_sound_that_the_model_cannot_know_is_rendered_with_a_warning(host, tmp_path):
    keys = ["seconds", 1.0, "output_dir", str(tmp_path)]
    (take,), heard = host.run("/retake/generate", "saxophone", "a saxophone solo", *keys)

    assert take.exists()
    assert [args[0] for address, args in heard if address == "/retake/warning"] == ["saxophone"]


def test_a_clip_that_is_missing_is_a_sentence(host, tmp_path):
    host.ask("/retake/restyle", "missing", str(tmp_path / "missing.wav"), "rain")
    heard = [host.hear()]
    while heard[-1][0] not in {"/done", "/fail"}:
        heard.append(host.hear())
    address, (command, job, code, text, hint) = heard[-1]

    assert (address, command, job, code) == ("/fail", "/retake/restyle", "missing", "file_missing")
    assert "missing.wav" in text
    assert hint
    assert list(tmp_path.iterdir()) == []
