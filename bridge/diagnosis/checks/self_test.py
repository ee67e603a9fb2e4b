"""Renders a short sound with the default model in a separate render process, and measures the time."""

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bridge.diagnosis.checks.finding import Finding, ok, problem
from bridge.diagnosis.checks.folders import models_folder
from bridge.diagnosis.checks.settings_file import valid_settings
from bridge.diagnosis.checks.surroundings import Surroundings
from bridge.errors import BridgeError
from bridge.host.program import HOME, own_command, start_flags
from bridge.rendering.pipe import HEARTBEAT, PROGRESS_PING, RenderSetup, reply_from_line, to_line
from bridge.wire.messages import Done, Fail, Generate, Progress, Reply

_SECONDS = 1.0
_TIMEOUT_S = 600.0
_NAME = "self-test"
_REMEDY = "run `retake support`, and send us the file that it makes"


def check_rendering(surroundings: Surroundings) -> Iterator[Finding]:
    settings = valid_settings(surroundings)
    with tempfile.TemporaryDirectory(prefix="retake-") as name:
        folder = Path(name)
        setup = RenderSetup(settings.model, settings.device, str(models_folder(surroundings)), str(folder))
        yield _render(setup, folder)


def _render(setup: RenderSetup, folder: Path) -> Finding:
    request = Generate(job="doctor", prompt="rain", seconds=_SECONDS, seed=1)
    with (folder / "stderr").open("w+b") as log:
        started = time.monotonic()
        process = subprocess.Popen(  # noqa: S603 - our own program
            own_command("worker", setup.to_json()),
            cwd=HOME,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            creationflags=start_flags(),
        )
        timer = threading.Timer(_TIMEOUT_S, process.kill)
        timer.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(to_line(request))
            process.stdin.flush()
            loaded_at, end = _follow(process.stdout)
        except (OSError, BridgeError, ValueError):
            loaded_at, end = None, None
        finally:
            timer.cancel()
            process.kill()
            process.communicate()
        times = (time.monotonic() - started, (loaded_at or started) - started)
        return _judge(setup, end, times, log)


def _follow(stdout: IO[bytes]) -> tuple[float | None, Reply | None]:
    """Return when the model was loaded, and the job's final reply; None where the process died."""
    loaded_at = None
    for line in stdout:
        if line in {HEARTBEAT, PROGRESS_PING}:
            continue
        reply = reply_from_line(line)
        if loaded_at is None and isinstance(reply, Progress) and reply.stage != "loading":
            loaded_at = time.monotonic()
        if isinstance(reply, Done | Fail):
            return loaded_at, reply
    return loaded_at, None


def _judge(setup: RenderSetup, end: Reply | None, times: tuple[float, float], log: IO[bytes]) -> Finding:
    total_s, loading_s = times
    match end:
        case Done(paths=paths) if paths and Path(paths[0]).stat().st_size:
            return ok(
                _NAME,
                f"{setup.model} on {setup.device} made {_SECONDS:g} s of rain in {total_s:.1f} s, "
                f"{loading_s:.1f} s of which went into starting and loading",
            )
        case Fail(text=text, hint=hint):
            return problem(_NAME, f"{setup.model} on {setup.device} made no sound: {text}", hint or _REMEDY)
    log.seek(0)
    said = log.read().decode(errors="replace").strip().splitlines()
    why = said[-1][:300] if said else f"it said nothing within {total_s:.0f} s"
    return problem(_NAME, f"the render process ended without a sound: {why}", _REMEDY)
