"""What the smoke test checks, one after another: each check takes the stage and the findings, and raises SmokeError."""

import json
import os
import signal
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bridge.clients.client import Client
from bridge.host.discovery import Runtime, read_runtime
from bridge.wire.messages import Quit, Version, VersionReply
from installer.build import folder_size
from installer.exclusions import is_left_out
from installer.licences import FILE
from installer.product import NAME, ROOT, TRAY, VERSION, has_tray
from installer.stage import SmokeError, Stage

CLIPS = ROOT / "tests" / "clips"
DAEMON_S, SEND_MS = 1.0, 150.0
"""What a musician may have to wait: for the daemon's first answer after its start, and for `retake-send version`."""
_DAEMON_STARTS, _SENDS = 5, 15
_PATIENCE_S = 60.0
_LOOK_S = 2.0
"""How long the tray app is watched: what its window lacks shows by then."""
_PROMPT = "heavy rain on a tin roof"


@dataclass
class Findings:
    """What was measured, and what went wrong."""

    figures: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.figures[name] = round(value, 3)

    @property
    def too_slow(self) -> list[str]:
        limits = {"daemon_answer_s": DAEMON_S, "send_version_ms": SEND_MS}
        return [
            f"{name} is {self.figures[name]:g}, and {limit:g} is allowed"
            for name, limit in limits.items()
            if self.figures.get(name, 0.0) > limit
        ]


def check_versions(stage: Stage, findings: Findings) -> None:
    said = stage.run("retake", "--version")
    if said.out.strip() != f"{NAME} {VERSION}":
        raise SmokeError(f"retake --version said {said.out!r}")
    findings.add("retake_version_s", said.seconds)


def check_daemon_start(stage: Stage, findings: Findings) -> None:
    """From the start of the process to its first answer on the wire."""
    took = []
    for _ in range(_DAEMON_STARTS):
        began = time.monotonic()
        process = stage.start("retake", "daemon")
        runtime = _wait_for_runtime(stage)
        _ask_version(runtime)
        took.append(time.monotonic() - began)
        _quit(stage, runtime, process)
    findings.add("daemon_answer_s", statistics.median(took))
    findings.add("daemon_answer_slowest_s", max(took))


def check_sender(stage: Stage, findings: Findings) -> None:
    process = stage.start("retake", "daemon")
    runtime = _wait_for_runtime(stage)
    said = [stage.run("retake-send", "version") for _ in range(_SENDS)]
    stage.run("retake", "status", "--json")
    _quit(stage, runtime, process)
    if VERSION not in said[0].out:
        raise SmokeError(f"retake-send version said {said[0].out!r}")
    findings.add("send_version_ms", 1000 * statistics.median(spoken.seconds for spoken in said))


def check_main_job(stage: Stage, findings: Findings) -> None:
    """A restyle through a daemon that the sender starts, and a second one that finds it warm."""
    words = ["restyle", "footfalls.wav", _PROMPT, "--output-dir", "."]
    name = "footfalls restyle heavy-rain-on-a-tin-roof s{}.wav"
    cold = stage.new_file(name.format(1), "retake-send", *words, "seed", "1", "--start")
    warm = stage.new_file(name.format(2), "retake-send", *words, "seed", "2")
    findings.add("restyle_cold_s", cold.seconds)
    findings.add("restyle_warm_s", warm.seconds)
    _compare_with_source(stage.home / name.format(1))
    stage.run("retake-send", "quit")


def check_operations(stage: Stage, findings: Findings) -> None:
    few = ("--steps", "4")
    said = stage.new_file("rain.wav", "retake", "generate", "rain", "--seconds", "2", "-o", "rain.wav")
    findings.add("generate_s", said.seconds)
    stage.new_file("r.wav", "retake", "restyle", "footfalls.wav", "rain", "-o", "r.wav", *few)
    gap = ("--start", "1.0", "--end", "2.0")
    stage.new_file("i.wav", "retake", "inpaint", "strings.wav", "breaking glass", *gap, "-o", "i.wav", *few)
    stage.new_file("v.wav", "retake", "vary", "footfalls.wav", "-o", "v.wav", *few)
    stage.new_file("u.wav", "retake", "upscale", "speech.wav", "--cutoff-hz", "4000", "-o", "u.wav", *few)
    stage.new_file("l.wav", "retake", "generate", "--like", "footfalls.wav", "-o", "l.wav", *few)
    stage.new_file("a.wav", "retake", "again", "r.wav", "-o", "a.wav")
    if (stage.home / "a.wav").read_bytes()[-10_000:] != (stage.home / "r.wav").read_bytes()[-10_000:]:
        raise SmokeError("`again` made another sound than the first time")


def check_models(stage: Stage, _findings: Findings) -> None:
    listed = stage.run("retake", "models", "list").out
    if not listed.startswith("nano") or "audioldm-s-full-v2" not in listed:
        raise SmokeError(f"retake models list said {listed!r}")
    refused = stage.run("retake", "models", "pull", "audioldm-s-full-v2", "--accept-licence", code=1)
    if "hint:" not in refused.err:
        raise SmokeError(f"without a network, retake models pull said {refused.err!r}")


def check_foreign_model(stage: Stage, findings: Findings) -> None:
    """Import a checkpoint of another maker, with both of CLAP's towers, and hear and make sound with it."""
    words = ("models", "import", "foreign.ckpt", "--tokenizer", "words", "--name", "foreign")
    findings.add("import_s", stage.run("retake", *words).seconds)
    few = ("--model", "foreign", "--steps", "2", "--seconds", "1")
    stage.new_file("f.wav", "retake", "generate", "rain", "-o", "f.wav", *few)
    stage.new_file("fl.wav", "retake", "generate", "--like", "footfalls.wav", "-o", "fl.wav", *few)
    stage.run("retake", "models", "remove", "foreign", "--yes")


def check_scripts(stage: Stage, _findings: Findings) -> None:
    (stage.home / "REAPER").mkdir()
    (stage.home / "REAPER" / "reaper.ini").touch()
    (stage.home / ".config" / "ardour7").mkdir(parents=True)
    (stage.home / ".config" / "ardour7" / "config").touch()
    stage.run("retake", "install-scripts", "reaper", "--path", "REAPER")
    known = json.loads((stage.home / "REAPER" / "Scripts" / "Retake" / "retake.json").read_text(encoding="utf-8"))
    if known["send"] != f"{stage.programs}/retake-send":
        raise SmokeError(f"REAPER's scripts look for {known['send']}")
    if not (stage.home / "REAPER" / "Scripts" / "Retake" / "operations.json").exists():
        raise SmokeError("REAPER's scripts have no table of operations beside them")
    stage.run("retake", "install-scripts", "ardour")
    built = {file.name for file in (stage.home / ".config" / "ardour7" / "scripts").glob("retake_*.lua")}
    if built != {file.name for file in (ROOT / "daw_scripts" / "ardour" / "actions").iterdir()}:
        raise SmokeError(f"Ardour's folder holds {sorted(built)}")
    stage.run("retake", "install-scripts", "reaper", "--path", "REAPER", "--remove")


def check_what_is_not_there(stage: Stage, _findings: Findings) -> None:
    """What is missing is reported in a sentence, without a traceback."""
    for words in (("train", "vae"), ("benchmark", "--published"), ("evaluate", "nothing", "nothing")):
        said = stage.speak("retake", *words)
        if said.code == 0 or "Traceback" in said.err:
            raise SmokeError(f"retake {' '.join(words)} ended with {said.code}: {said.err}")


def check_contents(stage: Stage, findings: Findings) -> None:
    folder = Path(f"{stage.root or ''}{stage.programs}")
    inside = folder / "_internal"
    places = (path.relative_to(inside).as_posix() for path in inside.rglob("*") if path.is_file())
    slipped = [place for place in places if is_left_out(place)]
    if slipped:
        raise SmokeError(f"in the bundle against the table of exclusions: {slipped[0]}")
    if len((inside / FILE).read_text(encoding="utf-8")) < 100_000:
        raise SmokeError(f"{FILE} is too short to hold all licences")
    findings.add("folder_mb", folder_size(folder) / 1e6)


def check_tray(stage: Stage, findings: Findings) -> None:
    """The tray app on a virtual screen: it starts a daemon, and ends when asked to."""
    began = time.monotonic()
    process = stage.start(TRAY.file, "--no-tray", QT_QPA_PLATFORM="offscreen")
    try:
        runtime = _wait_for_runtime(stage)
        findings.add("tray_to_daemon_s", time.monotonic() - began)
        time.sleep(_LOOK_S)
        if process.poll() is not None:
            raise SmokeError(f"the tray app ended with {process.returncode}")
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)
    with Client(runtime) as client:
        client.send(Quit())


def check_nothing_is_left(stage: Stage, _findings: Findings) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while running := _running(stage):
        if time.monotonic() > deadline:
            for pid in running:
                os.kill(pid, signal.SIGTERM)
            raise SmokeError(f"still running: {running}")
        time.sleep(0.1)


Check = Callable[[Stage, Findings], None]

CHECKS: tuple[Check, ...] = (
    check_versions,
    check_daemon_start,
    check_sender,
    check_main_job,
    check_operations,
    check_models,
    check_scripts,
    check_what_is_not_there,
    *((check_tray,) if has_tray() else ()),
    check_contents,
    check_nothing_is_left,
)


def _wait_for_runtime(stage: Stage) -> Runtime:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if runtime := read_runtime(stage.state):
            return runtime
        time.sleep(0.005)
    raise SmokeError("the daemon did not appear")


def _ask_version(runtime: Runtime) -> None:
    with Client(runtime) as client:
        for _ in range(100):
            client.send(Version())
            if isinstance(client.receive(0.3), VersionReply):
                return
    raise SmokeError("the daemon does not answer")


def _quit(stage: Stage, runtime: Runtime, process: subprocess.Popen[bytes]) -> None:
    with Client(runtime) as client:
        client.send(Quit())
    process.wait(_PATIENCE_S)
    if read_runtime(stage.state) is not None:
        raise SmokeError("the daemon left its runtime file behind")


def _compare_with_source(take: Path) -> None:
    """See that a take has its source's rate, channels and samples. Raises SmokeError."""
    import soundfile  # noqa: PLC0415 - only what starts the smoke test needs it

    ours, source = soundfile.info(take), soundfile.info(CLIPS / "footfalls.wav")
    shape = (ours.frames, ours.samplerate, ours.channels)
    if shape != (source.frames, source.samplerate, source.channels):
        raise SmokeError(f"{take.name} has {shape} frames, rate and channels: not its source's")


def _running(stage: Stage) -> dict[int, str]:
    """Return our processes as /proc lists them: number and program; none where there is no /proc."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            program = os.readlink(entry / "exe")
        except OSError:
            continue
        if program.startswith(f"{stage.root or ''}{stage.programs}/"):
            found[int(entry.name)] = program
    return found
