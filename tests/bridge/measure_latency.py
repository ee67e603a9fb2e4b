"""How quickly the daemon answers: `python tests/bridge/measure_latency.py` on a machine with nothing else to do.

Prints start to first /retake/status reply (target 500 ms), /retake/generate to /retake/ack (target 100 ms) and
`retake-send version` from start to end (target: it starts in less than 100 ms), each with its median and its worst.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from bridge.clients.client import Client  # noqa: E402 - the repository's root has to be on the path first
from bridge.host.discovery import Runtime, read_runtime  # noqa: E402
from bridge.wire.messages import Ack, Generate, Quit, Status, StatusReply  # noqa: E402


def show(name: str, seconds: list[float]) -> None:
    print(f"{name:<34} median {1000 * statistics.median(seconds):6.1f} ms   worst {1000 * max(seconds):6.1f} ms")


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def start(state: Path) -> tuple[subprocess.Popen[bytes], Runtime]:
    """Start a daemon and wait for its first answer."""
    command = [sys.executable, "-m", "bridge", "daemon", "--port", "0", "--model", "tiny"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    while (runtime := read_runtime(state)) is None:
        time.sleep(0.001)
    with Client(runtime) as client:
        client.send(Status())
        assert isinstance(client.receive(5), StatusReply)
    return process, runtime


def stop(process: subprocess.Popen[bytes], runtime: Runtime) -> None:
    with Client(runtime) as client:
        client.send(Quit())
    process.wait()


def acknowledge(client: Client, number: int) -> float:
    request = Generate(job=f"job-{number}", prompt="rain")

    def ask() -> None:
        client.send(request)
        while not isinstance(client.receive(5), Ack):
            pass

    return timed(ask)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"RETAKE_STATE_DIR": folder, "XDG_CONFIG_HOME": folder}
        starts = []
        for _ in range(10):
            started = time.perf_counter()
            process, runtime = start(Path(folder))
            starts.append(time.perf_counter() - started)
            stop(process, runtime)
        show("daemon start to status reply", starts)

        process, runtime = start(Path(folder))
        command = [sys.executable, "-m", "bridge", "send", "version"]
        sends = [timed(lambda: subprocess.run(command, cwd=ROOT, capture_output=True, check=True)) for _ in range(20)]
        show("retake-send version", sends)
        with Client(runtime) as client:
            show("request to acknowledgement", [acknowledge(client, number) for number in range(100)])
        stop(process, runtime)


if __name__ == "__main__":
    main()
