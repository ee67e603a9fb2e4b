"""A sound server that nobody hears, for the tests of previews, and what can be said of a recording of it."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import correlate

PATIENCE_S = 60.0
RATE = 48_000
SINKS = {"studio": 48_000, "booth": 44_100}
_ALSA = Path("/usr/share/alsa/alsa.conf")
_TRIALS = 5


class SoundServer:
    """A PulseAudio of our own with two sinks that nobody hears; no D-Bus, no systemd, nothing of this machine's."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="retake-"))  # short: the name of a socket has room for 107 bytes
        alsa = self.folder / "alsa.conf"
        devices = "".join(f"pcm.{name} {{\n type pulse\n device {name}\n}}\n" for name in SINKS)
        alsa.write_text(f"<{_ALSA}>\n{devices}")
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

    def control(self, *words: Any) -> Any:
        command = ["pactl", *words]
        return subprocess.run(command, env=self._inherited(), capture_output=True, text=True, check=True).stdout

    @contextlib.contextmanager
    def recording(self, sink: Any = "studio") -> Iterator[Any]:
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

    def hears(self, act: Any, is_right: Any) -> bool:
        """Act and record, until the recording is right; a busy machine stumbles at times, a defect does each time."""
        for _ in range(_TRIALS):
            with self.recording() as recording:
                act(recording)
            if is_right(recording):
                return True
        return False

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _inherited(self) -> Any:
        return {key: value for key, value in os.environ.items() if "DBUS" not in key} | self.environment

    def _wait_until_up(self) -> None:
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

    def __init__(self, path: Path) -> None:
        self._path = path
        self.samples = np.zeros((0, 2), np.float32)

    @property
    def seconds(self) -> Any:
        return self._path.stat().st_size / 8 / RATE

    def wait_for(self, seconds: float) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.seconds < seconds:
            assert time.monotonic() < deadline, "the recorder hears nothing"
            time.sleep(0.02)

    def close(self) -> None:
        raw = self._path.read_bytes()
        self.samples = np.frombuffer(raw[: len(raw) // 8 * 8], "<f4").reshape(-1, 2)

    def sounding(self) -> Any:
        """From the first to the last sample that is not silence."""
        (heard,) = np.nonzero(np.abs(self.samples).max(axis=1) > 1e-5)
        return self.samples[heard[0] : heard[-1] + 1] if len(heard) else self.samples[:0]

    def matches(self, clip: Any, channel: Any = 0, window_s: Any = 0.2) -> Any:
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

    def holds(self, clip: Any, channel: Any = 0, gain: Any = 1.0, rate_of_hits: Any = 0.8) -> Any:
        """Whether a clip was heard: its windows at this gain, in their order."""
        found = self.matches(clip, channel)
        hits = (found[:, 0] > 0.99) & (np.abs(20 * np.log10(np.abs(found[:, 1]) / gain + 1e-9)) < 0.2)
        in_order = np.all(np.diff(found[hits, 2]) > 0)
        return hits.mean() >= rate_of_hits and bool(in_order)
